/* SPDX-License-Identifier: PostgreSQL */
#include "check/duty_rules.h"

#include "base/rules.h"

static bool good(const struct duty_facts *f)
{
	return f->trust == RECORD_GOOD;
}

/* ---- the row is not good, or not ours ---- */

/* A primary that serves by right knows better than a witness that was wiped or restored. */
static bool replace(const struct duty_facts *f)
{
	return record_replaceable(f->trust) && f->by_right == FACT_YES && !f->starting;
}

static bool doubtful(const struct duty_facts *f)
{
	return !good(f);
}

static bool not_holder(const struct duty_facts *f)
{
	return !f->holder;
}

/* Only what starts a server by right takes the release back: rejoin. */
static bool released(const struct duty_facts *f)
{
	return f->released;
}

/* ---- paired ---- */

/* A pairing whose answer was not seen may have been done long after. */
static bool stamped(const struct duty_facts *f)
{
	return f->paired && f->solo_stamp;
}

static bool renew_only(const struct duty_facts *f)
{
	return f->starting && f->paired && !f->renewed;
}

static bool no_more(const struct duty_facts *f)
{
	return f->starting && f->paired;
}

/*
 * A paired row promises that the other node has what was acknowledged.  Of a server that refuses us
 * nobody knows whether it waits, or how far the other one is behind.
 */
static bool promise_broken(const struct duty_facts *f)
{
	return f->paired && (f->refuses || f->paused || f->lost == FACT_YES ||
			     (f->mode_sync && f->sync_on != FACT_YES) ||
			     (!f->mode_sync && f->too_far == FACT_YES));
}

static bool renew(const struct duty_facts *f)
{
	return f->paired && !f->renewed;
}

static bool paired(const struct duty_facts *f)
{
	return f->paired;
}

/* ---- solo ---- */

/*
 * To have read "solo" is not enough to serve without a lease: a pairing sent before may still be on
 * its way.  A write of our own, answered, makes it come too late.
 */
static bool unstamped(const struct duty_facts *f)
{
	return !f->solo_stamp;
}

static bool deaf(const struct duty_facts *f)
{
	return f->starting || f->refuses;
}

/* Nobody waits for a standby that is not there. */
static bool wait_for_nobody(const struct duty_facts *f)
{
	return f->mode_sync && f->sync_on != FACT_NO && (f->paused || f->follows == FACT_NO);
}

static bool stay_solo(const struct duty_facts *f)
{
	return f->paused || f->follows != FACT_YES;
}

static bool pair_async(const struct duty_facts *f)
{
	return !f->mode_sync && f->near == FACT_YES;
}

static bool too_far_yet(const struct duty_facts *f)
{
	return !f->mode_sync;
}

static bool sync_off(const struct duty_facts *f)
{
	return f->sync_on != FACT_YES;
}

static bool unsettled(const struct duty_facts *f)
{
	return f->sync_settled != FACT_YES;
}

static bool untargeted(const struct duty_facts *f)
{
	return !f->targeted;
}

static bool reached(const struct duty_facts *f)
{
	return f->reached == FACT_YES;
}

