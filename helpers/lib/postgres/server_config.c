/* SPDX-License-Identifier: PostgreSQL */
#include "postgres/server_config.h"

#include <errno.h>
#include <stdio.h>

#include "postgres/server_internal.h"

/*
 * The function below the view pg_file_settings, because a grant on it is enough.  An error that
 * stands alone (a value that is out of range, a setting that wants a restart) is passed over by a
 * reload, and the rest applied; after one that makes PostgreSQL give up nothing is (guc-file.l,
 * ProcessConfigFileInternal).  Lines that are repeated further on are not applied either, so
 * only all of them together tell.
 */
static const char question[] =
    "WITH f AS MATERIALIZED (SELECT * FROM pg_show_all_file_settings())"
    " SELECT coalesce(bool_or(error IS NOT NULL) AND NOT bool_or(applied), false),"
    " coalesce((SELECT format('%s, line %s: %s%s', sourcefile, coalesce(sourceline, 0),"
    "  name || ': ', error) FROM f WHERE error IS NOT NULL ORDER BY seqno LIMIT 1), ''),"
    " coalesce((SELECT string_agg(s.name, ', ' ORDER BY s.name) FROM pg_settings AS s"
    "  WHERE s.pending_restart), '')"
    " FROM f";

void server_config_ask(struct server_config *config, const struct cfg *cfg, enum pg_where where,
		       const struct deadline *dl)
{
	struct pg AUTO_PG *pg = NULL;
	struct pg_result AUTO_PG_RESULT *row = NULL;
	enum pg_failure failure;
	bool ignored = false;
	int rc;

	*config = (struct server_config){ .ignored = FACT_UNKNOWN };
	rc = pg_open(&pg, cfg, where, dl, &failure, config->why, sizeof(config->why));
	if (rc < 0)
		return;
	rc = pg_query(&row, pg, question, 3, 1, dl);
	if (rc == 0)
		rc = pg_get_bool(row, 0, 0, &ignored);
	if (rc < 0) {
		(void)snprintf(config->why, sizeof(config->why), "%s", pg_error(pg));
		return;
	}
	config->ignored = fact_of(ignored);
	/* The error is known, even where its place does not fit into the buffer. */
	rc = pg_get_text(row, 0, 1, config->why, sizeof(config->why));
	if (rc < 0)
		(void)snprintf(config->why, sizeof(config->why), "see pg_file_settings");
	if (!ignored) {
		(void)snprintf(config->passed, sizeof(config->passed), "%s", config->why);
		config->why[0] = '\0';
	}
	if (pg_get_text(row, 0, 2, config->pending, sizeof(config->pending)) < 0)
		(void)snprintf(config->pending, sizeof(config->pending), "many settings");
}

int server_config_reload(const struct cfg *cfg, const struct deadline *dl)
{
	struct pg AUTO_PG *pg = NULL;
	struct pg_result AUTO_PG_RESULT *row = NULL;
	int rc = server_open_local(&pg, cfg, dl);

	return rc < 0 ? rc : pg_query(&row, pg, "SELECT pg_reload_conf()", 1, 1, dl);
}

int server_config_loaded(int64_t *loaded_us, const struct cfg *cfg, const struct deadline *dl)
{
	struct pg AUTO_PG *pg = NULL;
	struct pg_result AUTO_PG_RESULT *row = NULL;
	int rc = server_open_local(&pg, cfg, dl);

	*loaded_us = 0;
	if (rc == 0)
		rc = pg_query(&row, pg,
			      "SELECT (extract(epoch FROM pg_conf_load_time()) * 1000000)::bigint",
			      1, 1, dl);
	return rc < 0 ? rc : pg_get_i64(row, 0, 0, loaded_us);
}
