/* SPDX-License-Identifier: PostgreSQL */
#include "promote/promote_rules.h"

#include "base/auto.h"
#include "base/rules.h"

static bool local_silent(const struct promote_facts *f)
{
	return f->local == SERVER_UNKNOWN ||
	       (f->local == SERVER_STANDBY && f->rights == FACT_UNKNOWN);
}

static bool local_refuses(const struct promote_facts *f)
{
	return f->local == SERVER_REFUSES;
}

static bool local_primary(const struct promote_facts *f)
{
	return f->local == SERVER_PRIMARY;
}

static bool local_no_standby(const struct promote_facts *f)
{
	return f->local != SERVER_STANDBY;
}

static bool fence_unknown(const struct promote_facts *f)
{
	return f->fenced != FACT_NO && f->fenced != FACT_YES;
}

static bool fenced(const struct promote_facts *f)
{
	return f->fenced == FACT_YES;
}

static bool peer_serves(const struct promote_facts *f)
{
	return f->peer_is_primary == FACT_YES || f->fence == FENCE_ALIVE;
}

static bool peer_standby(const struct promote_facts *f)
{
	return f->peer_is_standby == FACT_YES && !f->by_hand;
}

/* The peer was let start by our vote, or is about to be down: either way the next look knows
 * more.  To end a recovery half-way would only throw its work away. */
static bool peer_starting(const struct promote_facts *f)
{
	return f->peer_is_starting == FACT_YES && f->fence != FENCE_FENCED && !f->by_hand;
}

static bool keepalived_gone(const struct promote_facts *f)
{
	return f->keepalived_alive != FACT_YES && !f->by_hand;
}

static bool not_master(const struct promote_facts *f)
{
	return f->election_master != FACT_YES && !f->by_hand;
}

/* Its own guard would give it no lease. */
static bool watchdog_missing(const struct promote_facts *f)
{
	return f->watchdog_missing;
}

static bool replay_paused(const struct promote_facts *f)
{
	return f->replay_paused != FACT_NO;
}

/* The term would be taken, and nobody be a primary. */
static bool unwritable(const struct promote_facts *f)
{
	return f->unwritable;
}

static bool restore_hangs(const struct promote_facts *f)
{
	return f->restore_hangs;
}

/* A person asked for it, so it is not for us to end it; what is replayed already may go on. */
static bool delayed(const struct promote_facts *f)
{
	return f->delayed && f->replayed != FACT_YES;
}

/* Else the old primary would be fenced for a takeover that cannot be. */
static bool rights_missing(const struct promote_facts *f)
{
	return f->rights == FACT_NO;
}

/* With a record its holder says which standby is good enough, by "paired"; but what it wrote may
 * have come late to the witness. */
static bool too_far_behind(const struct promote_facts *f)
{
	return f->has_record ? f->behind : f->fresh_enough != FACT_YES;
}

/* Its guard, if any, would not end it: nothing that is waited for says that it has ended. */
static bool unleased(const struct promote_facts *f)
{
	return !f->has_record && f->peer_unleased && !f->peer_down_by_operator;
}

static bool unfenced(const struct promote_facts *f)
{
	return f->fence != FENCE_FENCED;
}

static bool witness_unseen(const struct promote_facts *f)
{
	if (f->has_record)
		return f->trust == RECORD_SILENT;
	return f->witness_seen != FACT_YES && !f->peer_down_by_operator;
}

static bool good_record(const struct promote_facts *f)
{
	return f->has_record && f->trust == RECORD_GOOD;
}

static bool released(const struct promote_facts *f)
{
	return good_record(f) && f->record_released && !f->record_ours;
}

/* The peer lives, and may be the primary, unless its right to be has ended for certain. */
static bool peer_refuses(const struct promote_facts *f)
{
	return f->peer_refuses && f->fence != FENCE_FENCED && !released(f) && !f->by_hand;
}

static bool record_untrusted(const struct promote_facts *f)
{
	return f->has_record && f->trust != RECORD_GOOD &&
	       !(f->override && record_replaceable(f->trust));
}

static bool solo(const struct promote_facts *f)
{
	return good_record(f) && !f->record_ours && !f->record_paired && !f->override;
}

static bool paused(const struct promote_facts *f)
{
	return f->paused && !f->override && (!f->has_record || (good_record(f) && !f->record_ours));
}

/* Two writes could have been under way when the vote was withdrawn; more than one means that
 * somebody goes on. */
static bool primary_renews(const struct promote_facts *f)
{
	return good_record(f) && !f->record_ours && !released(f) && f->withdrawn == FACT_YES &&
	       f->record_renewed && unfenced(f);
}

static bool vote_not_withdrawn(const struct promote_facts *f)
{
	return f->withdrawn != FACT_YES;
}

/*
 * The holder has a lease by our vote, at most since it was withdrawn; and by the record, at most
 * since it was written last.  A person's word is about the host, so it answers both; what this node
 * holds itself was renewed by nobody else.
 */
