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
	PG_PLACES
};

/* Why a connection failed: they are different facts. */
enum pg_failure {
	PG_FAIL_NONE = 0,
	PG_FAIL_REFUSED, /* nobody listens there: the host answered with a reset, or there is no
			     socket */
	PG_FAIL_SILENT,  /* the deadline passed, or the network says that nobody is reached */
	PG_FAIL_LATE, /* the connection was made, and then the deadline passed: the host is there,
			     and the server is busy or stands still.  Over a kept connection it
			     may be silent as well */
	PG_FAIL_STARTING, /* the server is starting up, shutting down or in recovery without hot
			     standby (SQLSTATE 57P03) */
	/* From here to PG_FAIL_BUSY the server lives and refuses us (pg_lives). */
	PG_FAIL_AUTH,     /* role or pg_hba (SQLSTATE class 28), TLS */
	PG_FAIL_PASSWORD, /* a wrong one, none, or one that has expired (28P01) */
	PG_FAIL_RIGHT,    /* a right is missing (42501), CONNECT perhaps */
	PG_FAIL_DATABASE, /* there is none of that name (3D000), or it takes no connections (55000)
			   */
	PG_FAIL_BUSY,     /* too many connections, of all, the role or the database (53300) */
	PG_FAIL_OTHER,
};

/* Does a server that fails so live?  Its own words say that it does not want us, no more. */
bool pg_lives(enum pg_failure failure);

/*
 * Always a new connection.  A new one that shows a setting proves that the postmaster has read the
 * file and has sent SIGHUP to every session that it had (process_pm_reload_request), which is what
 * a withdrawn vote is proven by.  application_name is the node's name + program; search_path empty,
 * statement_timeout = the time left (a fixed one where the connection may be kept), client_encoding
 * UTF8.  The session is not made read-only, because default_transaction_read_only is one of the
 * things that are asked for.  Returns 0; or -errno with *failure and why[size] (server's message,
 * first line, never a password) set and *pg NULL.
 */
int pg_open(struct pg **pg, const struct cfg *cfg, enum pg_where where, const struct deadline *dl,
	    enum pg_failure *failure, char *why, size_t size) MUST_CHECK;
/* The same as a walsender, which also takes the commands of the replication protocol. */
int pg_open_walsender(struct pg **pg, const struct cfg *cfg, enum pg_where where,
		      const struct deadline *dl, enum pg_failure *failure, char *why,
		      size_t size) MUST_CHECK;
void pg_close(struct pg **pg);

/*
 * For a process that asks the same again and again: after pg_keep, what pg_return gives back is
 * used by the next pg_borrow of the same place, from whatever thread, for ten seconds (PG_WITNESS,
 * and a server that is busy: a minute) from when it was opened.  Else they are pg_open and
 * pg_close.  A connection that the server was too busy to answer within the deadline is waited for
 * by the next pg_borrow of the place, for up to ten seconds; it counts as one that was kept.
 *
 * A question that is sent over a kept connection after the postmaster has sent SIGHUP is answered
 * with the new settings: the signal is pending when the session returns from waiting for the
 * question, and PostgresMain reads the files before it looks at what it was asked
 * (ConfigReloadPending). So a lease that counts from the moment before the question was sent is as
 * short as over a new one. A session may outlive its postmaster for a moment and answer as if that
 * were there; no other server starts in its directory meanwhile, because the session is attached to
 * the shared memory (PGSharedMemoryCreate).
 */
void pg_keep(void);
/* Closes what is kept; nothing may be borrowed. */
void pg_keep_end(void);
/* As pg_open. */
int pg_borrow(struct pg **pg, const struct cfg *cfg, enum pg_where where, const struct deadline *dl,
	      enum pg_failure *failure, char *why, size_t size) MUST_CHECK;
/*
 * Connects beside what else is done, so that the next pg_borrow of the place finds a connection:
 * TLS and SCRAM take longer than the questions before it.  Only after pg_keep; fill in the first
 * three.  One that fails says nothing, the next pg_borrow tries itself.
 */
struct pg_warm {
	const struct cfg *cfg;
	enum pg_where where;
	struct deadline dl;
	pthread_t thread;
	bool beside;
};
void pg_warm_begin(struct pg_warm *warm);
/* Waits for its end, dl at the latest; may be called again, and without a beginning. */
void pg_warm_end(struct pg_warm *warm);

/* Was it there before?  When the first question over such a one ends with -ECONNRESET, its server
 * may have been started anew since: that says nothing of the server, and who only reads asks again.
 */
bool pg_was_kept(const struct pg *pg);
/* Only after an answer that was read to its end; a connection that failed is closed. */
void pg_return(struct pg **pg);

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
