/* SPDX-License-Identifier: PostgreSQL */
#include "postgres/server_replay.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"
#include "base/proc.h"
#include "postgres/pgdata.h"
#include "postgres/server_internal.h"

#define RESTORE_MAX 2048
/* Below pg_wal, where PostgreSQL has its own put what it asks for; it passes such names over. */
#define PROBE "pg_wal/pg_vrrp.restored"

/*
 * The wait events of PostgreSQL 15 to 18.  A snapshot or a tablespace in use has an event of its
 * own; a lock or a pinned buffer is waited for as anybody does.
 */
static const char question[] =
    "SELECT pg_is_in_recovery(), current_setting('recovery_min_apply_delay'),"
    " current_setting('restore_command') <> '',"
    " coalesce(a.wait_event LIKE 'RecoveryConflict%' OR a.wait_event_type IN ('Lock',"
    "  'BufferPin'), false),"
    " coalesce(a.wait_event = 'RestoreCommand', false),"
    " coalesce(a.wait_event IN ('RecoveryWalStream', 'RecoveryRetrieveRetryInterval'), false)"
    " FROM (SELECT) AS one LEFT JOIN pg_stat_get_activity(NULL) AS a"
    "  ON a.backend_type = 'startup'";

static int read_row(struct server_replay *replay, const struct pg_result *row)
{
	int rc = pg_get_bool(row, 0, 0, &replay->standby);

	if (rc == 0)
		rc = pg_get_text(row, 0, 1, replay->apply_delay, sizeof(replay->apply_delay));
	if (rc == 0)
		rc = pg_get_bool(row, 0, 2, &replay->has_restore);
	if (rc == 0)
		rc = pg_get_bool(row, 0, 3, &replay->held);
	if (rc == 0)
		rc = pg_get_bool(row, 0, 4, &replay->restoring);
	if (rc == 0)
		rc = pg_get_bool(row, 0, 5, &replay->waits_for_wal);
	if (rc == 0 && strcmp(replay->apply_delay, "0") == 0)
		replay->apply_delay[0] = '\0';
	return rc;
}

void server_replay_ask(struct server_replay *replay, const struct cfg *cfg, enum pg_where where,
		       const struct deadline *dl)
{
	struct pg AUTO_PG *pg = NULL;
	struct pg_result AUTO_PG_RESULT *row = NULL;
	enum pg_failure failure;
	char why[160];
	int rc = pg_borrow(&pg, cfg, where, dl, &failure, why, sizeof(why));

	*replay = (struct server_replay){ .known = false };
	if (rc == 0)
		rc = pg_query(&row, pg, question, 6, 1, dl);
	if (rc == 0)
		rc = read_row(replay, row);
	if (rc == 0)
		pg_return(&pg);
	if (rc < 0 || !replay->standby) {
		*replay = (struct server_replay){ .known = rc == 0 };
		return;
	}
	replay->known = true;
}

/* The pid is one that the server has just named; the pidfd is of a process of its directory. */
static bool tell(const struct cfg *cfg, int64_t pid, int signal)
{
	int AUTO_FD process = pid > 0 && pid <= INT32_MAX ? pgdata_process(cfg, (pid_t)pid) : -1;

	return process >= 0 && syscall(SYS_pidfd_send_signal, process, signal, NULL, 0) == 0;
}

int server_replay_free(const struct cfg *cfg, bool hard, const struct deadline *dl)
{
	static const char sessions[] =
	    "SELECT a.pid, coalesce(a.state = 'active', false) FROM pg_stat_get_activity(NULL) AS a"
	    " WHERE a.backend_type = 'client backend' AND a.pid <> pg_backend_pid()"
	    " AND a.state IS DISTINCT FROM 'idle'";
	struct pg AUTO_PG *pg = NULL;
	struct pg_result AUTO_PG_RESULT *rows = NULL;
	int rc = server_open_local(&pg, cfg, dl);
	int told = 0;

	if (rc == 0)
		rc = pg_query(&rows, pg, sessions, 2, 0, dl);
	for (size_t row = 0; rc == 0 && row < pg_rows(rows); row++) {
		int64_t pid = 0;
		bool active = false;

		rc = pg_get_i64(rows, row, 0, &pid);
		if (rc == 0)
			rc = pg_get_bool(rows, row, 1, &active);
		if (rc == 0 && tell(cfg, pid, active && !hard ? SIGINT : SIGTERM))
			told++;
	}
	if (rc < 0)
		log_warning("the sessions that hold up replay could not be ended: %s",
			    pg != NULL ? pg_error(pg) : strerror(-rc));
	return rc < 0 ? rc : told;
}

/* ---- restore_command ---- */

struct restore {
	char command[RESTORE_MAX]; /* "": none */
	char file[32];             /* the history of the timeline that a promotion would begin */
};

static int ask_restore(struct restore *restore, const struct cfg *cfg, const struct deadline *dl)
{
	static const char sql[] = "SELECT current_setting('restore_command'), "
				  "lpad(upper(to_hex(timeline_id + 1)), 8, '0')"
				  " || '.history' FROM pg_control_checkpoint()";
	struct pg AUTO_PG *pg = NULL;
	struct pg_result AUTO_PG_RESULT *row = NULL;
	int rc = server_open_local(&pg, cfg, dl);

	if (rc == 0)
		rc = pg_query(&row, pg, sql, 2, 1, dl);
	if (rc == 0)
		rc = pg_get_text(row, 0, 0, restore->command, sizeof(restore->command));
	if (rc == 0)
		rc = pg_get_text(row, 0, 1, restore->file, sizeof(restore->file));
	return rc;
}

/* As PostgreSQL puts it together (BuildRestoreCommand).  %r, which an archive is cleaned up by, is
 * older than any file that there is. */
static int expand(const struct restore *restore, char *text, size_t size)
{
	size_t used = 0;

	for (const char *at = restore->command; *at != '\0'; at++) {
		char plain[2] = { *at, '\0' };
		const char *put = plain;

		if (at[0] == '%' && at[1] == 'f')
			put = restore->file;
		else if (at[0] == '%' && at[1] == 'p')
			put = PROBE;
		else if (at[0] == '%' && at[1] == 'r')
			put = "000000010000000000000000";
		if (put != plain || (at[0] == '%' && at[1] == '%'))
			at++;
		if (used + strlen(put) >= size)
			return -EFBIG;
		memcpy(text + used, put, strlen(put) + 1);
		used += strlen(put);
	}
	return 0;
}

int server_replay_try_restore(const struct cfg *cfg, const struct deadline *dl)
{
	struct restore restore = { .command = "" };
	char command[2 * RESTORE_MAX] = "", brought[CFG_PATH_MAX + 32];
	/* restore_command is written for a shell, and PostgreSQL runs it by one. */
	const char *const argv[] = { "/bin/sh", "-c", command, NULL };
	const struct proc_spec spec = { .argv = argv,
					.as_user = cfg->os_user,
					.cwd = cfg->data_dir };
	struct proc AUTO_PROC child = PROC_NONE;
	int rc = ask_restore(&restore, cfg, dl);

	/* Of the command nothing is known then. */
	if (rc == -ETIMEDOUT)
		return -EAGAIN;
	if (rc < 0 || restore.command[0] == '\0')
		return rc;
	rc = expand(&restore, command, sizeof(command));
	if (rc == 0)
		rc = proc_run(&child, &spec, dl);
	(void)snprintf(brought, sizeof(brought), "%s/%s", cfg->data_dir, PROBE);
	(void)unlink(brought);
	return rc;
}
