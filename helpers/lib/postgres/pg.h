/* SPDX-License-Identifier: PostgreSQL */
/*
 * libpq under a deadline: non-blocking connect, one statement, typed columns.  At the deadline the
 * socket is closed, never PQcancel (it blocks in libpq 15).  Only pg*.c see libpq.
 */
#ifndef PGV_PG_H
#define PGV_PG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/deadline.h"
#include "config/cfg.h"

struct pg;        /* a connection */
struct pg_result; /* one result, checked: right number of columns */

enum pg_where {
	PG_LOCAL,   /* this node's server by its unix socket */
	PG_PEER,    /* the other node's server by TCP */
	PG_VIP,     /* whoever answers at the VIP */
	PG_WITNESS, /* the witness's server; only with kind = postgres */
};

/* Why a connection failed: they are different facts. */
enum pg_failure {
	PG_FAIL_NONE = 0,
	PG_FAIL_REFUSED,  /* nobody listens there: the host answered with a reset, or there is no
			     socket */
	PG_FAIL_SILENT,   /* the deadline passed, or the network says that nobody is reached */
	PG_FAIL_STARTING, /* the server is starting up, shutting down or in recovery without hot
			     standby (SQLSTATE 57P03) */
	PG_FAIL_AUTH, /* password, role, pg_hba (SQLSTATE class 28), a missing grant (42501), TLS */
	PG_FAIL_BUSY, /* too many connections (53300): it lives */
	PG_FAIL_OTHER,
};

/*
 * Always a new connection: a server's answer about its own settings is only as new as the
 * connection.  application_name is the node's name + program; search_path empty, statement_timeout
 * = the time left (PG_WITNESS: a fixed one, because such a connection is kept), client_encoding UTF8.  The session is not made read-only, because
 * default_transaction_read_only is one of the things that are asked for.  Returns 0; or -errno with
 * *failure and why[size] (server's message, first line, never a password) set and *pg NULL.
 */
int pg_open(struct pg **pg, const struct cfg *cfg, enum pg_where where, const struct deadline *dl,
	    enum pg_failure *failure, char *why, size_t size) MUST_CHECK;
/* The same as a walsender, which also takes the commands of the replication protocol. */
int pg_open_walsender(struct pg **pg, const struct cfg *cfg, enum pg_where where,
		      const struct deadline *dl, enum pg_failure *failure, char *why,
		      size_t size) MUST_CHECK;
void pg_close(struct pg **pg);

/*
 * Runs one statement that returns rows x `columns` (any number of rows, at least min_rows).  0;
 * -EPROTO: the server refused it, or answered in another shape (pg_error); -ETIMEDOUT and
 * -ECONNRESET: whether the server carried it out is not known.
 */
int pg_query(struct pg_result **result, struct pg *pg, const char *sql, size_t columns,
	     size_t min_rows, const struct deadline *dl) MUST_CHECK;
/* Runs one statement that returns none. */
int pg_command(struct pg *pg, const char *sql, const struct deadline *dl) MUST_CHECK;
/* The first line of the last server error, and its SQLSTATE ("" when there was none). */
const char *pg_error(const struct pg *pg);
const char *pg_sqlstate(const struct pg *pg);
/* The kind of failure behind what pg_query or pg_command returned. */
enum pg_failure pg_failure_of(int rc, const struct pg *pg);
void pg_result_free(struct pg_result **result);

/* Typed, strict readers of one cell.  NULL is -ENODATA; anything that is not wholly a value of the
 * type is -EPROTO; a text that does not fit is -EFBIG. */
size_t pg_rows(const struct pg_result *result);
int pg_get_bool(const struct pg_result *result, size_t row, size_t column, bool *value) MUST_CHECK;
int pg_get_i64(const struct pg_result *result, size_t row, size_t column,
	       int64_t *value) MUST_CHECK;
int pg_get_lsn(const struct pg_result *result, size_t row, size_t column,
	       uint64_t *value) MUST_CHECK;
int pg_get_text(const struct pg_result *result, size_t row, size_t column, char *value,
		size_t size) MUST_CHECK;

/* "16/B374D848" strictly; 0 or -EINVAL.  And back. */
int lsn_parse(const char *text, uint64_t *lsn) MUST_CHECK;
void lsn_format(uint64_t lsn, char *text, size_t size);

/* Escapes text as an SQL literal into out[size]; -EFBIG when it does not fit. */
int pg_literal(struct pg *pg, const char *text, char *out, size_t size) MUST_CHECK;

/* Reads `keyword` out of a conninfo string through libpq's own parser; -ENOENT, -EINVAL, -EFBIG. */
int conninfo_get(const char *conninfo, const char *keyword, char *value, size_t size) MUST_CHECK;

struct conninfo_item {
	const char *keyword;
	const char *value; /* "": left out */
};
/* A conninfo string of the items, and of what `extra` (another one) has beyond them.  0, -EINVAL
 * (extra cannot be parsed), -EFBIG. */
int conninfo_compose(const struct conninfo_item *items, size_t count, const char *extra, char *out,
		     size_t size) MUST_CHECK;

static inline void auto_pg_close(struct pg **pg)
{
	pg_close(pg);
}
static inline void auto_pg_result_free(struct pg_result **result)
{
	pg_result_free(result);
}
#define AUTO_PG        __attribute__((cleanup(auto_pg_close)))
#define AUTO_PG_RESULT __attribute__((cleanup(auto_pg_result_free)))

#endif
