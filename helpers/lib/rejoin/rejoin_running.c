/* SPDX-License-Identifier: PostgreSQL */
/* The first part of the rules: what holds in every state, and for a server that runs. */
#include "rejoin/rejoin_right.h"
#include "rejoin/rejoin_table.h"

static bool local_silent(const struct rejoin_facts *f)
{
	return f->local == LOCAL_UNKNOWN || f->local >= LOCALS;
}

static bool local_refuses(const struct rejoin_facts *f)
{
	return f->local == LOCAL_REFUSES;
}

static bool directory_unreadable(const struct rejoin_facts *f)
{
	return f->form == PGDATA_UNKNOWN;
}

static bool swapping(const struct rejoin_facts *f)
{
	return f->swapping == FACT_YES && f->form == PGDATA_MISSING && f->local == LOCAL_DOWN;
}

static bool new_copy(const struct rejoin_facts *f)
{
	return rejoin_copy_by_hand(f);
}

static bool directory_missing(const struct rejoin_facts *f)
{
	return f->form == PGDATA_MISSING;
}

static bool wrong_version(const struct rejoin_facts *f)
{
	return f->right_version != FACT_YES;
}

static bool wrong_system(const struct rejoin_facts *f)
{
	return f->same_system == FACT_NO;
}

static bool port_taken(const struct rejoin_facts *f)
{
	return f->local == LOCAL_OTHER;
}

static bool single_user(const struct rejoin_facts *f)
{
	return f->local == LOCAL_SINGLE;
}

static bool orphans(const struct rejoin_facts *f)
{
	return f->local == LOCAL_ORPHANS;
}

static bool starting(const struct rejoin_facts *f)
{
	return f->local == LOCAL_STARTING;
}

/* ---- a primary runs here ---- */

static bool primary(const struct rejoin_facts *f)
{
	return f->local == LOCAL_PRIMARY;
}

static bool newer_primary(const struct rejoin_facts *f)
{
	return primary(f) && f->peer == SERVER_PRIMARY && f->past == PAST_OURS_NEWER;
}

static bool second_primary(const struct rejoin_facts *f)
{
	return primary(f) && f->peer == SERVER_PRIMARY;
}

static bool fenced_primary(const struct rejoin_facts *f)
{
	return primary(f) && f->fenced != FACT_NO;
}

/* ---- a standby runs here ---- */

static bool standby(const struct rejoin_facts *f)
{
	return f->local == LOCAL_STANDBY;
}

/* Beside a primary it streams, and then the mark goes by itself. */
static bool lifted(const struct rejoin_facts *f)
{
	return standby(f) && f->fenced == FACT_YES && f->peer != SERVER_PRIMARY &&
	       rejoin_may_lift(f, f->fenced_by);
}

/* A hint that would be refused is none. */
static bool liftable(const struct rejoin_facts *f)
{
	struct rejoin_facts asked = *f;

	asked.lift = true;
	return lifted(&asked);
}

static bool fenced_holder(const struct rejoin_facts *f)
{
	return liftable(f) && f->to_be_promoted && f->promoting != FACT_NO;
}

static bool holder(const struct rejoin_facts *f)
{
	return standby(f) && f->to_be_promoted && f->promoting != FACT_NO;
}

static bool promoting(const struct rejoin_facts *f)
{
	return standby(f) && f->promoting != FACT_NO;
}

static bool misled(const struct rejoin_facts *f)
{
	return standby(f) && (f->withdrawn == FACT_YES || f->follows == FACT_NO);
}

static bool streaming(const struct rejoin_facts *f)
{
	return standby(f) && f->streaming == FACT_YES;
}

static bool replay_paused(const struct rejoin_facts *f)
{
	return standby(f) && f->replay_paused == FACT_YES;
}

/* Also one that streams: what it receives is not replayed, and resuming would promote it. */
static bool replay_at_target(const struct rejoin_facts *f)
{
	return replay_paused(f) && f->target == FACT_YES;
}

static bool still_fenced(const struct rejoin_facts *f)
{
	return standby(f) && f->peer != SERVER_PRIMARY && f->fenced != FACT_NO;
}

static bool still_fenced_by_peer(const struct rejoin_facts *f)
{
	return still_fenced(f) && !liftable(f) && f->peer == SERVER_STANDBY;
}

static bool still_fenced_until_word(const struct rejoin_facts *f)
{
	return still_fenced(f) && !liftable(f);
}

static bool no_primary(const struct rejoin_facts *f)
{
	return standby(f) && f->peer != SERVER_PRIMARY;
}

static bool recovery_signal(const struct rejoin_facts *f)
{
	return f->form == PGDATA_RECOVERY;
}

