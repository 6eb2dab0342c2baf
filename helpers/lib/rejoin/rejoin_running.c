/* SPDX-License-Identifier: PostgreSQL */
/* The first part of the rules: what holds in every state, and for a server that runs. */
#include "rejoin/rejoin_table.h"

static bool local_silent(const struct rejoin_facts *f)
{
	return f->local == LOCAL_UNKNOWN || f->local >= LOCALS;
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

static bool still_fenced(const struct rejoin_facts *f)
{
	return standby(f) && f->peer != SERVER_PRIMARY && f->fenced != FACT_NO;
}

static bool no_primary(const struct rejoin_facts *f)
{
	return standby(f) && f->peer != SERVER_PRIMARY;
}

static bool recovery_signal(const struct rejoin_facts *f)
{
	return f->form == PGDATA_RECOVERY;
}

const struct rejoin_rule rejoin_rules_running[] = {
	{ local_silent,
	  STEP_VERDICT,
	  { .outcome = OUT_UNKNOWN,
	    .rule = "local-silent",
	    .message = "it cannot be told what the local server does",
	    .hint = "is it frozen, or does the role's password differ? see its log" } },
	{ directory_unreadable,
	  STEP_VERDICT,
	  { .outcome = OUT_UNKNOWN,
	    .rule = "directory-unreadable",
	    .message = "the data directory cannot be read",
	    .hint = "is it run by root, and is its file system mounted?" } },
	{ swapping,
	  STEP_SWAP,
	  { .outcome = OUT_INCOMPLETE,
	    .rule = "swap",
	    .message = "a new copy is whole, and has not taken its place yet" } },
	{ new_copy,
	  STEP_REBUILD,
	  { .outcome = OUT_INCOMPLETE,
	    .rule = "rebuild-by-hand",
	    .message = "a person said that this node takes a new copy" } },
	{ directory_missing,
	  STEP_VERDICT,
	  { .outcome = OUT_REFUSED,
	    .rule = "directory-missing",
	    .message = "there is no data directory",
	    .hint = "is its file system mounted? if there never was one, \"rejoin --rebuild\" "
		    "takes a copy of the primary" } },
	{ recovery_signal,
	  STEP_VERDICT,
	  { .outcome = OUT_REFUSED,
	    .rule = "recovery-signal",
	    .message = "recovery.signal is there: somebody is restoring this data directory",
	    .hint = "finish it, or remove recovery.signal" } },
	{ wrong_version,
	  STEP_VERDICT,
	  { .outcome = OUT_REFUSED,
	    .rule = "wrong-version",
	    .message = "the data directory is not of the configured major version",
	    .hint = "set version, bin_dir and data_dir in [postgresql]" } },
	{ wrong_system,
	  STEP_VERDICT,
	  { .outcome = OUT_REFUSED,
	    .rule = "wrong-system",
	    .message = "the data directory and the other node's server are of different clusters",
	    .hint = "look at data_dir and at the addresses; if what is here is not wanted any "
		    "more, \"rejoin --rebuild --discard=SYSTEM_IDENTIFIER\"" } },
	{ port_taken,
	  STEP_VERDICT,
	  { .outcome = OUT_REFUSED,
	    .rule = "port-taken",
	    .message = "a server of another data directory has the configured port",
	    .hint = "set data_dir, port and socket_dir in [postgresql]" } },
	{ single_user,
	  STEP_VERDICT,
	  { .outcome = OUT_REFUSED,
	    .rule = "single-user",
	    .message = "somebody has the data directory open in single-user mode" } },
	{ orphans,
	  STEP_CLEAR,
	  { .outcome = OUT_UNKNOWN,
	    .rule = "orphans",
	    .message = "backends are left whose postmaster is dead" } },
	{ starting,
	  STEP_WAIT,
	  { .outcome = OUT_UNKNOWN,
	    .rule = "local-starting",
	    .message = "the local server is starting up or shutting down" } },
	{ newer_primary,
	  STEP_VERDICT,
	  { .outcome = OUT_REFUSED,
	    .rule = "two-primaries-newer",
	    .message = "both nodes run a primary, and this is the newer one",
	    .hint = "the other node fences itself and comes back; is its guard running?" } },
	{ second_primary,
	  STEP_VERDICT,
	  { .outcome = OUT_REFUSED,
	    .rule = "two-primaries-older",
	    .message = "both nodes run a primary, and this is not the newer one",
	    .hint = "fence_self must end it first; is the guard running?" } },
	{ fenced_primary,
	  STEP_VERDICT,
	  { .outcome = OUT_REFUSED,
	    .rule = "fenced-primary",
	    .message = "a primary runs on a node that was fenced",
	    .hint = "fence_self must end it first; is the guard running?" } },
	{ primary,
	  STEP_VERDICT,
	  { .outcome = OUT_YES,
	    .rule = "primary",
	    .message = "this node is the primary: nothing to do" } },
	{ promoting,
	  STEP_VERDICT,
	  { .outcome = OUT_REFUSED,
	    .rule = "promotion-under-way",
	    .message = "promote_safe is at work on this node" } },
	{ misled,
	  STEP_RESTORE,
	  { .outcome = OUT_INCOMPLETE,
	    .rule = "misled",
	    .message = "the standby does not follow the other node" } },
	{ streaming,
	  STEP_FINISH,
	  { .outcome = OUT_YES,
	    .rule = "streaming",
	    .message = "this node is a standby and streams from the primary" } },
	{ replay_paused,
	  STEP_VERDICT,
	  { .outcome = OUT_REFUSED,
	    .rule = "replay-paused",
	    .message = "somebody paused the replay of this standby, it is left alone",
	    .hint = "SELECT pg_wal_replay_resume()" } },
	{ still_fenced,
	  STEP_VERDICT,
	  { .outcome = OUT_INCOMPLETE,
	    .rule = "still-fenced",
	    .message = "the standby runs, and stays fenced until it streams from the other node",
	    .hint = "the other node does not answer as a primary" } },
	{ no_primary,
	  STEP_VERDICT,
	  { .outcome = OUT_YES,
	    .rule = "no-primary",
	    .message = "this node is a standby; no primary answers that it could stream from" } },
	{ 0 },
};
