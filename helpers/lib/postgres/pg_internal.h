/* SPDX-License-Identifier: PostgreSQL */
/* Shared by pg*.c, the only files that see libpq. */
#ifndef PGV_PG_INTERNAL_H
#define PGV_PG_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#include <libpq-fe.h>

#include "postgres/pg.h"

struct pg {
	PGconn *conn;
	PostgresPollingStatusType
	    step;       /* what connecting waits for; PGRES_POLLING_OK: it is done */
	bool walsender; /* a replication connection, which knows only the simple protocol */
	enum pg_where where;
	int64_t opened_ms;
	bool kept;           /* its limits are those of one that outlives a deadline */
	bool borrowed;       /* it was there before */
	int64_t borrowed_ms; /* when it was opened, or borrowed again */
	int64_t took_ms;     /* from then until it was given back */
	char error[256];
	char sqlstate[6];
};

struct pg_result {
	PGresult *rows;
};

/* As pg_open; it may be given back and used again.  After PG_FAIL_LATE *pg is what was begun, which
 * the caller owns: for pg_connect_on. */
int pg_open_kept(struct pg **pg, const struct cfg *cfg, enum pg_where where,
		 const struct deadline *dl, enum pg_failure *failure, char *why,
		 size_t size) MUST_CHECK;

/*
 * Goes on with connecting until the deadline; PG_FAIL_NONE when it is done.  After PG_FAIL_LATE it
 * may be called again (libpq, "PQconnectStartParams": what to wait for is what the last step said).
 */
enum pg_failure pg_connect_on(struct pg *pg, const struct deadline *dl, char *why, size_t size);

/* How long one that is given back may be used again, from when it was opened.  Pure. */
int64_t pg_kept_for_ms(const struct pg *pg);

/* Waits for events on the connection's socket.  0, -ETIMEDOUT, or -errno. */
int pg_wait(const PGconn *conn, short events, const struct deadline *dl) MUST_CHECK;

/* The first line of text without control characters and passwords, cut between characters of
 * UTF-8. */
void pg_first_line(const PGconn *conn, const char *text, char *out, size_t size);

/* Why a connection could not be made.  at: its status when the step began that failed. */
enum pg_failure pg_failed_connect(const PGconn *conn, ConnStatusType at, char *why, size_t size);
/* The same for an SQLSTATE. */
enum pg_failure pg_failed_sqlstate(const char *sqlstate);
int pg_failure_code(enum pg_failure failure);

#endif
