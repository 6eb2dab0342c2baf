/* SPDX-License-Identifier: PostgreSQL */
#include "check/check_watch.h"

#include <errno.h>

#include "base/deadline.h"
#include "base/lock.h"
#include "base/log.h"
#include "base/on_time.h"
#include "base/signals.h"
#include "check/check_round.h"
#include "config/cfg_file.h"
#include "config/timing.h"
#include "node/answer.h"
#include "node/path.h"
#include "node/stamp.h"
#include "postgres/pg.h"
#include "record/record_act.h"

/* A watch that was killed a moment ago may still hold the lock. */
#define LOCK_MS 200

int64_t check_watch_budget_ms(const struct cfg *cfg, int64_t took_ms, int64_t left_ms)
{
	/* Before the guard asks in our place (lease_wants_check). */
	const int64_t spare_ms =
	    left_ms - cfg_fence_time_ms(cfg) - cfg->probe_timeout_ms - cfg->renew_interval_ms / 2;
	const int64_t most_ms = spare_ms < TIMING_PATIENT_MS ? spare_ms : TIMING_PATIENT_MS;

	return took_ms > TIMING_BUSY_MS && most_ms > cfg->check_budget_ms ? most_ms
									  : cfg->check_budget_ms;
}

/* Of the lease; 0: there is none. */
static int64_t left_ms(const struct cfg *cfg, int64_t now)
{
	int64_t until_ms;

	return stamp_read(cfg, STAMP_LEASE, &until_ms, NULL, 0) == 0 ? until_ms - now : 0;
}

/* *took_ms: of this node's server, for its last answer. */
static void round_once(const struct cfg *usual, int64_t *took_ms,
		       void (*told)(const struct cfg *cfg, const struct verdict *verdict,
				    int64_t asked_ms))
{
	const int64_t asked_ms = now_ms();
	struct cfg patient = *usual;
	const struct cfg *cfg = &patient;
	struct check_seen seen;
	struct verdict verdict;

	patient.check_budget_ms = check_watch_budget_ms(usual, *took_ms, left_ms(usual, asked_ms));
	/* Somebody may have removed them since: a directory that is missing is no answer. */
	log_failed("make the run and state directories", files_prepare(cfg));
	verdict = check_round(cfg, asked_ms, &seen);
	*took_ms = seen.took_ms;
	log_failed("write the answer file",
		   answer_write(cfg, asked_ms, verdict.outcome, server_state_word(seen.is)));
	told(cfg, &verdict, asked_ms);
}

/* True when it was told to end.  The guard wakes it when the server has ended: no moment is to be
 * lost then, and the connection to the witness is there. */
static bool wait_for_next(const struct cfg *cfg, const struct deadline *next, int signals)
{
	struct pollfd fd = { .fd = signals, .events = POLLIN };

	for (;;) {
		fd.revents = 0;
		if (deadline_poll(&fd, 1, next) < 0)
			deadline_sleep(next);
		if ((fd.revents & POLLIN) == 0)
			return false;
		if (signals_end(signals))
			return true;
		record_release_now(cfg);
	}
}

struct verdict check_watch(const struct cfg *cfg,
			   void (*told)(const struct cfg *cfg, const struct verdict *verdict,
					int64_t asked_ms))
{
	struct deadline next = deadline_in_ms(LOCK_MS);
	int AUTO_FD lock = -1;
	int AUTO_FD signals = -1;
	struct cfg_file read;
	int64_t took_ms = 0;
	int rc;

	if (cfg_file_look(&read, cfg) < 0)
		return (struct verdict)SYSTEM_ERROR(
		    "watch-start", "the configuration file cannot be looked at", NULL);
	rc = lock_take(&lock, file_lock(cfg, LOCK_WATCH).text, &next);
	if (rc == -ETIMEDOUT)
		return (struct verdict)REFUSED("second-watch", "another check_primary --watch runs",
					       "the guard starts it; nobody else has to");
	signals = signals_open_waking();
	if (rc < 0 || signals < 0)
		return (struct verdict)SYSTEM_ERROR(
		    "watch-start", "check_primary --watch could not start",
		    "is its run directory there, and is it run by root?");
	on_time(ON_TIME_WATCH);
	pg_keep();
	do {
		next = deadline_in_ms(answer_round_ms(cfg));
		round_once(cfg, &took_ms, told);
	} while (!cfg_file_changed(&read, cfg) && !wait_for_next(cfg, &next, signals));
	pg_keep_end();
	return (struct verdict)YES(
	    "stopped", "check_primary --watch was told to stop",
	    "or its configuration file has changed; the guard starts it again");
}