/* First rule that holds wins.  What it says is for --explain: the step is what follows. */
static const struct rule {
	bool (*holds)(const struct duty_facts *f);
	enum duty_step step;
	struct verdict verdict;
} rules[] = {
	{ replace, DUTY_CREATE,
	  INCOMPLETE("record-lost",
		     "this node serves by right, and the witness has no record to go by: a new one "
		     "is written",
		     NULL) },
	{ doubtful, DUTY_NOTHING,
	  UNKNOWN("record-untrusted",
		  "the record cannot be trusted, and is not for this node to replace",
		  "\"witness_record\" says why, and what mends it") },
	{ not_holder, DUTY_FENCE,
	  NO("not-holder", "the record gives the right to serve to the other node", NULL) },
	{ released, DUTY_NOTHING,
	  NO("released",
	     "this node has released its right to serve, and only a start by right takes that back",
	     NULL) },
	{ stamped, DUTY_UNSTAMP,
	  INCOMPLETE("stamped",
		     "the record says paired, so what this node keeps of \"solo\" is removed first",
		     NULL) },
	{ renew_only, DUTY_RENEW,
	  INCOMPLETE("starting-unrenewed",
		     "the server starts up, and the record has to be renewed meanwhile", NULL) },
	{ no_more, DUTY_NOTHING,
	  YES("starting-paired", "the server starts up, and the record is renewed", NULL) },
	{ promise_broken, DUTY_GO_SOLO,
	  INCOMPLETE(
	      "promise-broken",
	      "the standby is lost, too far behind, or not waited for, so it must not take over",
	      NULL) },
	{ renew, DUTY_RENEW, INCOMPLETE("unrenewed", "the record has to be renewed", NULL) },
	{ paired, DUTY_NOTHING,
	  YES("paired", "the record is renewed, and the standby may take over", NULL) },
	{ unstamped, DUTY_GO_SOLO,
	  INCOMPLETE("unstamped",
		     "the record says solo, and this node has not yet written that itself", NULL) },
	{ deaf, DUTY_NOTHING,
	  YES("solo-deaf",
	      "only this node may serve; its server cannot be asked, so it is not paired", NULL) },
	{ wait_for_nobody, DUTY_SYNC_OFF,
	  INCOMPLETE("waits-for-nobody", "commits would wait for a standby that is not there",
		     NULL) },
	{ stay_solo, DUTY_NOTHING,
	  YES("solo", "only this node may serve: takeovers are paused, or no standby follows",
	      NULL) },
	{ pair_async, DUTY_PAIR,
	  INCOMPLETE("near", "the standby is near enough to be paired", NULL) },
	{ too_far_yet, DUTY_NOTHING,
	  YES("too-far", "only this node may serve: the standby is still too far behind", NULL) },
	{ sync_off, DUTY_SYNC_ON,
	  INCOMPLETE("sync-off", "commits do not wait for the standby yet", NULL) },
	{ unsettled, DUTY_NOTHING,
	  YES("sync-unsettled",
	      "only this node may serve: some commits may not wait for the standby yet", NULL) },
	{ untargeted, DUTY_TARGET,
	  INCOMPLETE("untargeted",
		     "from now on every commit waits: the standby has to reach this position",
		     NULL) },
	{ reached, DUTY_PAIR,
	  INCOMPLETE("reached", "the standby has everything that was acknowledged", NULL) },
	{ RULE_ALWAYS, DUTY_NOTHING,
	  YES("unreached", "only this node may serve: the standby has not caught up yet", NULL) },
};
RULES(duty_rules, rules);

enum duty_step duty_decide(const struct duty_facts *f)
{
	return RULE_OF(struct rule, rules_decide(duty_rules, f))->step;
}

void duty_explain(const struct duty_facts *f, FILE *out)
{
	rules_explain(duty_rules, f, NULL, out);
	(void)fprintf(out, "next: %s\n", duty_word(duty_decide(f)));
}

const char *duty_word(enum duty_step step)
{
	static const char *const words[DUTY_STEPS] = {
		[DUTY_NOTHING] = "nothing to do",
		[DUTY_FENCE] = "fence this node",
		[DUTY_CREATE] = "write a new record",
		[DUTY_RENEW] = "renew the record",
		[DUTY_GO_SOLO] = "go solo",
		[DUTY_UNSTAMP] = "forget that the record said solo",
		[DUTY_SYNC_OFF] = "turn synchronous replication off",
		[DUTY_SYNC_ON] = "turn synchronous replication on",
		[DUTY_TARGET] = "note what the standby must reach",
		[DUTY_PAIR] = "pair with the standby",
	};

	return step < DUTY_STEPS ? words[step] : "unknown";
}