static bool record_may_run(const struct promote_facts *f)
{
	return f->has_record && !f->record_ours && !f->override && f->record_still != FACT_YES;
}

static bool lease_may_run(const struct promote_facts *f)
{
	if (!unfenced(f) || released(f))
		return false;
	return f->waited != FACT_YES || record_may_run(f);
}

/* After the wait: is there any other ground to believe that the old primary does not serve? */
static bool unproven(const struct promote_facts *f)
{
	return !f->has_record && unfenced(f) && f->fence != FENCE_ISOLATED &&
	       !f->peer_down_by_operator;
}

static bool fence_under_way(const struct promote_facts *f)
{
	return unproven(f) && !f->fence_over;
}

/*
 * A host that is switched off was not asked whether it serves by right.  So this comes when nobody
 * could ask it, its vote is gone, the wait is over, and the witness is seen from here.
 */
static bool not_switched_off(const struct promote_facts *f)
{
	return unproven(f) && f->power_left;
}

static bool proof_required(const struct promote_facts *f)
{
	return unproven(f) && !f->unproven_promote;
}

static bool peer_not_probed(const struct promote_facts *f)
{
	return unproven(f) && f->no_sign_of_life == FACT_UNKNOWN;
}

static bool sign_of_life(const struct promote_facts *f)
{
	return unproven(f) && f->no_sign_of_life != FACT_YES;
}

static bool held(const struct promote_facts *f)
{
	return f->held && f->replayed != FACT_YES;
}

static bool restoring(const struct promote_facts *f)
{
	return f->restoring && f->replayed != FACT_YES;
}

static bool unreplayed(const struct promote_facts *f)
{
	return f->replayed != FACT_YES;
}

