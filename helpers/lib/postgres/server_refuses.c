/* SPDX-License-Identifier: PostgreSQL */
/* A server that lives and lets us not in: what it is all the same, and what mends it. */
#include <stdio.h>
#include <unistd.h>

#include "base/auto.h"
#include "postgres/pgdata.h"
#include "postgres/server.h"

void server_look_behind(struct server *server, const struct cfg *cfg, const struct deadline *dl)
{
	struct pgdata_running is;
	struct pgdata_control control;
	pid_t pid;
	int AUTO_FD postmaster = -1;

	if (server->state != SERVER_REFUSES)
		return;
	postmaster = pgdata_postmaster(cfg, &pid);
	if (postmaster < 0)
		return;
	pgdata_running(&is, cfg);
	pgdata_control(&control, cfg, dl);
	if (!control.known)
		return;
	if (is.role == PGDATA_IS_PRIMARY && control.in_production)
		server->behind = SERVER_PRIMARY;
	else if (is.role == PGDATA_IS_STANDBY)
		server->behind = SERVER_STANDBY;
	else
		return;
	server->system_identifier = control.system_identifier;
	/* A promotion shows here before the next checkpoint does. */
	server->timeline = control.min_recovery_timeline > control.timeline
			       ? control.min_recovery_timeline
			       : control.timeline;
}

/* In SQL for the primary, where a person can say it; the standby follows. */
static void remedy(enum pg_failure failure, const struct cfg *cfg, char *text, size_t size)
{
	const char *role = cfg->role;

	text[0] = '\0';
	if (failure == PG_FAIL_PASSWORD)
		(void)snprintf(
		    text, size,
		    "\\password %s, and the same in %s; if it has expired, ALTER ROLE %s "
		    "VALID UNTIL 'infinity'",
		    role, cfg->passfile, role);
	else if (failure == PG_FAIL_AUTH)
		(void)snprintf(text, size,
			       "ALTER ROLE %s LOGIN; or the lines of \"cluster_config pg_hba\" at "
			       "the top of pg_hba.conf, and a reload",
			       role);
	else if (failure == PG_FAIL_RIGHT)
		(void)snprintf(text, size,
			       "GRANT CONNECT ON DATABASE %s TO %s, or all of \"cluster_config "
			       "sql\"",
			       cfg->database, role);
	else if (failure == PG_FAIL_DATABASE)
		(void)snprintf(text, size, "ALTER DATABASE %s ALLOW_CONNECTIONS true",
			       cfg->database);
	else if (failure == PG_FAIL_BUSY)
		(void)snprintf(text, size,
			       "ALTER ROLE %s CONNECTION LIMIT -1; ALTER DATABASE %s CONNECTION "
			       "LIMIT -1; or more max_connections",
			       role, cfg->database);
}

void server_refusal(enum pg_failure failure, const char *why, const struct cfg *cfg, char *text,
		    size_t size)
{
	/* Else it waits for a standby that cannot come in before it is done. */
	const char *first = cfg->mode == MODE_SYNC ? "SET synchronous_commit = local; " : "";
	char mends[2 * CFG_PATH_MAX];

	remedy(failure, cfg, mends, sizeof(mends));
	if (mends[0] == '\0')
		(void)snprintf(text, size, "%s", why);
	else
		(void)snprintf(text, size, "%s; mended by: %s%s", why, first, mends);
}
