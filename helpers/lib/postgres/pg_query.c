/* SPDX-License-Identifier: PostgreSQL */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "postgres/pg_internal.h"

static void forget_error(struct pg *pg)
{
	pg->error[0] = '\0';
	pg->sqlstate[0] = '\0';
}

/* The connection broke: whether the server had taken the statement is not known. */
static int lost(struct pg *pg)
{
	pg_first_line(pg->conn, PQerrorMessage(pg->conn), pg->error, sizeof(pg->error));
	return -ECONNRESET;
}

static int shape(struct pg *pg, const char *what)
{
	(void)snprintf(pg->error, sizeof(pg->error), "%s", what);
	return -EPROTO;
}

static int timed_out(struct pg *pg)
{
	(void)snprintf(pg->error, sizeof(pg->error), "no answer in time");
	return -ETIMEDOUT;
}

static int send_all(struct pg *pg, const char *sql, const struct deadline *dl)
{
	int unsent;
	int sent;
	int rc;

	/* The extended protocol: the server itself refuses a second statement. */
	if (pg->walsender)
		sent = PQsendQuery(pg->conn, sql);
	else
		sent = PQsendQueryParams(pg->conn, sql, 0, NULL, NULL, NULL, NULL, 0);
	if (sent == 0)
		return lost(pg);
	while ((unsent = PQflush(pg->conn)) == 1) {
		rc = pg_wait(pg->conn, POLLIN | POLLOUT, dl);
		if (rc < 0)
			return rc == -ETIMEDOUT ? timed_out(pg) : lost(pg);
		if (PQconsumeInput(pg->conn) == 0)
			return lost(pg);
	}
	return unsent < 0 ? lost(pg) : 0;
}

/* The next result, or NULL after the last one. */
static int next_result(struct pg *pg, PGresult **rows, const struct deadline *dl)
{
	int rc;

	while (PQisBusy(pg->conn) != 0) {
		rc = pg_wait(pg->conn, POLLIN, dl);
		if (rc < 0)
			return rc == -ETIMEDOUT ? timed_out(pg) : lost(pg);
		if (PQconsumeInput(pg->conn) == 0)
			return lost(pg);
	}
	*rows = PQgetResult(pg->conn);
	return 0;
}

static int refused(struct pg *pg, const PGresult *rows)
{
	const char *text = PQresultErrorField(rows, PG_DIAG_MESSAGE_PRIMARY);
	const char *sqlstate = PQresultErrorField(rows, PG_DIAG_SQLSTATE);

	pg_first_line(pg->conn, text != NULL ? text : PQresultErrorMessage(rows), pg->error,
		      sizeof(pg->error));
	if (sqlstate == NULL)
		return -ECONNRESET; /* libpq made this error up: the connection broke */
	(void)snprintf(pg->sqlstate, sizeof(pg->sqlstate), "%s", sqlstate);
	if (strcmp(sqlstate, "57014") == 0)
		return -ETIMEDOUT; /* statement_timeout, which is our deadline */
	/* A backend that was ended may have done what it was asked before. */
	return strncmp(sqlstate, "57P0", 4) == 0 ? -ECONNRESET : -EPROTO;
}

static bool is_copy(const PGresult *rows)
{
	const ExecStatusType status = PQresultStatus(rows);

	return status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH;
}

/* Takes everything that is still to come, so that the connection can be used again. */
static int drain(struct pg *pg, size_t *results, const struct deadline *dl)
{
	for (;;) {
		PGresult *more = NULL;
		int rc = next_result(pg, &more, dl);

		if (rc < 0 || more == NULL)
			return rc;
		(*results)++;
		PQclear(more);
	}
}

static int run(PGresult **rows, struct pg *pg, const char *sql, ExecStatusType wanted,
	       const struct deadline *dl)
{
	size_t results = 1;
	int rc;

	forget_error(pg);
	rc = send_all(pg, sql, dl);
	if (rc == 0)
		rc = next_result(pg, rows, dl);
	if (rc < 0)
		return rc;
	if (*rows == NULL)
		return lost(pg);
	/* A COPY would have to be read to its end first; nobody here asks for one. */
	if (is_copy(*rows))
		return shape(pg, "the server answered with a copy of a table");
	rc = drain(pg, &results, dl);
	if (PQresultStatus(*rows) == PGRES_FATAL_ERROR)
		return refused(pg, *rows);
	if (rc < 0)
		return rc;
	if (PQresultStatus(*rows) != wanted || results != 1)
		return shape(pg, "the server answered with another kind of result");
	return 0;
}

