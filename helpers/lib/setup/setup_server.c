/* SPDX-License-Identifier: PostgreSQL */
#include "setup/setup_server.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "postgres/server_owner.h"

#define ASK_MS 2000

/* The wall clock, which decides nothing here: it is what is to be compared. */
static int64_t wall_ms(void)
{
	struct timespec now;

	if (clock_gettime(CLOCK_REALTIME, &now) < 0) /* ALLOW: two wall clocks are compared */
		return 0;
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The server's clock between two looks at our own. */
static int ask_clock(struct setup_server *server, struct pg *pg, const struct deadline *dl)
{
	static const char sql[] = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint";
	struct pg_result AUTO_PG_RESULT *row = NULL;
	const int64_t before = wall_ms();
	int64_t then = 0;
	int rc = pg_query(&row, pg, sql, 1, 1, dl);
	const int64_t after = wall_ms();

	if (rc == 0)
		rc = pg_get_i64(row, 0, 0, &then);
	server->asked_for_ms = after - before;
	server->clock_ms = then - (before + server->asked_for_ms / 2);
	return rc;
}

static int ask_settings(struct setup_server *server, struct pg *pg, const struct deadline *dl)
{
	static const char sql[] =
	    "SELECT left(coalesce((SELECT string_agg(name, ', ' ORDER BY name) FROM pg_settings"
	    "  WHERE pending_restart), ''), 100),"
	    " left(coalesce((SELECT string_agg(coalesce(r.rolname, 'everybody') || ' in '"
	    "   || coalesce(d.datname, 'every database'), ', ')"
	    "  FROM pg_db_role_setting s LEFT JOIN pg_roles r ON r.oid = s.setrole"
	    "  LEFT JOIN pg_database d ON d.oid = s.setdatabase, unnest(s.setconfig) c"
	    "  WHERE c IN ('synchronous_commit=off', 'synchronous_commit=local',"
	    "   'synchronous_commit=remote_write')), ''), 100)";
	struct pg_result AUTO_PG_RESULT *row = NULL;
	int rc = pg_query(&row, pg, sql, 2, 1, dl);

	if (rc == 0)
		rc = pg_get_text(row, 0, 0, server->pending, sizeof(server->pending));
	if (rc == 0)
		rc = pg_get_text(row, 0, 1, server->overrides, sizeof(server->overrides));
	return rc;
}

/* ---- the other node, as the server here sees it ---- */

struct words {
	char peer[CFG_ADDR_MAX * 2];
	char role[CFG_NAME_MAX * 2];
	char database[CFG_NAME_MAX * 2];
};

static int words_of(struct words *words, const struct cfg *cfg, struct pg *pg)
{
	int rc = pg_literal(pg, cfg_peer(cfg)->address, words->peer, sizeof(words->peer));

	if (rc == 0)
		rc = pg_literal(pg, cfg->role, words->role, sizeof(words->role));
	if (rc == 0)
		rc = pg_literal(pg, cfg->database, words->database, sizeof(words->database));
	return rc;
}

/* A connection that is there proves that it is let in; none proves nothing. */
static int ask_sessions(struct setup_server *server, const struct words *words, struct pg *pg,
			const struct deadline *dl)
{
	struct pg_result AUTO_PG_RESULT *row = NULL;
	bool asks = false, replicates = false;
	char sql[768];
	int rc;

	(void)snprintf(sql, sizeof(sql),
		       "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE usename = %s"
		       "  AND client_addr = %s::inet AND backend_type = 'client backend'),"
		       " EXISTS (SELECT FROM pg_stat_replication WHERE usename = %s"
		       "  AND client_addr = %s::inet)",
		       words->role, words->peer, words->role, words->peer);
	rc = pg_query(&row, pg, sql, 2, 1, dl);
	if (rc == 0)
		rc = pg_get_bool(row, 0, 0, &asks);
	if (rc == 0)
		rc = pg_get_bool(row, 0, 1, &replicates);
	if (rc == 0 && asks)
		server->peer_asks = FACT_YES;
	if (rc == 0 && replicates)
		server->peer_replicates = FACT_YES;
	return rc;
}

/*
 * The first line of pg_hba.conf for the other node's address, as it is now.  A host name, a group
 * or a pattern is not resolved here: without a line that fits for certain, such a one makes the
 * answer unknown.
 */
static int ask_hba(enum fact *may, const struct words *words, const char *database, struct pg *pg,
		   const struct deadline *dl)
{
	struct pg_result AUTO_PG_RESULT *row = NULL;
	bool fits = false, rejects = false, odd = false;
	char sql[2048];
	int rc;

	(void)snprintf(
	    sql, sizeof(sql),
	    "WITH line AS (SELECT line_number, auth_method,"
	    "  CASE WHEN address IN ('all', 'samenet') THEN true"
	    "   WHEN address ~ '^[0-9a-fA-F.:]+$' THEN"
	    "    CASE WHEN family(address::inet) = family(%s::inet)"
	    "     THEN host(address::inet & netmask::inet) = host(%s::inet & netmask::inet)"
	    "     ELSE false END"
	    "   WHEN address = 'samehost' THEN false END AS at,"
	    "  user_name && ARRAY['all', %s] AS of_us, user_name::text ~ '[+/]' AS of_some"
	    "  FROM pg_hba_file_rules WHERE error IS NULL AND starts_with(type, 'host')"
	    "  AND %s)"
	    " SELECT EXISTS (SELECT FROM line WHERE at AND of_us),"
	    "  coalesce((SELECT auth_method = 'reject' FROM line WHERE at AND of_us"
	    "   ORDER BY line_number LIMIT 1), false),"
	    "  EXISTS (SELECT FROM line WHERE coalesce(at, true) AND (of_us OR of_some)"
	    "   AND NOT (coalesce(at, false) AND of_us))",
	    words->peer, words->peer, words->role, database);
	rc = pg_query(&row, pg, sql, 3, 1, dl);
	if (rc == 0)
		rc = pg_get_bool(row, 0, 0, &fits);
	if (rc == 0)
		rc = pg_get_bool(row, 0, 1, &rejects);
	if (rc == 0)
		rc = pg_get_bool(row, 0, 2, &odd);
	if (rc == 0 && (fits || !odd))
		*may = fact_of(fits && !rejects);
	return rc;
}

static int ask_hba_error(struct setup_server *server, struct pg *pg, const struct deadline *dl)
{
	static const char sql[] =
	    "SELECT coalesce((SELECT left('line ' || line_number || ': ' || error, 120)"
	    " FROM pg_hba_file_rules WHERE error IS NOT NULL ORDER BY line_number LIMIT 1), '')";
	struct pg_result AUTO_PG_RESULT *row = NULL;
	int rc = pg_query(&row, pg, sql, 1, 1, dl);

	return rc < 0 ? rc : pg_get_text(row, 0, 0, server->hba_error, sizeof(server->hba_error));
}

/* Another role than the owner may not read pg_hba_file_rules: then it stays unknown. */
static int ask_about_peer(struct setup_server *server, const struct cfg *cfg, struct pg *pg,
			  const struct deadline *dl)
{
	struct words words;
	char database[CFG_NAME_MAX * 2 + 64];
	int rc = words_of(&words, cfg, pg);

	if (rc == 0)
		rc = ask_sessions(server, &words, pg, dl);
	if (rc == 0)
		rc = ask_hba_error(server, pg, dl);
	(void)snprintf(database, sizeof(database), "database && ARRAY['all', %s]", words.database);
	if (rc == 0)
		rc = ask_hba(&server->peer_may_ask, &words, database, pg, dl);
	if (rc == 0)
		rc = ask_hba(&server->peer_may_replicate, &words,
			     "database && ARRAY['replication']", pg, dl);
	return rc == -EPROTO && strcmp(pg_sqlstate(pg), "42501") == 0 ? 0 : rc;
}

void setup_server_ask(struct setup_server *server, const struct cfg *cfg, enum pg_where where,
		      const struct deadline *dl)
{
	struct deadline soon = deadline_sooner(dl, ASK_MS);
	struct pg AUTO_PG *pg = NULL;
	enum pg_failure failure;
	int rc = -EPERM;

	*server = (struct setup_server){ .known = false };
	if (where == PG_LOCAL)
		rc = server_open_owner(&pg, cfg, &soon, &failure, server->why, sizeof(server->why));
	if (rc < 0) {
		pg_close(&pg);
		rc = pg_open(&pg, cfg, where, &soon, &failure, server->why, sizeof(server->why));
	}
	if (rc < 0)
		return;
	rc = ask_clock(server, pg, &soon);
	if (rc == 0)
		rc = ask_settings(server, pg, &soon);
	if (rc == 0 && where == PG_LOCAL)
		rc = ask_about_peer(server, cfg, pg, &soon);
	server->known = rc == 0;
	if (rc < 0)
		(void)snprintf(server->why, sizeof(server->why), "%.120s",
			       rc == -EPROTO && pg_error(pg)[0] != '\0' ? pg_error(pg)
									: strerror(-rc));
}
