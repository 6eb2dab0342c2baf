/* SPDX-License-Identifier: PostgreSQL */
#include "check/duty.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/lock.h"
#include "base/log.h"
#include "check/duty_follower.h"
#include "check/duty_sync.h"
#include "config/timing.h"
#include "node/answer.h"
#include "node/follower.h"
#include "node/history.h"
#include "node/mark.h"
#include "node/path.h"
#include "node/stamp.h"
#include "postgres/pgdata.h"
#include "postgres/server_sync.h"
#include "record/record_learn.h"

/* Another run that is at it does what we would. */
#define LOCK_MS 50
/* No way through the rules takes more steps, so this many mean going round in circles. */
#define STEPS_MAX 8

struct duty {
	const struct cfg *cfg;
	const struct server *local;
	const struct deadline *dl;
	struct record_link link;
	struct record_memory memory;
	struct record record;
	struct follower follower;
	bool looked;  /* the witness was asked */
	bool decided; /* and the rules */
	struct duty_facts facts;
	char sync_names[64];         /* what paired needs in sync mode */
	struct server_config config; /* of the server, where sync is to be turned off */
};

/* ---- facts ---- */

static bool solo_stamped(const struct cfg *cfg)
{
	int64_t at_ms;

	return stamp_read(cfg, STAMP_SOLO, &at_ms, NULL, 0) == 0;
}

static void facts_of_record(struct duty *d)
{
	struct duty_facts *f = &d->facts;
	const struct record *r = &d->record;

	if (f->trust != RECORD_GOOD)
		return;
	f->holder = strcmp(r->holder, cfg_self(d->cfg)->name) == 0;
	f->paired = r->paired;
	f->released = r->released;
	f->paused = r->paused;
}

static void gather(struct duty *d)
{
	struct duty_facts *f = &d->facts;

	f->starting = d->local->state == SERVER_STARTING;
	f->refuses = d->local->state == SERVER_REFUSES;
	f->mode_sync = d->cfg->mode == MODE_SYNC;
	f->solo_stamp = solo_stamped(d->cfg);
	f->by_right = fact_of(f->solo_stamp || right_runs(d->cfg));
	if (d->local->state == SERVER_PRIMARY) {
		f->sync_on = fact_of(strcmp(d->local->sync_names, d->sync_names) == 0);
		/* Some other value: it may hold commits up, so it is not off. */
		if (f->sync_on == FACT_NO && d->local->sync_names[0] != '\0')
			f->sync_on = FACT_UNKNOWN;
		duty_follower_facts(f, &d->follower, d->local, d->cfg);
	}
	facts_of_record(d);
}

/* ---- steps: each says whether the rules are to be asked again ---- */

/* TLS and SCRAM take several packets each way. */
static struct deadline patience(const struct duty *d)
{
	return deadline_sooner(d->dl, answer_question_ms(d->cfg) + d->cfg->probe_timeout_ms);
}

/* Takes what a question to the witness brought. */
static bool take(struct duty *d, int rc, const char *what)
{
	d->looked = true;
	d->facts.trust = record_learn(d->cfg, &d->memory, &d->record, rc);
	if (rc < 0) {
		log_debug("the witness did not answer to \"%s\": %s", what, d->link.why);
		return false;
	}
	facts_of_record(d);
	return true;
}

static bool done(const struct duty *d)
{
	return d->record.refused[0] == '\0';
}

static void stamp_renewed(const struct duty *d)
{
	log_failed("write the renewed file",
		   stamp_write(d->cfg, STAMP_RENEWED, d->record.asked_ms, "record"));
}

static bool renew(struct duty *d)
{
	const struct record seen = d->record;
	struct deadline soon = patience(d);

	if (!take(d, record_renew(&d->link, &d->record, &seen, false, &soon), "renew"))
		return false;
	if (done(d)) {
		stamp_renewed(d);
		d->facts.renewed = true;
	}
	return true;
}

static bool stamp_solo(struct duty *d)
{
	int rc = stamp_write(d->cfg, STAMP_SOLO, d->record.asked_ms, "record");

	log_failed("write the solo file", rc);
	d->facts.solo_stamp = rc == 0;
	return rc == 0;
}