static const struct rule {
	bool (*holds)(const struct promote_facts *f);
	enum promote_step step;
	struct verdict verdict;
} rules[] = {
	{ local_silent, STEP_VERDICT,
	  UNKNOWN("local-silent", "the local server did not answer in time", NULL) },
	{ local_refuses, STEP_VERDICT,
	  REFUSED("local-refuses",
		  "the local server lives and refuses the role of the helpers, so nobody could ask "
		  "it to become a primary",
		  "the detail says what mends it; on the primary, as a superuser") },
	{ fence_unknown, STEP_VERDICT,
	  UNKNOWN("fence-unknown", "it cannot be told whether this node is fenced",
		  "is state_dir there, and is its file system mounted?") },
	{ fenced, STEP_VERDICT,
	  REFUSED("fenced", "this node is fenced",
		  "\"rejoin\" brings it back beside a primary, and says here what else would") },
	{ local_primary, STEP_VERDICT,
	  YES("already-primary", "this node is a primary already", NULL,
	      .id = RULE_ALREADY_PRIMARY) },
	{ local_no_standby, STEP_VERDICT,
	  REFUSED("no-standby", "the local server is not a running standby",
		  "\"rejoin --explain\" says why") },
	{ peer_serves, STEP_VERDICT,
	  REFUSED("peer-serves", "the other node is a primary and alive",
		  "no failover is needed; \"switchover\" on that node moves the primary") },
	{ peer_standby, STEP_VERDICT,
	  REFUSED("two-standbys",
		  "the other node is a standby too: which of them is newer is for a person to say",
		  "compare both in \"cluster_status\", then \"promote_safe --by-hand\" on the "
		  "newer one") },
	{ peer_starting, STEP_VERDICT,
	  REFUSED("peer-starting", "the other node's server is starting up or shutting down",
		  "it is looked at again; --by-hand does not wait for it",
		  .id = RULE_PEER_STARTING) },
	{ peer_refuses, STEP_VERDICT,
	  REFUSED("peer-refuses-us",
		  "the other node's server lives and refuses the role of the helpers, so it may "
		  "well be the primary",
		  "\"cluster_status\" says what it answers and what mends that") },
	{ keepalived_gone, STEP_VERDICT,
	  REFUSED("keepalived-gone",
		  "keepalived does not run here, so the virtual address could not follow",
		  "start keepalived, or use --by-hand") },
	{ not_master, STEP_VERDICT,
	  REFUSED("not-master", "this node is not MASTER of the VRRP election", NULL) },
	{ watchdog_missing, STEP_VERDICT,
	  REFUSED("watchdog-missing",
		  "a watchdog is required, and this node has none that could be armed",
		  "does the guard run? its log says why; load the driver, or say watchdog = "
		  "automatic") },
	{ replay_paused, STEP_VERDICT,
	  REFUSED("replay-paused", "replay is paused on this standby",
		  "SELECT pg_wal_replay_resume(); but where a recovery target is set that would "
		  "promote it") },
	{ unwritable, STEP_VERDICT,
	  REFUSED("unwritable",
		  "the server's user cannot write where a promotion has to: pg_wal, or beside "
		  "pg_control",
		  "the detail names it: is its file system full, or read-only?",
		  .id = RULE_UNWRITABLE) },
	{ restore_hangs, STEP_VERDICT,
	  REFUSED("restore-hangs",
		  "restore_command does not end, and a promotion would wait for it",
		  "mend it, or ALTER SYSTEM SET restore_command = '' and a reload; one that is at "
		  "work already has to be waited for") },
	{ delayed, STEP_VERDICT,
	  REFUSED("apply-delay",
		  "recovery_min_apply_delay holds back what this standby has received",
		  "ALTER SYSTEM RESET recovery_min_apply_delay, or take it out of its file, and a "
		  "reload; it is tried again by itself") },
	{ rights_missing, STEP_VERDICT,
	  REFUSED("rights-missing",
		  "the role lacks a right that a takeover needs, so there is none",
		  "start the other node and run there what \"cluster_config sql\" prints") },
	{ too_far_behind, STEP_VERDICT,
	  REFUSED("too-far-behind",
		  "this standby may be too far behind the last state of the primary",
		  "see max_lag and max_staleness in [replication]; an operator may decide "
		  "otherwise by --accept-loss=LSN, with what was received") },
	{ unleased, STEP_VERDICT,
	  REFUSED(
	      "unpaired",
	      "the other node was not seen to be held to a lease, so nothing ends its right",
	      "\"check_primary -v\" on both nodes; if it is lost for good, switch it off and run "
	      "\"promote_safe --assume-peer-down=NAME\"") },
	{ witness_unseen, STEP_VERDICT,
	  REFUSED("witness-unseen",
		  "the witness is not seen from here, so this node may be the one that is cut off",
		  "it is tried again when the witness is back", .id = RULE_WITNESS_UNSEEN) },
	{ record_untrusted, STEP_VERDICT,
	  REFUSED("record-untrusted", "the record at the witness cannot be trusted", NULL,
		  .id = RULE_RECORD_UNTRUSTED) },
	{ solo, STEP_VERDICT,
	  REFUSED("solo",
		  "the record says that only the other node may serve: this standby was away, "
		  "or too far behind",
		  "bring the other node back, its \"rejoin\" says how; if it is lost for good, "
		  "switch it off and run "
		  "\"promote_safe --assume-peer-down=NAME --accept-loss=LSN\", with what was "
		  "received") },
	{ paused, STEP_VERDICT,
	  REFUSED("paused", "an operator paused failover",
		  "\"resume\" makes it possible again, also for a takeover by hand") },
	{ primary_renews, STEP_VERDICT,
	  REFUSED("primary-renews",
		  "the other node renews the record: it serves, though it is not to be seen "
		  "from here",
		  NULL) },
	{ vote_not_withdrawn, STEP_WITHDRAW,
	  INCOMPLETE("vote-not-withdrawn", "the vote for the old primary has to be withdrawn first",
		     NULL) },
	{ lease_may_run, STEP_WAIT,
	  REFUSED("lease-may-run",
		  "the lease of the old primary may still run, and it is not proven fenced",
		  NULL) },
	{ fence_under_way, STEP_WAIT,
	  REFUSED("fence-under-way", "no proof yet that the old primary is fenced or isolated",
		  NULL) },
	{ not_switched_off, STEP_POWER,
	  REFUSED("not-switched-off",
		  "the old primary could not be asked, and was not switched off yet", NULL) },
	{ proof_required, STEP_VERDICT,
	  REFUSED("unproven", "nothing proves that the old primary is fenced or isolated",
		  "switch it off and run \"promote_safe --assume-peer-down=NAME\"") },
	{ peer_not_probed, STEP_PROBE,
	  REFUSED("peer-not-probed", "it is not known whether the old primary shows a sign of life",
		  NULL) },
	{ sign_of_life, STEP_VERDICT,
	  REFUSED("sign-of-life", "the old primary shows a sign of life and is not proven fenced",
		  "switch it off and run \"promote_safe --assume-peer-down=NAME\"") },
	{ held, STEP_CLEAR,
	  REFUSED("replay-held", "sessions of this standby hold up replay", NULL) },
	{ restoring, STEP_WAIT,
	  REFUSED("restoring", "restore_command is at work, and a promotion would wait for it",
		  "ps shows it below the server's startup process") },
	{ unreplayed, STEP_WAIT, REFUSED("unreplayed", "received WAL is not replayed yet", NULL) },
	{ RULE_ALWAYS, STEP_PROMOTE, YES("promote", "every rule permits the promotion", NULL) },
};

RULES(promote_rules, rules);

enum promote_step promote_decide(const struct promote_facts *f, struct verdict *verdict)
{
	const struct verdict *said = rules_decide(promote_rules, f);

	*verdict = *said;
	return RULE_OF(struct rule, said)->step;
}

void promote_explain(const struct promote_facts *f, FILE *out)
{
	rules_explain(promote_rules, f, NULL, out);
}
