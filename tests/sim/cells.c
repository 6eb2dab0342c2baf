/* SPDX-License-Identifier: PostgreSQL */
/* The cells of an answer, written by the fakes and read by the library (postgres/pg.h). */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "postgres/pg.h"
#include "sim.h"

FAKES(pg_result_free);
FAKES(pg_rows);
FAKES(pg_get_text);
FAKES(pg_get_bool);
FAKES(pg_get_i64);
FAKES(pg_get_lsn);
FAKES(pg_literal);

void answer_add(struct answer *answer, const char *fmt, ...)
{
	va_list args;

	if (answer->columns == CELLS_MAX)
		abort();
	answer->rows = 1;
	answer->null[answer->columns] = false;
	va_start(args, fmt);
	(void)vsnprintf(answer->cells[answer->columns++], sizeof(answer->cells[0]), fmt, args);
	va_end(args);
}

void answer_null(struct answer *answer)
{
	answer_add(answer, "%s", "");
	answer->null[answer->columns - 1] = true;
}

void answer_bool(struct answer *answer, bool value)
{
	answer_add(answer, "%s", value ? "t" : "f");
}

void FAKE(pg_result_free)(struct pg_result **result)
{
	free(*result);
	*result = NULL;
}

size_t FAKE(pg_rows)(const struct pg_result *result)
{
	return result->answer.rows;
}

int FAKE(pg_get_text)(const struct pg_result *result, size_t row, size_t column, char *value,
		      size_t size)
{
	const size_t at = row * result->answer.columns + column;

	if (result->answer.null[at])
		return -ENODATA;
	return (size_t)snprintf(value, size, "%s", result->answer.cells[at]) < size ? 0 : -EFBIG;
}

int FAKE(pg_get_bool)(const struct pg_result *result, size_t row, size_t column, bool *value)
{
	char text[8] = "";
	int rc = FAKE(pg_get_text)(result, row, column, text, sizeof(text));

	*value = text[0] == 't';
	return rc;
}

int FAKE(pg_get_i64)(const struct pg_result *result, size_t row, size_t column, int64_t *value)
{
	char text[32] = "";
	int rc = FAKE(pg_get_text)(result, row, column, text, sizeof(text));

	*value = strtoll(text, NULL, 10);
	return rc;
}

int FAKE(pg_get_lsn)(const struct pg_result *result, size_t row, size_t column, uint64_t *value)
{
	char text[32] = "";
	int rc = FAKE(pg_get_text)(result, row, column, text, sizeof(text));

	return rc < 0 ? rc : lsn_parse(text, value);
}

int FAKE(pg_literal)(struct pg *pg, const char *text, char *out, size_t size)
{
	(void)pg;
	return (size_t)snprintf(out, size, "'%s'", text) < size ? 0 : -EFBIG;
}