static bool go_solo(struct duty *d)
{
	const struct duty_facts *f = &d->facts;
	const struct record seen = d->record;
	struct deadline soon = patience(d);
	const char *why = f->refuses            ? "the local server refuses the role of the helpers"
			  : f->paused           ? "an operator paused failover"
			  : f->lost == FACT_YES ? "the standby is lost"
			  : f->mode_sync && f->sync_on != FACT_YES
			      ? "synchronous replication is off"
			      : "the standby is too far behind";

	if (!take(d, record_go_solo(&d->link, &d->record, &seen, &soon), "go solo"))
		return false;
	if (!done(d))
		return true;
	d->follower.target_lsn = 0;
	if (!seen.paired)
		return stamp_solo(d);
	log_warning("solo in term %" PRId64 ": %s, so only this node may serve", d->record.term,
		    why);
	log_failed("write the history", history_add(d->cfg, "solo", why));
	return stamp_solo(d);
}

static bool unstamp(struct duty *d)
{
	int rc = stamp_clear(d->cfg, STAMP_SOLO);

	log_failed("remove the solo file", rc);
	d->facts.solo_stamp = rc < 0;
	return rc == 0;
}

static bool create(struct duty *d)
{
	const struct record seen = d->record;
	struct deadline soon = patience(d);
	const char *word = record_trust_word(d->facts.trust);
	const int64_t term = record_next_term(&seen, &d->memory);

	if (!take(d, record_create(&d->link, &d->record, &seen, term, &soon), "create"))
		return false;
	if (!done(d))
		return false; /* somebody else was quicker: the next round looks anew */
	log_warning("wrote a new record, term %" PRId64 "; what was there: %s", d->record.term,
		    word);
	log_failed("write the history", history_add(d->cfg, "record-created", word));
	return true;
}

/* From this position on every commit has waited for the standby. */
static bool set_target(struct duty *d)
{
	struct server now;

	server_ask(&now, d->cfg, PG_LOCAL, d->dl);
	if (now.state != SERVER_PRIMARY)
		return false;
	d->follower.target_lsn = now.write_lsn;
	return false; /* whether it is reached, a later answer tells */
}

static bool pair(struct duty *d)
{
	const struct record seen = d->record;
	struct deadline soon = patience(d);

	/* Lease first: whoever reads "paired" counts on it that no lease lasts longer. */
	if (!unstamp(d))
		return false;
	if (!take(d, record_pair(&d->link, &d->record, &seen, &soon), "pair"))
		return false;
	if (!done(d))
		return true;
	stamp_renewed(d);
	d->facts.renewed = true;
	log_info("paired in term %" PRId64 ": %s may take over", d->record.term,
		 cfg_peer(d->cfg)->name);
	log_failed("write the history", history_add(d->cfg, "paired", cfg_peer(d->cfg)->name));
	return true;
}

static bool act(struct duty *d, enum duty_step step)
{
	switch (step) {
	case DUTY_CREATE:
		return create(d);
	case DUTY_RENEW:
		return renew(d);
	case DUTY_GO_SOLO:
		return go_solo(d);
	case DUTY_UNSTAMP:
		return unstamp(d);
	case DUTY_SYNC_OFF:
		return duty_sync_off(&d->facts, &d->follower, d->cfg, &d->config, d->dl);
	case DUTY_SYNC_ON:
		return duty_sync_set(&d->facts, &d->follower, d->cfg, d->sync_names, d->dl);
	case DUTY_TARGET:
		return set_target(d);
	case DUTY_PAIR:
		return pair(d);
	case DUTY_NOTHING:
	case DUTY_FENCE:
	case DUTY_STEPS:
		break;
	}
	return false;
}

static void serve(struct duty *d)
{
	for (int steps = 0; steps < STEPS_MAX && !deadline_passed(d->dl); steps++) {
		enum duty_step step;

		duty_sync_look(&d->facts, &d->follower, d->cfg, d->sync_names, d->dl);
		step = duty_decide(&d->facts);
		log_debug("duty: %s", duty_word(step));
		if (!act(d, step))
			break;
	}
}

/* ---- one run ---- */

