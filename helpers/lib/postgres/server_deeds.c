/* SPDX-License-Identifier: PostgreSQL */
/* What a standby is asked to do. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "postgres/server.h"
#include "postgres/server_internal.h"

int server_open_local(struct pg **pg, const struct cfg *cfg, const struct deadline *dl)
{
	enum pg_failure failure;
	char why[160];
	int rc = pg_open(pg, cfg, PG_LOCAL, dl, &failure, why, sizeof(why));

	if (rc < 0)
		log_warning("could not ask the local server: %s", why);
	return rc;
}

/* One function that returns true when it has done what it says. */
static int call(struct pg *pg, const char *sql, const struct deadline *dl)
{
	struct pg_result AUTO_PG_RESULT *row = NULL;
	bool done = false;
	int rc = pg_query(&row, pg, sql, 1, 1, dl);

	if (rc == 0)
		rc = pg_get_bool(row, 0, 0, &done);
	if (rc < 0)
		log_warning("%s: %s", sql, pg_error(pg));
	else if (!done)
		log_warning("%s: the server could not signal its postmaster", sql);
	if (rc == 0 && !done)
		rc = -EPROTO;
	return rc;
}

/*
 * A helper that was killed may leave a statement behind that the server executes later.  It holds
 * this lock until then, so whoever comes next waits for it, and has the last word.
 */
static int lock_settings(struct pg *pg, const struct deadline *dl)
{
	struct pg_result AUTO_PG_RESULT *row = NULL;
	int rc = pg_query(&row, pg, "SELECT pg_advisory_lock(1885828722, 1) IS NULL", 1, 1, dl);

	if (rc < 0)
		log_warning("another session is changing a setting: %s", pg_error(pg));
	return rc;
}

int server_alter_system(const struct cfg *cfg, const char *setting, const char *value,
			const struct deadline *dl)
{
	struct pg AUTO_PG *pg = NULL;
	char literal[2 * SERVER_CONNINFO_MAX + 8];
	char sql[sizeof(literal) + 64];
	int rc = server_open_local(&pg, cfg, dl);

	if (rc < 0)
		return rc == -ETIMEDOUT ? rc : -ENOTCONN;
	rc = pg_literal(pg, value, literal, sizeof(literal));
	if (rc < 0) {
		log_warning("%s cannot be quoted: %s", setting, strerror(-rc));
		return -EPROTO;
	}
	rc = lock_settings(pg, dl);
	if (rc < 0)
		return rc;
	(void)snprintf(sql, sizeof(sql), "ALTER SYSTEM SET %s = %s", setting, literal);
	rc = pg_command(pg, sql, dl);
	if (rc < 0) {
		log_warning("ALTER SYSTEM SET %s: %s", setting, pg_error(pg));
		return rc;
	}
	return call(pg, "SELECT pg_reload_conf()", dl);
}

/*
 * A connection that was there before would answer from settings of before, so each look is a new
 * one.  YES: it is as wanted, and, when nobody is to be followed, no walreceiver is left.
 */
static enum fact follows_now(const struct cfg *cfg, const char *conninfo, const struct deadline *dl)
{
	struct pg AUTO_PG *pg = NULL;
	struct pg_result AUTO_PG_RESULT *row = NULL;
	char is[SERVER_CONNINFO_MAX];
	bool receiver = true;
	int rc = server_open_local(&pg, cfg, dl);

	if (rc == 0)
		rc = pg_query(&row, pg,
			      "SELECT current_setting('primary_conninfo'),"
			      " EXISTS (SELECT FROM pg_stat_get_wal_receiver() AS w"
			      "  WHERE w.pid IS NOT NULL)",
			      2, 1, dl);
	if (rc == 0)
		rc = pg_get_text(row, 0, 0, is, sizeof(is));
	if (rc == 0)
		rc = pg_get_bool(row, 0, 1, &receiver);
	if (rc < 0)
		return FACT_UNKNOWN;
	return fact_of(strcmp(is, conninfo) == 0 && (conninfo[0] != '\0' || !receiver));
}

int server_follow(const struct cfg *cfg, const char *conninfo, const struct deadline *dl)
{
	int rc = server_alter_system(cfg, "primary_conninfo", conninfo, dl);

	/* A connection that broke leaves open whether it was set: looking tells. */
	if (rc < 0 && rc != -ECONNRESET)
		return rc;
	while (follows_now(cfg, conninfo, dl) != FACT_YES) {
		struct deadline pause = deadline_sooner(dl, LOOK_AGAIN_MS);

		if (deadline_passed(dl)) {
			log_warning("the server does not show the new primary_conninfo, or still "
				    "receives");
			return -ETIMEDOUT;
		}
		deadline_sleep(&pause);
	}
	return 0;
}

int server_promote(const struct cfg *cfg, const struct deadline *dl)
{
	struct pg AUTO_PG *pg = NULL;
	int rc = server_open_local(&pg, cfg, dl);

	if (rc < 0)
		return rc == -ETIMEDOUT ? rc : -EPROTO;
	return call(pg, "SELECT pg_promote(false)", dl);
}
