/* SPDX-License-Identifier: PostgreSQL */
#include "promote/promote_rules.h"

#include "base/auto.h"

static bool local_silent(const struct promote_facts *f)
{
	return f->local == SERVER_UNKNOWN ||
	       (f->local == SERVER_STANDBY && f->rights == FACT_UNKNOWN);
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

/*
 * It was let start by our vote, or is about to be down: either way the next look knows more.  To
 * end a recovery half-way would only throw its work away.
 */
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

/* Else the old primary would be fenced for a takeover that cannot be. */
static bool rights_missing(const struct promote_facts *f)
{
	return f->rights == FACT_NO;
}

/* With a record its holder says which standby is good enough, by "paired"; but what it wrote may
 * have come late to the witness. */
static bool too_old(const struct promote_facts *f)
{
	return f->has_record ? f->behind : f->fresh_enough != FACT_YES;
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
	return good_record(f) && !f->record_ours && f->record_paused && !f->override;
}

/* Two writes could have been under way when the vote was withdrawn; more than one means that
 * somebody goes on. */
static bool primary_renews(const struct promote_facts *f)
{
	return good_record(f) && !f->record_ours && !f->record_released &&
	       f->withdrawn == FACT_YES && f->record_renewed && unfenced(f);
}

static bool vote_stands(const struct promote_facts *f)
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
	if (!unfenced(f) || (good_record(f) && f->record_released && !f->record_ours))
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
static bool power_left(const struct promote_facts *f)
{
	return unproven(f) && f->power_left;
}

static bool proof_required(const struct promote_facts *f)
{
	return unproven(f) && !f->unproven_promote;
}

static bool not_probed(const struct promote_facts *f)
{
	return unproven(f) && f->no_sign_of_life == FACT_UNKNOWN;
}

static bool sign_of_life(const struct promote_facts *f)
{
	return unproven(f) && f->no_sign_of_life != FACT_YES;
}

static bool unreplayed(const struct promote_facts *f)
{
	return f->replayed != FACT_YES;
}

static bool always(const struct promote_facts *f)
{
	(void)f;
	return true;
}

static const struct rule {
	bool (*holds)(const struct promote_facts *f);
	enum promote_step step;
	struct verdict verdict;
} rules[] = {
	{ local_silent,
	  STEP_VERDICT,
	  { .outcome = OUT_UNKNOWN,
	    .rule = "local-silent",
	    .message = "the local server did not answer in time" } },
	{ fence_unknown,
	  STEP_VERDICT,
	  { .outcome = OUT_UNKNOWN,
	    .rule = "fence-unknown",
	    .message = "it cannot be told whether this node is fenced",
	    .hint = "is state_dir there, and is its file system mounted?" } },
	{ fenced,
	  STEP_VERDICT,
	  { .outcome = OUT_REFUSED,
	    .rule = "fenced",
	    .message = "this node is fenced",
	    .hint = "\"rejoin\" brings it back as a standby" } },
	{ local_primary,
	  STEP_VERDICT,
	  { .outcome = OUT_YES,
	    .rule = "already-primary",
	    .message = "this node is a primary already" } },
	{ local_no_standby,
	  STEP_VERDICT,
	  { .outcome = OUT_REFUSED,
	    .rule = "no-standby",
	    .message = "the local server is not a running standby",
	    .hint = "\"rejoin --explain\" says what is the matter with it" } },
	{ peer_serves,
	  STEP_VERDICT,
	  { .outcome = OUT_REFUSED,
	    .rule = "peer-serves",
	    .message = "the other node is a primary and alive",
	    .hint = "nothing is wrong with it that a failover would mend" } },
	{ peer_standby,
	  STEP_VERDICT,
	  { .outcome = OUT_REFUSED,
	    .rule = "two-standbys",
	    .message =
		"the other node is a standby too: which of them is newer is for a person to say",
	    .hint = "compare both in \"cluster_status\", then \"promote_safe --by-hand\" on the "
		    "newer one" } },
	{ peer_starting,
	  STEP_VERDICT,
	  { .outcome = OUT_REFUSED,
	    .rule = "peer-starting",
	    .message = "the other node's server is starting up or shutting down",
	    .hint = "it is looked at again; --by-hand does not wait for it" } },
	{ keepalived_gone,
	  STEP_VERDICT,
	  { .outcome = OUT_REFUSED,
	    .rule = "keepalived-gone",
	    .message = "keepalived does not run here, so the virtual address could not follow",
	    .hint = "start keepalived, or use --by-hand" } },
	{ not_master,
	  STEP_VERDICT,
	  { .outcome = OUT_REFUSED,
	    .rule = "not-master",
	    .message = "this node is not MASTER of the VRRP election" } },
	{ watchdog_missing,
	  STEP_VERDICT,
	  { .outcome = OUT_REFUSED,
	    .rule = "watchdog-missing",
	    .message = "a watchdog is required, and this node has none that could be armed",
	    .hint = "does the guard run? its log says why; load the driver, or say watchdog = "
		    "automatic" } },
	{ replay_paused,
	  STEP_VERDICT,
	  { .outcome = OUT_REFUSED,
	    .rule = "replay-paused",
	    .message = "replay is paused on this standby",
	    .hint = "SELECT pg_wal_replay_resume()" } },
	{ rights_missing,
	  STEP_VERDICT,
	  { .outcome = OUT_REFUSED,
	    .rule = "rights-missing",
	    .message = "the role lacks a right that a takeover needs, so there is none",
	    .hint = "start the other node and run there what \"cluster_config sql\" prints" } },
	{ too_old,
	  STEP_VERDICT,
	  { .outcome = OUT_REFUSED,
	    .rule = "too-old",
	    .message = "this standby may be too far behind the last state of the primary",
	    .hint = "see max_lag and max_staleness in [replication]; an operator may decide "
		    "otherwise by --accept-loss=LSN, with what was received" } },
	{ witness_unseen,
	  STEP_VERDICT,
	  { .outcome = OUT_REFUSED,
	    .rule = "witness-unseen",
	    .message =
		"the witness is not seen from here, so this node may be the one that is cut off",
	    .hint = "it is tried again when the witness is back" } },
	{ record_untrusted,
	  STEP_VERDICT,
	  { .outcome = OUT_REFUSED,
	    .rule = "record-untrusted",
	    .message = "the record at the witness is not one to go by" } },
	{ solo,
	  STEP_VERDICT,
	  { .outcome = OUT_REFUSED,
	    .rule = "solo",
	    .message = "the record says that only the other node may serve: this standby was away, "
		       "or too far behind",
	    .hint = "start the other node; if it is lost for good, switch it off and run "
		    "\"promote_safe --assume-peer-down=NAME --accept-loss=LSN\", with what was "
		    "received" } },
	{ paused,
	  STEP_VERDICT,
	  { .outcome = OUT_REFUSED,
	    .rule = "paused",
	    .message = "an operator paused failover",
	    .hint = "\"witness_record --resume\" makes it possible again" } },
	{ primary_renews,
	  STEP_VERDICT,
	  { .outcome = OUT_REFUSED,
	    .rule = "primary-renews",
	    .message = "the other node renews the record: it serves, though it is not to be seen "
		       "from here" } },
	{ vote_stands,
	  STEP_WITHDRAW,
	  { .outcome = OUT_INCOMPLETE,
	    .rule = "vote-stands",
	    .message = "the vote for the old primary has to be withdrawn first" } },
	{ lease_may_run,
	  STEP_WAIT,
	  { .outcome = OUT_REFUSED,
	    .rule = "lease-may-run",
	    .message =
		"the lease of the old primary may still run, and it is not proven fenced" } },
	{ fence_under_way,
	  STEP_WAIT,
	  { .outcome = OUT_REFUSED,
	    .rule = "fence-under-way",
	    .message = "no proof yet that the old primary is fenced or isolated" } },
	{ power_left,
	  STEP_POWER,
	  { .outcome = OUT_REFUSED,
	    .rule = "power-left",
	    .message = "the old primary could not be asked, and was not switched off yet" } },
	{ proof_required,
	  STEP_VERDICT,
	  { .outcome = OUT_REFUSED,
	    .rule = "unproven",
	    .message = "nothing proves that the old primary is fenced or isolated",
	    .hint = "switch it off and run \"promote_safe --assume-peer-down=NAME\"" } },
	{ not_probed,
	  STEP_PROBE,
	  { .outcome = OUT_REFUSED,
	    .rule = "not-probed",
	    .message = "it is not known whether the old primary shows a sign of life" } },
	{ sign_of_life,
	  STEP_VERDICT,
	  { .outcome = OUT_REFUSED,
	    .rule = "sign-of-life",
	    .message = "the old primary shows a sign of life and is not proven fenced",
	    .hint = "switch it off and run \"promote_safe --assume-peer-down=NAME\"" } },
	{ unreplayed,
	  STEP_WAIT,
	  { .outcome = OUT_REFUSED,
	    .rule = "unreplayed",
	    .message = "received WAL is not replayed yet" } },
	{ always,
	  STEP_PROMOTE,
	  { .outcome = OUT_YES,
	    .rule = "promote",
	    .message = "every rule permits the promotion" } },
};

enum promote_step promote_decide(const struct promote_facts *f, struct verdict *verdict)
{
	const struct rule *rule = rules;

	while (!rule->holds(f))
		rule++; /* ends: the last rule always holds */
	*verdict = rule->verdict;
	return rule->step;
}

void promote_explain(const struct promote_facts *f, FILE *out)
{
	bool decided = false;

	for (size_t i = 0; i < ARRAY_COUNT(rules); i++) {
		bool holds = rules[i].holds(f);

		fprintf(out, "%-16s %-9s %s\n", rules[i].verdict.rule,
			decided  ? "-"
			: !holds ? "passed"
				 : "DECIDES",
			rules[i].verdict.message);
		decided = decided || holds;
	}
}