/* Of a server that starts up, its directory tells whose it is. */
static uint64_t system_of(const struct cfg *cfg, const struct server *local,
			  const struct deadline *dl)
{
	struct pgdata_control control;

	if (local->state != SERVER_STARTING)
		return local->system_identifier;
	pgdata_control(&control, cfg, dl);
	return control.known ? control.system_identifier : 0;
}

static bool is_primary(const struct cfg *cfg, const struct server *local)
{
	return local->state == SERVER_PRIMARY || local->behind == SERVER_PRIMARY ||
	       (local->state == SERVER_STARTING && pgdata_runs_primary(cfg));
}

static int64_t postmaster(const struct cfg *cfg)
{
	pid_t pid = 0;
	int AUTO_FD fd = pgdata_postmaster(cfg, &pid);

	return fd >= 0 ? pid : 0;
}

/* Under record.lock: a run that was stopped half-way keeps it, so that what it knows stays true. */
static void serve_locked(struct duty *d)
{
	struct deadline soon = deadline_sooner(d->dl, LOCK_MS);
	int AUTO_FD lock = -1;

	if (lock_take(&lock, file_lock(d->cfg, LOCK_RECORD).text, &soon) < 0 ||
	    now_ms() - d->local->asked_ms > TIMING_STALE_MS ||
	    fenced_read(d->cfg).present != FACT_NO)
		return;
	d->memory = record_memory_read(d->cfg);
	d->follower = follower_read(d->cfg);
	/* Another round has decided by a later answer: this one's could only turn that back. */
	if (d->local->asked_ms < d->follower.asked_ms)
		return;
	if (d->local->state == SERVER_PRIMARY)
		duty_follower_note(&d->follower, d->local, postmaster(d->cfg));
	soon = patience(d);
	if (take(d, record_look(&d->link, &d->record, &soon), "look")) {
		gather(d);
		d->decided = true;
		serve(d);
	}
	if (d->local->state == SERVER_PRIMARY)
		log_failed("write the follower file", follower_write(d->cfg, &d->follower));
}

/* synchronous_standby_names has no effect on a standby.  Clear it now, so that a takeover, which
 * starts solo, need not do it while everybody waits. */
static void prepare_takeover(const struct duty *d)
{
	if (d->cfg->mode == MODE_SYNC && d->local->sync_names[0] != '\0')
		log_failed("clear synchronous_standby_names", server_set_sync(d->cfg, "", d->dl));
}

static void watch(struct duty *d)
{
	struct deadline soon = patience(d);

	d->memory = record_memory_read(d->cfg);
	if (take(d, record_look(&d->link, &d->record, &soon), "look"))
		prepare_takeover(d);
}

static void fill(struct duty_report *report, const struct duty *d)
{
	const struct duty_facts *f = &d->facts;

	report->looked = d->looked;
	report->decided = d->decided;
	report->facts = *f;
	if (d->config.ignored == FACT_YES)
		(void)snprintf(report->unheard, sizeof(report->unheard), "%s", d->config.why);
	report->trust = f->trust;
	if (f->trust == RECORD_GOOD) {
		report->theirs = fact_of(!f->holder);
		report->solo = fact_of(f->holder && !f->paired);
		record_words(&d->record, d->cfg, report->words, sizeof(report->words));
	} else if (f->trust == RECORD_SILENT) {
		(void)snprintf(report->words, sizeof(report->words), "%s", d->link.why);
	} else {
		(void)snprintf(report->words, sizeof(report->words), "%s",
			       record_trust_word(f->trust));
	}
}

void duty_do(struct duty_report *report, const struct cfg *cfg, const struct server *local,
	     const struct deadline *dl)
{
	struct duty d = { .cfg = cfg, .local = local, .dl = dl };
	uint64_t system;

	*report = (struct duty_report){ .trust = RECORD_SILENT };
	if (!is_primary(cfg, local) && local->state != SERVER_STANDBY)
		return;
	system = system_of(cfg, local, dl);
	if (system == 0 || server_sync_names(cfg, d.sync_names, sizeof(d.sync_names)) < 0)
		return;
	record_begin(&d.link, cfg, system);
	if (is_primary(cfg, local))
		serve_locked(&d);
	else
		watch(&d);
	record_end(&d.link);
	fill(report, &d);
}
