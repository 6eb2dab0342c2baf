/* SPDX-License-Identifier: PostgreSQL */
#include "serve/duty_rules.h"

#include "base/auto.h"

static bool good(const struct duty_facts *f)
{
	return f->trust == RECORD_GOOD;
}

/* ---- the row is not good, or not ours ---- */

/* Who serves by right knows better than a witness that was wiped or restored. */
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

/* A paired row promises that the other node has what was acknowledged. */
static bool promise_broken(const struct duty_facts *f)
{
	return f->paired &&
	       (f->paused || f->lost == FACT_YES || (f->mode_sync && f->sync_on != FACT_YES) ||
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

static bool starting(const struct duty_facts *f)
{
	return f->starting;
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

static bool always(const struct duty_facts *f)
{
	(void)f;
	return true;
}

static const struct rule {
	bool (*holds)(const struct duty_facts *f);
	enum duty_step step;
} rules[] = {
	{ replace, DUTY_CREATE },
	{ doubtful, DUTY_NOTHING },
	{ not_holder, DUTY_FENCE },
	{ released, DUTY_NOTHING },
	{ stamped, DUTY_UNSTAMP },
	{ renew_only, DUTY_RENEW },
	{ no_more, DUTY_NOTHING },
	{ promise_broken, DUTY_GO_SOLO },
	{ renew, DUTY_RENEW },
	{ paired, DUTY_NOTHING },
	{ unstamped, DUTY_GO_SOLO },
	{ starting, DUTY_NOTHING },
	{ wait_for_nobody, DUTY_SYNC_OFF },
	{ stay_solo, DUTY_NOTHING },
	{ pair_async, DUTY_PAIR },
	{ too_far_yet, DUTY_NOTHING },
	{ sync_off, DUTY_SYNC_ON },
	{ unsettled, DUTY_NOTHING },
	{ untargeted, DUTY_TARGET },
	{ reached, DUTY_PAIR },
	{ always, DUTY_NOTHING },
};

enum duty_step duty_decide(const struct duty_facts *f)
{
	const struct rule *rule = rules;

	while (!rule->holds(f))
		rule++; /* ends: the last rule always holds */
	return rule->step;
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