int pg_query(struct pg_result **result, struct pg *pg, const char *sql, size_t columns,
	     size_t min_rows, const struct deadline *dl)
{
	struct pg_result *made = calloc(1, sizeof(*made));
	int rc;

	*result = NULL;
	if (made == NULL)
		return -ENOMEM;
	rc = run(&made->rows, pg, sql, PGRES_TUPLES_OK, dl);
	if (rc == 0 && ((size_t)PQnfields(made->rows) != columns || pg_rows(made) < min_rows))
		rc = shape(pg, "the server answered with another number of rows or columns");
	if (rc < 0) {
		pg_result_free(&made);
		return rc;
	}
	*result = made;
	return 0;
}

int pg_command(struct pg *pg, const char *sql, const struct deadline *dl)
{
	PGresult *rows = NULL;
	int rc = run(&rows, pg, sql, PGRES_COMMAND_OK, dl);

	PQclear(rows);
	return rc;
}

const char *pg_error(const struct pg *pg)
{
	return pg->error;
}

const char *pg_sqlstate(const struct pg *pg)
{
	return pg->sqlstate;
}

enum pg_failure pg_failure_of(int rc, const struct pg *pg)
{
	if (rc == 0)
		return PG_FAIL_NONE;
	if (rc == -ETIMEDOUT)
		return PG_FAIL_LATE;
	return pg->sqlstate[0] != '\0' ? pg_failed_sqlstate(pg->sqlstate) : PG_FAIL_OTHER;
}

void pg_result_free(struct pg_result **result)
{
	if (*result == NULL)
		return;
	PQclear((*result)->rows);
	free(*result);
	*result = NULL;
}

size_t pg_rows(const struct pg_result *result)
{
	return (size_t)PQntuples(result->rows);
}

/* The cell's text; NULL with *rc set when there is none. */
static const char *cell(const struct pg_result *result, size_t row, size_t column, int *rc)
{
	const PGresult *rows = result->rows;

	*rc = -EPROTO;
	if (row >= (size_t)PQntuples(rows) || column >= (size_t)PQnfields(rows))
		return NULL;
	*rc = -ENODATA;
	if (PQgetisnull(rows, (int)row, (int)column) != 0)
		return NULL;
	*rc = 0;
	return PQgetvalue(rows, (int)row, (int)column);
}

int pg_get_bool(const struct pg_result *result, size_t row, size_t column, bool *value)
{
	int rc;
	const char *text = cell(result, row, column, &rc);

	if (text == NULL)
		return rc;
	if (strcmp(text, "t") != 0 && strcmp(text, "f") != 0)
		return -EPROTO;
	*value = text[0] == 't';
	return 0;
}

int pg_get_i64(const struct pg_result *result, size_t row, size_t column, int64_t *value)
{
	int rc;
	const char *text = cell(result, row, column, &rc);
	char *end = NULL;
	long long number;

	if (text == NULL)
		return rc;
	/* strtoll would also take leading space and a plus sign. */
	if (strspn(text + (text[0] == '-'), "0123456789") == 0)
		return -EPROTO;
	errno = 0;
	number = strtoll(text, &end, 10);
	if (errno != 0 || *end != '\0')
		return -EPROTO;
	*value = number;
	return 0;
}

int pg_get_lsn(const struct pg_result *result, size_t row, size_t column, uint64_t *value)
{
	int rc;
	const char *text = cell(result, row, column, &rc);

	if (text == NULL)
		return rc;
	return lsn_parse(text, value) < 0 ? -EPROTO : 0;
}

int pg_get_text(const struct pg_result *result, size_t row, size_t column, char *value, size_t size)
{
	int rc;
	const char *text = cell(result, row, column, &rc);

	if (text == NULL)
		return rc;
	if (strlen(text) != (size_t)PQgetlength(result->rows, (int)row, (int)column))
		return -EPROTO;
	if (strlen(text) >= size)
		return -EFBIG;
	(void)snprintf(value, size, "%s", text);
	return 0;
}

int pg_literal(struct pg *pg, const char *text, char *out, size_t size)
{
	char *literal = PQescapeLiteral(pg->conn, text, strlen(text));
	int rc = 0;

	if (literal == NULL)
		return -EINVAL;
	if (strlen(literal) < size)
		(void)snprintf(out, size, "%s", literal);
	else
		rc = -EFBIG;
	PQfreemem(literal);
	return rc;
}
