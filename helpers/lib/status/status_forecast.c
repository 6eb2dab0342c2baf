/* SPDX-License-Identifier: PostgreSQL */
/*
 * If the primary died now.  The rules are those of promote_safe (promote_forecast.h); here its
 * facts are made of what cluster_status has seen.  Of a standby on the other node much cannot be
 * seen, and of this one a file may be unreadable, so it is asked more than once: with everything
 * that is not known as a takeover wants it, and with none of it.
 */
#include <stdarg.h>
#include <stdio.h>

#include "base/outcome.h"
#include "promote/promote_facts.h"
#include "promote/promote_forecast.h"
#include "status/status.h"

/* Which of the facts that are not known are taken to be as a takeover wants them. */
enum hope {
	HOPE_NONE,
	HOPE_THERE, /* those that only the standby's node can know, seen from the other one */
	HOPE_ALL,
};

struct view {
	const struct status *status;
	const struct cfg *cfg;
	const struct server *standby;
	const struct server *primary;
	bool here; /* the standby is this node's server */
	enum hope hope;
};

static enum fact seen(const struct view *v, enum fact fact, enum fact wanted)
{
	return fact == FACT_UNKNOWN && v->hope == HOPE_ALL ? wanted : fact;
}

/* The same of what only the standby's node can know. */
static enum fact known_there(const struct view *v, enum fact fact, enum fact wanted)
{
	if (v->here)
		return seen(v, fact, wanted);
	return v->hope == HOPE_NONE ? FACT_UNKNOWN : wanted;
}

/* A standby that streams notes in each round what it sees of its primary. */
static struct contact next_contact(const struct view *v)
{
	struct contact contact = v->status->contact;

	if (v->standby->receiving || !v->here) {
		contact.known = true;
		contact.streaming_ms = v->status->looked_ms > 0 ? v->status->looked_ms : 1;
	}
	if (v->primary->write_lsn > contact.primary_lsn || !v->here)
		contact.primary_lsn = v->primary->write_lsn;
	return contact;
}

static enum fact fresh(const struct view *v, const struct contact *contact)
{
	const enum fact fact =
	    promote_fresh_enough(v->cfg, contact, v->standby, v->status->looked_ms);

	/* Since when it has not streamed, only its own node knows. */
	if (fact == FACT_YES && !v->here && !v->standby->receiving)
		return known_there(v, FACT_UNKNOWN, FACT_YES);
	return fact;
}

static bool record_unknown(const struct view *v)
{
	const enum record_trust trust = v->status->record.trust;

	/* Only the node itself knows which rows of the record it has seen before. */
	if (!v->here && (trust == RECORD_UNPROVEN || trust == RECORD_BACKWARDS))
		return true;
	return trust == RECORD_SILENT && (!v->here || v->status->witness == FACT_UNKNOWN);
}

static void facts_of_witness(struct promote_facts *f, const struct view *v)
{
	const struct record_view *view = &v->status->record;
	const char *name = v->cfg->nodes[v->standby - v->status->servers].name;
	enum fact witness = v->status->witness;

	/* Perhaps it is only this node that does not see it. */
	if (!v->here && witness == FACT_NO)
		witness = FACT_UNKNOWN;
	f->witness_seen = seen(v, witness, FACT_YES);
	f->has_record = cfg_has_record(v->cfg);
	if (!f->has_record)
		return;
	promote_facts_of_record(f, view->trust, &view->record, name);
	if (record_unknown(v) && v->hope == HOPE_ALL) {
		f->trust = RECORD_GOOD;
		f->record_paired = true;
	}
}

static struct promote_facts facts_of_standby(const struct view *v)
{
	const struct status *s = v->status;
	const struct server_replay *replay = &s->replay[v->standby - s->servers];
	const struct contact contact = next_contact(v);
	const enum fact delayed =
	    replay->known ? fact_of(replay->apply_delay[0] != '\0') : FACT_UNKNOWN;
	const enum fact missing = v->cfg->watchdog == WATCHDOG_REQUIRED
				      ? known_there(v, fact_of(s->watchdog_missing), FACT_NO)
				      : FACT_NO;
	struct promote_facts f = {
		.local = v->standby->state,
		.fenced = known_there(v, s->fenced.present, FACT_NO),
		.replay_paused = fact_of(v->standby->replay_paused),
		.rights = seen(v, s->rights.take_over, FACT_YES),
		.watchdog_missing = missing != FACT_NO,
		.keepalived_alive = known_there(v, s->keepalived, FACT_YES),
		.fresh_enough = fresh(v, &contact),
		.peer_unleased = known_there(v, s->leased, FACT_YES) != FACT_YES,
		.power_left = cfg_power_ms(v->cfg) > 0,
		.delayed = seen(v, delayed, FACT_NO) != FACT_NO,
		.unwritable = known_there(v, s->writable, FACT_YES) != FACT_YES,
		.behind = v->cfg->mode == MODE_ASYNC &&
			  promote_known_to_lag(v->cfg, &contact, v->standby),
		.unproven_promote = v->cfg->unproven == UNPROVEN_PROMOTE,
	};

	facts_of_witness(&f, v);
	/* The promise of the other node cannot be seen from here. */
	if (cfg_has_record(v->cfg))
		f.paused = f.paused || s->pause.runs == FACT_YES;
	else
		f.paused = known_there(v, s->pause.runs, FACT_NO) != FACT_NO;
	return f;
}

/* Once the old primary is proven fenced; what else would do is said beside it. */
static bool promotes(struct view v, enum hope hope, struct verdict *verdict)
{
	struct promote_facts facts;

	v.hope = hope;
	facts = facts_of_standby(&v);
	return promote_foresee(&facts, FENCE_FENCED, verdict) == STEP_PROMOTE;
}

