/* SPDX-License-Identifier: PostgreSQL */
#include "rows.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "postgres/pg_internal.h"

#define COLUMNS_MAX 32

static struct input answers;

void rows_begin(struct input in)
{
	answers = in;
}

static PGresult *make_empty(size_t columns)
{
	static char name[] = "x";
	PGresAttDesc attributes[COLUMNS_MAX] = { { .name = name } };
	PGresult *rows = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);

	for (size_t i = 0; i < columns; i++)
		attributes[i].name = name;
	assert(rows != NULL && PQsetResultAttrs(rows, (int)columns, attributes) == 1);
	return rows;
}

/* False when the line has another number of cells. */
static bool add_row(PGresult *rows, char *line, size_t columns)
{
	const int row = PQntuples(rows);
	char *rest = line, *cell;
	size_t column = 0;

	while ((cell = strsep(&rest, "\t")) != NULL) {
		const bool null = strcmp(cell, "\\N") == 0;

		if (column == columns)
			return false;
		assert(PQsetvalue(rows, row, (int)column, null ? NULL : cell,
				  null ? -1 : (int)strlen(cell)) == 1);
		column++;
	}
	return column == columns;
}

static PGresult *take_answer(size_t columns, bool *good)
{
	PGresult *rows = make_empty(columns);

	*good = true;
	while (answers.left > 0) {
		char AUTO_FREE *line = input_until(&answers, '\n');

		if (strcmp(line, ".") == 0)
			break;
		*good = *good && add_row(rows, line, columns);
	}
	return rows;
}

int fake_pg_open(struct pg **pg, const struct cfg *cfg, enum pg_where where,
		 const struct deadline *dl, enum pg_failure *failure, char *why, size_t size)
    FAKE(pg_open);
int fake_pg_open(struct pg **pg, const struct cfg *cfg, enum pg_where where,
		 const struct deadline *dl, enum pg_failure *failure, char *why, size_t size)
{
	(void)cfg;
	(void)where;
	(void)dl;
	*failure = PG_FAIL_NONE;
	(void)snprintf(why, size, "%s", "");
	*pg = calloc(1, sizeof(**pg));
	assert(*pg != NULL);
	return 0;
}

int fake_pg_query(struct pg_result **result, struct pg *pg, const char *sql, size_t columns,
		  size_t min_rows, const struct deadline *dl) FAKE(pg_query);
int fake_pg_query(struct pg_result **result, struct pg *pg, const char *sql, size_t columns,
		  size_t min_rows, const struct deadline *dl)
{
	struct pg_result *made = calloc(1, sizeof(*made));
	bool good;

	(void)sql;
	(void)dl;
	assert(made != NULL && columns <= COLUMNS_MAX);
	made->rows = take_answer(columns, &good);
	*result = made;
	if (good && pg_rows(made) >= min_rows)
		return 0;
	pg_result_free(result);
	(void)snprintf(pg->error, sizeof(pg->error), "another number of rows or columns");
	return -EPROTO;
}

int fake_pg_command(struct pg *pg, const char *sql, const struct deadline *dl) FAKE(pg_command);
int fake_pg_command(struct pg *pg, const char *sql, const struct deadline *dl)
{
	(void)pg;
	(void)sql;
	(void)dl;
	return 0;
}

/* The real one asks the connection for its encoding. */
int fake_pg_literal(struct pg *pg, const char *text, char *out, size_t size) FAKE(pg_literal);
int fake_pg_literal(struct pg *pg, const char *text, char *out, size_t size)
{
	(void)pg;
	return snprintf(out, size, "'%s'", text) < (int)size ? 0 : -EFBIG;
}
