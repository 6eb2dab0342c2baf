/* SPDX-License-Identifier: PostgreSQL */
/*
 * Whether a commit waits is decided by a flag in shared memory (SyncRepWaitForLSN looks at
 * WalSndCtl), and the checkpointer alone sets it, when it has read the configuration again
 * (SyncRepUpdateSyncStandbysDefined).  No SQL shows the flag.  That it is set follows from these
 * (PostgreSQL 15 to 18):
 *
 * 1. The reload was sent to the checkpointer.  On SIGHUP the postmaster reads the file, then
 *    signals its children one after the other (SIGHUP_handler, later process_pm_reload_request),
 *    and forks none meanwhile.  So once one session shows the value, any that is begun afterwards
 *    proves that all were signalled.  The first alone does not: it may be an older child,
 *    signalled before the checkpointer.
 * 2. It has arrived: no SIGHUP is pending.  SignalHandlerForConfigReload has noted it and set the
 *    latch, at the latest before the process goes on.
 * 3. It is worked off: the checkpointer sleeps, and has not run since that look, in one of the two
 *    waits that a set latch ends at once.  Before it waits, CheckpointerMain looks for a reload
 *    after ResetLatch, and again after a checkpoint, in which the latch may have been reset
 *    (HandleCheckpointerInterrupts, later ProcessCheckpointerInterrupts); CheckpointWriteDelay does
 *    before its nap.  Nothing between those looks and the wait resets the latch.  So a reload that
 *    was noted before the sleep began was worked off, and one that is noted later ends it.
 *
 * "Has not run": SQL is asked what it waits for between two looks at /proc, and neither finds it
 * awake, or asleep anew (voluntary_ctxt_switches).  Else /proc might have seen it in one sleep, for
 * a lock perhaps, and SQL on its way into another.
 */
#include "postgres/server_sync.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/state.h"
#include "postgres/pgdata.h"
#include "postgres/server.h"
#include "postgres/server_internal.h"

/* More than any kernel writes: its longest lines grow with the number of processors. */
#define STATUS_MAX 16384

/* The value that one session sees. */
struct view {
	char names[SERVER_CONNINFO_MAX]; /* synchronous_standby_names */
	int64_t pid;                     /* the checkpointer's */
	char wait[64];                   /* what it waits for; "": nothing */
};

/* The checkpointer as the kernel sees it. */
struct nap {
	bool idle;       /* asleep, and no SIGHUP pending */
	uint64_t number; /* another one for each sleep */
};

static int view(struct view *view, struct pg *pg, const struct deadline *dl)
{
	struct pg_result AUTO_PG_RESULT *row = NULL;
	int rc = pg_query(&row, pg,
			  "SELECT current_setting('synchronous_standby_names'), a.pid, a.wait_event"
			  " FROM pg_stat_get_activity(NULL) AS a"
			  " WHERE a.backend_type = 'checkpointer'",
			  3, 1, dl);

	if (rc == 0)
		rc = pg_get_text(row, 0, 0, view->names, sizeof(view->names));
	if (rc == 0)
		rc = pg_get_i64(row, 0, 1, &view->pid);
	if (rc == 0 && (view->pid <= 0 || view->pid > INT32_MAX))
		rc = -EPROTO;
	if (rc < 0)
		return rc;
	view->wait[0] = '\0';
	rc = pg_get_text(row, 0, 2, view->wait, sizeof(view->wait));
	return rc == -ENODATA ? 0 : rc; /* it runs */
}

static int view_anew(struct view *seen, const struct cfg *cfg, const struct deadline *dl)
{
	struct pg AUTO_PG *pg = NULL;
	int rc = server_open_local(&pg, cfg, dl);

	return rc < 0 ? rc : view(seen, pg, dl);
}

int server_write_sync(const struct cfg *cfg, const char *names, const struct deadline *dl)
{
	return server_alter_system(cfg, "synchronous_standby_names", names, dl);
}

int server_set_sync(const struct cfg *cfg, const char *names, const struct deadline *dl)
{
	struct view seen;
	int rc = server_write_sync(cfg, names, dl);

	/* A connection that broke leaves open whether it was set: looking tells. */
	if (rc < 0 && rc != -ECONNRESET)
		return rc;
	while (view_anew(&seen, cfg, dl) < 0 || strcmp(seen.names, names) != 0) {
		struct deadline pause = deadline_sooner(dl, LOOK_AGAIN_MS);

		if (deadline_passed(dl)) {
			log_warning("the server does not show the new synchronous_standby_names");
			return -ETIMEDOUT;
		}
		deadline_sleep(&pause);
	}
	return 0;
}

/* The number after "\nNAME:\t" in /proc/PID/status. */
static bool number(const char *status, const char *name, int base, uint64_t *value)
{
	const char *at = strstr(status, name);
	char *end = NULL;

	if (at == NULL)
		return false;
	at += strlen(name);
	errno = 0;
	*value = strtoull(at, &end, base);
	return errno == 0 && end != at && *end == '\n';
}

/* All of it is of one moment, since one read gives the whole file. */
static struct nap nap_of(pid_t pid)
{
	const uint64_t hup = UINT64_C(1) << (SIGHUP - 1);
	struct nap nap = { .idle = false };
	uint64_t of_thread = hup;
	uint64_t of_process = hup;
	char status[STATUS_MAX];
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/status", pid);
	if (state_read(path, status, sizeof(status)) == 0 &&
	    strstr(status, "\nState:\tS ") != NULL &&
	    number(status, "\nSigPnd:\t", 16, &of_thread) &&
	    number(status, "\nShdPnd:\t", 16, &of_process) &&
	    number(status, "\nvoluntary_ctxt_switches:\t", 10, &nap.number))
		nap.idle = ((of_thread | of_process) & hup) == 0;
	return nap;
}

/* Given that a session which is over has shown the value, with this checkpointer. */
static enum fact taken(const struct cfg *cfg, const struct view *shown, const struct deadline *dl)
{
	struct pg AUTO_PG *pg = NULL;
	struct view seen = { .pid = 0 };
	struct nap before, after;
	int AUTO_FD process = -1;

	if (server_open_local(&pg, cfg, dl) < 0)
		return FACT_UNKNOWN;
	/* The server may live in another PID namespace, where numbers mean others than here. */
	process = pgdata_process(cfg, (pid_t)shown->pid);
	before = nap_of((pid_t)shown->pid);
	if (process < 0 || view(&seen, pg, dl) < 0)
		return FACT_UNKNOWN;
	after = nap_of((pid_t)shown->pid);
	if (strcmp(seen.names, shown->names) != 0)
		return FACT_NO;
	if (seen.pid == shown->pid && before.idle && after.idle && before.number == after.number &&
	    (strcmp(seen.wait, "CheckpointerMain") == 0 ||
	     strcmp(seen.wait, "CheckpointWriteDelay") == 0))
		return FACT_YES;
	return FACT_UNKNOWN;
}

enum fact server_sync_settled(const struct cfg *cfg, const char *names, const struct deadline *dl)
{
	struct view shown;

	if (view_anew(&shown, cfg, dl) < 0)
		return FACT_UNKNOWN;
	if (strcmp(shown.names, names) != 0)
		return FACT_NO;
	return taken(cfg, &shown, dl);
}