/* ---- what is believed when the host of the primary is gone, so that it answers nobody ---- */

static bool enough(struct promote_facts facts, enum fence_verdict proof, bool power,
		   struct verdict *verdict)
{
	facts.power_left = power;
	return promote_foresee(&facts, proof, verdict) == STEP_PROMOTE;
}

#define GROUNDS 3

/* "or after 6.0 s if one thing, or another", or why nothing would do. */
static void proof_of_a_lost_host(struct view v, char *text, size_t size)
{
	const int64_t theirs_ms = v.status->record.record.lease_ms;
	const int64_t lease_ms = theirs_ms > v.cfg->lease_ms ? theirs_ms : v.cfg->lease_ms;
	const bool observed = v.cfg->witness_ssh && (!v.here || v.status->baseline == FACT_YES);
	const char *grounds[GROUNDS] = { "", "", "" };
	struct promote_facts facts;
	struct verdict verdict;
	size_t count = 0;

	v.hope = HOPE_ALL;
	facts = facts_of_standby(&v);
	if (!facts.has_record && observed && enough(facts, FENCE_ISOLATED, false, &verdict))
		grounds[count++] = "the witness host cannot reach its host either";
	if (!facts.has_record && facts.power_left && enough(facts, FENCE_UNKNOWN, true, &verdict))
		grounds[count++] = "its host is switched off";
	if (enough(facts, FENCE_UNKNOWN, false, &verdict))
		grounds[count++] =
		    facts.has_record ? "it renews the record no more" : "nothing shows any life";
	if (count == 0)
		(void)snprintf(text, size, "but would refuse if its host were lost: %s",
			       verdict.message);
	else
		(void)snprintf(text, size, "or after %.1f s if %s%s%s%s%s",
			       (double)(lease_ms + v.cfg->margin_ms) / 1000, grounds[0],
			       count > 1 ? ", or " : "", grounds[1], count > 2 ? ", or " : "",
			       grounds[2]);
}

/* ---- in words ---- */

static struct status_forecast forecast(enum fact takes_over, const char *fmt, ...)
    PRINTF_LIKE(2, 3);

static struct status_forecast forecast(enum fact takes_over, const char *fmt, ...)
{
	struct status_forecast made = { .takes_over = takes_over };
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(made.text, sizeof(made.text), fmt, args);
	va_end(args);
	return made;
}

static struct status_forecast would_promote(const struct view *v, enum fact takes_over,
					    const char *from, const char *to)
{
	char proof[200];

	proof_of_a_lost_host(*v, proof, sizeof(proof));
	return forecast(takes_over,
			"%s%s would promote itself as soon as %s %sis proven fenced, %s%s",
			takes_over == FACT_YES ? "" : "as far as is seen from here ", to, from,
			cfg_has_record(v->cfg) ? "says that it is down or " : "", proof,
			takes_over == FACT_YES ? "" : "; what else its node knows, it says there");
}

/* Of a standby that answers. */
static struct status_forecast of_standby(const struct view *v, const char *from, const char *to)
{
	const struct attempt_last *test = &v->status->attempts[ATTEMPT_FENCE_TEST];
	struct verdict verdict;

	if (!promotes(*v, HOPE_ALL, &verdict))
		return forecast(FACT_NO, "%s would refuse to take over: %s (%s)", to,
				verdict.message, verdict.rule);
	if (v->here && v->status->guard == FACT_NO)
		return forecast(FACT_NO,
				"%s would refuse to take over: the guard does not run there, so "
				"nobody would try again after a refusal",
				to);
	/* With a record a fence only shortens the wait. */
	if (v->here && !cfg_has_record(v->cfg) && test->outcome == OUT_REFUSED)
		return forecast(FACT_UNKNOWN,
				"%s might refuse: the last test of fencing failed (%s)", to,
				test->text);
	if (!promotes(*v, HOPE_THERE, &verdict))
		return forecast(FACT_UNKNOWN,
				"whether %s would take over is not known; in doubt is rule %s: %s",
				to, verdict.rule, verdict.message);
	if (v->here && v->status->guard == FACT_UNKNOWN)
		return forecast(FACT_UNKNOWN,
				"whether %s would take over is not known; in doubt is whether the "
				"guard runs there",
				to);
	return would_promote(v, promotes(*v, HOPE_NONE, &verdict) ? FACT_YES : FACT_UNKNOWN, from,
			     to);
}

struct status_forecast status_forecast(const struct status *status, const struct cfg *cfg)
{
	const int primary = status_primary(status);
	const struct server *standby;
	const char *from;
	const char *to;

	if (primary < 0)
		return forecast(FACT_UNKNOWN,
				"there is no one primary now, so nothing can be said");
	from = cfg->nodes[primary].name;
	to = cfg->nodes[1 - primary].name;
	standby = &status->servers[1 - primary];
	const struct view view = { .status = status,
				   .cfg = cfg,
				   .standby = standby,
				   .primary = &status->servers[primary],
				   .here = (size_t)primary != cfg->self };

	if (standby->state == SERVER_UNKNOWN || (standby->state == SERVER_REFUSES && !view.here))
		return forecast(FACT_UNKNOWN, "%s does not say whether it could take over (%s)", to,
				standby->why);
	if (standby->state != SERVER_STANDBY && standby->state != SERVER_REFUSES)
		return forecast(FACT_NO, "nobody would take over: %s is %s", to,
				server_state_word(standby->state));
	if (standby->state == SERVER_STANDBY &&
	    standby->system_identifier != view.primary->system_identifier)
		return forecast(FACT_NO,
				"%s would refuse to take over: it is not of the same cluster", to);
	return of_standby(&view, from, to);
}
