/* SPDX-License-Identifier: PostgreSQL */
#include "record/record_pause.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

enum column { AT_LEFT, AT_BY, AT_WHY, COLUMNS };

static bool unknown_function(const struct pg *pg)
{
	return strcmp(pg_sqlstate(pg), "42883") == 0;
}

static int read_row(struct pause *pause, const struct pg_result *row)
{
	int rc = pg_get_i64(row, 0, AT_LEFT, &pause->left_ms);

	if (rc == 0 && (pause->left_ms < 0 || pause->left_ms > 2 * PAUSE_MAX_MS))
		rc = -EPROTO;
	if (rc == 0)
		rc = pg_get_text(row, 0, AT_BY, pause->by, sizeof(pause->by));
	if (rc == 0)
		rc = pg_get_text(row, 0, AT_WHY, pause->why, sizeof(pause->why));
	text_make_harmless(pause->by);
	text_make_harmless(pause->why);
	return rc;
}

struct pause record_pause_look(struct record_link *link, const struct deadline *dl)
{
	struct pg_result AUTO_PG_RESULT *row = NULL;
	struct pause pause = { .runs = FACT_UNKNOWN };
	char cluster[2 * CFG_NAME_MAX + 4], sql[2 * CFG_NAME_MAX + 64];
	int rc;

	if (link->pg == NULL || pg_literal(link->pg, link->cfg->name, cluster, sizeof(cluster)) < 0)
		return pause;
	(void)snprintf(sql, sizeof(sql), "SELECT * FROM pgvrrp.pause_of(%s)", cluster);
	rc = pg_query(&row, link->pg, sql, COLUMNS, 1, dl);
	if (rc < 0 && unknown_function(link->pg))
		pause.runs = FACT_NO;
	else if (rc == 0 && read_row(&pause, row) == 0)
		pause.runs = fact_of(pause.left_ms > 0);
	return pause;
}
