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
	bool walsender; /* a replication connection, which knows only the simple protocol */
	char error[256];
	char sqlstate[6];
};

struct pg_result {
	PGresult *rows;
};

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
