/* SPDX-License-Identifier: PostgreSQL */
#include "record/record_act.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "node/attempt.h"
#include "node/helper.h"
#include "node/history.h"
#include "node/path.h"
#include "node/stamp.h"

/* A run of check_primary holds record.lock for less than its interval. */
#define RECORD_LOCK_MS 1000
/* Over a connection that was kept it takes a moment; the helper that the guard has started waits
 * for the lock meanwhile. */
#define RELEASE_NOW_MS 500
/* A holder that serves goes solo in its next round, or in the one after it. */
#define SOLO_MS       5000
#define LOOK_AGAIN_MS 300
/* The holder writes each second, so whoever else does may be too late, but not every time. */
#define ROUNDS_RELEASE 2
#define ROUNDS_PERSON  5

/*
 * This node's own right in files goes first: from the moment of the release on the other node need
 * not wait for any of it.  Under record.lock, so that nobody writes it anew from a row
 * that he read before.
 */
static int give_rights_back(const struct cfg *cfg)
{
	static const enum stamp rights[] = { STAMP_SOLO, STAMP_RENEWED, STAMP_GRANT };
	int rc = 0;

	for (size_t i = 0; i < ARRAY_COUNT(rights) && rc == 0; i++)
		rc = stamp_clear(cfg, rights[i]);
	return rc;
}

/* One compare-and-set for the row that was judged. */
int record_act_put(struct record_task *t)
{
	struct deadline soon = deadline_sooner(&t->dl, RECORD_QUESTION_MS);
	const struct record seen = t->view.record;
	struct record *record = &t->view.record;
	int rc = 0;

	if (t->facts.ask == RECORD_RELEASE)
		rc = record_release(&t->link, record, &seen, pgdata_final_lsn(&t->control), &soon);
	else
		rc = record_pause(&t->link, record, &seen, t->facts.ask == RECORD_PAUSE, &soon);
	record_view_take(&t->view, &t->link);
	return rc;
}

static struct verdict written(struct record_task *t)
{
	static const struct verdict verdicts[RECORD_ASKS] = {
		[RECORD_RELEASE] =
		    YES("released", "the record says now that this node does not serve", NULL,
			.id = RULE_RELEASED),
		[RECORD_PAUSE] = YES("paused", "failover is paused from now on", NULL),
		[RECORD_RESUME] = YES("resumed", "failover is not paused any more", NULL),
	};
	static const char *const events[RECORD_ASKS] = {
		[RECORD_RELEASE] = "released",
		[RECORD_PAUSE] = "paused",
		[RECORD_RESUME] = "pause-over",
	};
	char meaning[320];

	if (t->view.trust == RECORD_GOOD)
		log_failed("note the record",
			   record_memory_note(t->cfg, &t->view.memory, &t->view.record));
	record_meaning(&t->view.record, t->cfg, meaning, sizeof(meaning));
	log_failed("write the history", history_add(t->cfg, events[t->facts.ask], meaning));
	return verdicts[t->facts.ask];
}

/* The flag stands; what it is for has happened when the holder is solo. */
static struct verdict wait_for_solo(struct record_task *t)
{
	struct deadline end = deadline_sooner(&t->dl, SOLO_MS);
	struct verdict verdict;

	while (record_decide(&t->facts, &verdict) == RECORD_VERDICT &&
	       verdict.outcome == OUT_INCOMPLETE && !t->facts.released && !deadline_passed(&end)) {
		struct deadline pause = deadline_sooner(&end, LOOK_AGAIN_MS);

		deadline_sleep(&pause);
		record_gather(t);
	}
	return verdict;
}

/* After a write whose answer did not come: what is there now says how it ended. */
static struct verdict settle(struct record_task *t, struct verdict verdict)
{
	if (!t->unanswered)
		return verdict;
	if (t->facts.trust == RECORD_SILENT)
		return (struct verdict)UNKNOWN("unanswered",
					       "the witness did not say whether it wrote",
					       "run it again when the witness answers");
	if (verdict.id == RULE_ALREADY_RELEASED || verdict.id == RULE_NOT_PAUSED)
		return written(t);
	return verdict;
}

static struct verdict not_written(void)
{
	return (struct verdict)UNKNOWN("not-written", "the record could not be written",
				       "try again");
}

static struct verdict rights_stay(struct record_task *t, int rc)
{
	(void)snprintf(t->why, sizeof(t->why), "%s", strerror(-rc));
	return (struct verdict)SYSTEM_ERROR(
	    "rights", "could not take this node's own right to serve away", "is run_dir writable?");
}

/* Looks, decides, writes; again when the row had changed in between, or nothing was answered. */
struct verdict record_act(struct record_task *t)
{
	const int rounds = t->facts.ask == RECORD_RELEASE ? ROUNDS_RELEASE : ROUNDS_PERSON;
	struct verdict verdict;

	for (int round = 0;; round++) {
		int rc;

		record_gather(t);
		if (record_decide(&t->facts, &verdict) == RECORD_VERDICT)
			return settle(t, verdict);
		if (round == rounds || deadline_passed(&t->dl))
			return not_written();
		rc = t->facts.ask == RECORD_RELEASE ? give_rights_back(t->cfg) : 0;
		if (rc < 0)
			return rights_stay(t, rc);
		rc = record_act_put(t);
		if (rc == 0 && t->view.record.refused[0] == '\0')
			break;
		(void)snprintf(t->why, sizeof(t->why), "%s",
			       rc < 0 ? t->link.why : "others changed it each time");
		log_debug("not written: %s", rc < 0 ? t->why : t->view.record.refused);
		t->unanswered = rc < 0 && !record_unsent(&t->link);
	}
	verdict = written(t);
	record_taken(t);
	return t->facts.ask == RECORD_PAUSE ? wait_for_solo(t) : verdict;
}

bool record_act_lock(const struct cfg *cfg, int *lock, struct verdict *verdict)
{
	*verdict = (struct verdict)REFUSED("already-running",
					   "another helper of this node is at the record", NULL,
					   .id = RULE_ALREADY_RUNNING);
	return helper_lock(lock, cfg, LOCK_RECORD, RECORD_LOCK_MS, verdict);
}

bool record_act_is_told(const struct cfg *cfg, const struct verdict *verdict)
{
	return attempt_repeats(cfg, ATTEMPT_RELEASE, verdict) && verdict->id != RULE_RELEASED;
}

void record_release_now(const struct cfg *cfg)
{
	const int64_t begun_ms = now_ms();
	struct record_task t = { .cfg = cfg,
				 .dl = deadline_in_ms(RELEASE_NOW_MS),
				 .facts = { .ask = RECORD_RELEASE } };
	struct verdict verdict;
	int AUTO_FD lock = -1;
	uint64_t system;

	if (!cfg_has_record(cfg) || !record_act_lock(cfg, &lock, &verdict))
		return;
	if (pgdata_system(cfg, &system) == 0)
		record_begin(&t.link, cfg, system);
	verdict = record_act(&t);
	record_describe(&t, &verdict);
	if (t.link.cfg != NULL)
		record_end(&t.link);
	if (!record_act_is_told(cfg, &verdict))
		log_verdict(&verdict, now_ms() - begun_ms);
}
