/* SPDX-License-Identifier: PostgreSQL */
/* Requests to a standby. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "node/mark.h"
#include "node/path.h"
#include "node/stamp.h"
#include "postgres/pgdata.h"
#include "postgres/server.h"
#include "postgres/server_config.h"
#include "postgres/server_internal.h"

/* A reload takes some 0.1 s; the window of the witness host waits for the withdrawal no longer than
 * the margin. */
#define RELOAD_MS 500

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

/* 0: the file says so, of this server; -ENOENT: it does not; else what keeps it from being read. */
static int asked_to_promote(const struct cfg *cfg)
{
	int64_t asked_ms;
	const int rc = stamp_read(cfg, STAMP_ASKED, &asked_ms, NULL, 0);

	return rc == 0 && pgdata_started_ms(cfg) > asked_ms ? -ENOENT : rc;
}

bool server_promotion_pending(const struct cfg *cfg)
{
	return asked_to_promote(cfg) != -ENOENT;
}

void server_promotion_forget(const struct cfg *cfg)
{
	const int rc = asked_to_promote(cfg);

	if (rc == 0 || rc == -ENOENT)
		return;
	log_warning("%s: %s: no server runs that could have been asked to become a primary, so "
		    "the file is removed",
		    file_run(cfg, stamp_word(STAMP_ASKED)).text, strerror(-rc));
	log_failed("remove the asked file", stamp_clear(cfg, STAMP_ASKED));
}

static void tell_pending(const struct cfg *cfg)
{
	const int rc = asked_to_promote(cfg);

	if (rc == 0)
		log_warning("this server was asked to become a primary, and may do so at any "
			    "moment: it follows nobody until it is restarted");
	else
		log_warning("%s: %s: this server may have been asked to become a primary, so it "
			    "follows nobody until it is stopped, and started by \"rejoin\"",
			    file_run(cfg, stamp_word(STAMP_ASKED)).text, strerror(-rc));
}

static bool gives_the_vote_back(const char *setting, const char *value)
{
	return strcmp(setting, "primary_conninfo") == 0 && value[0] != '\0';
}

int server_alter_system(const struct cfg *cfg, const char *setting, const char *value,
			const struct deadline *dl)
{
	struct pg AUTO_PG *pg = NULL;
	char literal[2 * SERVER_CONNINFO_MAX + 8];
	char sql[sizeof(literal) + 64];
	int rc;

	if (gives_the_vote_back(setting, value) && server_promotion_pending(cfg)) {
		tell_pending(cfg);
		return -EBUSY;
	}
	rc = server_open_local(&pg, cfg, dl);
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

	/* A value that is there already need not be set, where postgresql.auto.conf cannot be
	 * written. */
	if (rc == -EPROTO && follows_now(cfg, conninfo, dl) == FACT_YES)
		return 0;
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

bool server_shows_the_mark(const struct cfg *cfg, const struct deadline *dl)
{
	struct server local;

	server_ask(&local, cfg, PG_LOCAL, dl);
	return local.state == SERVER_STANDBY && local.marked;
}

int server_withdraw(const struct cfg *cfg, const struct deadline *dl)
{
	struct deadline soon = deadline_sooner(dl, RELOAD_MS);
	struct server_config config;
	int rc = server_alter_system(cfg, "primary_conninfo", "", dl);

	/* -EPROTO: postgresql.auto.conf itself is in disorder, perhaps. */
	if (rc < 0 && rc != -ECONNRESET && rc != -EPROTO)
		return rc;
	server_config_ask(&config, cfg, PG_LOCAL, &soon);
	while (rc != -EPROTO && config.ignored != FACT_YES && !deadline_passed(&soon)) {
		struct deadline pause = deadline_sooner(&soon, LOOK_AGAIN_MS);

		if (follows_now(cfg, "", &soon) == FACT_YES)
			return 0;
		deadline_sleep(&pause);
	}
	if (!server_shows_the_mark(cfg, dl))
		return rc == -EPROTO ? rc : -ETIMEDOUT;
	log_warning(
	    "no reload took the vote back (%s): it is withdrawn by %s in the data directory",
	    config.ignored == FACT_YES ? config.why : "not in time", WITHDRAWN_DATA);
	return 0;
}

int server_promote(const struct cfg *cfg, const struct deadline *dl)
{
	const bool pending = server_promotion_pending(cfg);
	struct pg AUTO_PG *pg = NULL;
	enum pg_failure failure;
	char why[160];
	int rc = pg_borrow(&pg, cfg, PG_LOCAL, dl, &failure, why, sizeof(why));

	if (rc < 0) {
		log_warning("could not ask the local server: %s", why);
		return rc == -ETIMEDOUT ? rc : -EPROTO;
	}
	rc = stamp_write(cfg, STAMP_ASKED, now_ms(), "pg_promote");
	/* A thing that stands there and cannot be replaced, such as a directory, keeps the vote
	 * too. */
	if (rc < 0 && !server_promotion_pending(cfg))
		return rc;
	rc = call(pg, "SELECT pg_promote(false)", dl);
	/* The server said no, and nothing was begun. */
	if (rc == -EPROTO && !pending)
		log_failed("remove the asked file", stamp_clear(cfg, STAMP_ASKED));
	if (rc == 0)
		pg_return(&pg);
	return rc;
}