static const struct rejoin_rule rules[] = {
	{ local_silent, STEP_VERDICT,
	  UNKNOWN("local-silent", "it cannot be told what the local server does",
		  "is it frozen, or does the role's password differ? see its log") },
	{ local_refuses, STEP_VERDICT,
	  UNKNOWN("local-refuses", "the local server runs, and refuses the role of the helpers",
		  "\"check_primary -v\" says what mends it") },
	{ directory_unreadable, STEP_VERDICT,
	  UNKNOWN("directory-unreadable", "the data directory cannot be read",
		  "is it run by root, and is its file system mounted?") },
	{ swapping, STEP_SWAP,
	  INCOMPLETE("swap", "a new copy is whole, and has not taken its place yet", NULL) },
	{ new_copy, STEP_REBUILD,
	  INCOMPLETE("rebuild-by-hand", "a person said that this node takes a new copy", NULL) },
	{ directory_missing, STEP_VERDICT,
	  REFUSED("directory-missing", "there is no data directory",
		  "is its file system mounted? if there never was one, \"rejoin --rebuild\" "
		  "takes a copy of the primary") },
	{ recovery_signal, STEP_VERDICT,
	  REFUSED("recovery-signal",
		  "recovery.signal is there: somebody is restoring this data directory",
		  "finish it, or remove recovery.signal") },
	{ wrong_version, STEP_VERDICT,
	  REFUSED("wrong-version", "the data directory is not of the configured major version",
		  "set version, bin_dir and data_dir in [postgresql]") },
	{ wrong_system, STEP_VERDICT,
	  REFUSED("wrong-system",
		  "the data directory and the other node's server are of different clusters",
		  "look at data_dir and at the addresses; if what is here is not wanted any "
		  "more, \"rejoin --rebuild --discard=SYSTEM_IDENTIFIER\"") },
	{ port_taken, STEP_VERDICT,
	  REFUSED("port-taken", "a server of another data directory has the configured port",
		  "set data_dir, port and socket_dir in [postgresql]") },
	{ single_user, STEP_VERDICT,
	  REFUSED("single-user", "somebody has the data directory open in single-user mode",
		  NULL) },
	{ orphans, STEP_CLEAR,
	  UNKNOWN("orphans", "backends are left whose postmaster is dead", NULL) },
	{ starting, STEP_WAIT,
	  UNKNOWN("local-starting", "the local server is starting up or shutting down", NULL) },
	{ newer_primary, STEP_VERDICT,
	  REFUSED("two-primaries-newer", "both nodes run a primary, and this is the newer one",
		  "the other node fences itself and comes back; is its guard running?") },
	{ second_primary, STEP_VERDICT,
	  REFUSED("two-primaries-older", "both nodes run a primary, and this is not the newer one",
		  "fence_self must end it first; is the guard running?") },
	{ fenced_primary, STEP_VERDICT,
	  REFUSED("fenced-primary", "a primary runs on a node that was fenced",
		  "fence_self must end it first; is the guard running?") },
	{ primary, STEP_VERDICT, YES("primary", "this node is the primary: nothing to do", NULL) },
	{ lifted, STEP_LIFT,
	  INCOMPLETE("lift", "a person says that this standby may serve again", NULL) },
	{ fenced_holder, STEP_VERDICT,
	  REFUSED("fenced-holder",
		  "this standby holds the term of the record, so nobody else may serve, and it was "
		  "fenced",
		  "if it may serve again, \"rejoin --lift-fence\" takes the fence away") },
	{ holder, STEP_VERDICT,
	  REFUSED("to-be-promoted",
		  "this standby holds the term of the record: it is to be promoted, and follows "
		  "nobody until then",
		  "\"promote_safe --by-hand\" does it, where the guard does not") },
	{ promoting, STEP_VERDICT,
	  REFUSED("promotion-under-way", "promote_safe is at work on this node", NULL) },
	{ misled, STEP_RESTORE,
	  INCOMPLETE("wrong-upstream", "the standby does not follow the other node", NULL) },
	{ replay_at_target, STEP_VERDICT,
	  REFUSED("replay-at-target",
		  "this standby has stopped its replay at a recovery target, left behind by a "
		  "restore",
		  "remove the setting (one of ALTER SYSTEM by ALTER SYSTEM RESET) and restart this "
		  "server; do not resume its replay: that would promote it",
		  .id = RULE_REPLAY_AT_TARGET) },
	{ streaming, STEP_FINISH,
	  YES("streaming", "this node is a standby and streams from the primary", NULL) },
	{ replay_paused, STEP_VERDICT,
	  REFUSED("replay-paused", "somebody paused the replay of this standby, it is left alone",
		  "SELECT pg_wal_replay_resume(); but where a recovery target is set that would "
		  "promote it") },
	{ still_fenced_by_peer, STEP_VERDICT,
	  INCOMPLETE("still-fenced",
		     "the standby runs, and stays fenced until it streams from the other node",
		     "the other node had it fenced, so that one is to serve: \"promote_safe "
		     "--by-hand\" there says what it lacks") },
	{ still_fenced_until_word, STEP_VERDICT,
	  INCOMPLETE("still-fenced",
		     "the standby runs, and stays fenced until it streams from the other node",
		     "start the other node; if that host is switched off, \"rejoin "
		     "--assume-peer-down=NODE\" takes the fence away") },
	{ still_fenced, STEP_VERDICT,
	  INCOMPLETE("still-fenced",
		     "the standby runs, and stays fenced until it streams from the other node",
		     "the other node does not answer as a primary; if this one may serve again, "
		     "\"rejoin --lift-fence\" takes the fence away") },
	{ no_primary, STEP_VERDICT,
	  YES("no-primary", "this node is a standby; no primary answers that it could stream from",
	      NULL) },
};

RULES_PART(rejoin_rules_running, rules);
