/* SPDX-License-Identifier: PostgreSQL */
#include "postgres/pg.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "postgres/pg_internal.h"

/* At most CFG_TEXT_MAX / 4 from the configuration, and fewer than 20 of ours. */
#define PARAMS_MAX (CFG_TEXT_MAX / 4 + 20)

/*
 * A connection that is kept outlives the deadline under which it was opened, so its limits cannot
 * come from that one.  This bounds how long a statement whose asker has gone waits for a locked
 * row, and is longer than any one question is waited for.
 */
#define KEPT_PATIENCE_MS 5000
/* Makes the witness's server forget the connection of a node without power after 25 s, not 2 h. */
#define WITNESS_OPTIONS \
	" -c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3"

/*
 * libpq brings OpenLDAP and that GnuTLS, whose start-up alone takes a third of the time and an
 * eighth of the memory of loading all of libpq; nothing here ever uses it.  This is its own way to
 * be told so (GNUTLS_SKIP_GLOBAL_INIT in gnutls.h).
 */
int _gnutls_global_init_skip(void);
int _gnutls_global_init_skip(void)
{
	return 1;
}

/* The two arrays of PQconnectStartParams.  Where a keyword comes twice, libpq takes the last. */
struct params {
	const char *keywords[PARAMS_MAX];
	const char *values[PARAMS_MAX];
	size_t count;
	PQconninfoOption *extra; /* owns the values that came from the configuration */
	char port[24];
	char application_name[CFG_NAME_MAX + 64];
	char options[192];
	char patience_ms[24];
};

static void param(struct params *params, const char *keyword, const char *value)
{
	assert(params->count + 1 < PARAMS_MAX);
	if (value == NULL || value[0] == '\0')
		return;
	params->keywords[params->count] = keyword;
	params->values[params->count] = value;
	params->count++;
}

/* conninfo of [postgresql] or [witness], for connections that leave this host. */
static int param_extra(struct params *params, const char *conninfo)
{
	if (conninfo == NULL || conninfo[0] == '\0')
		return 0;
	params->extra = PQconninfoParse(conninfo, NULL);
	if (params->extra == NULL)
		return -EINVAL;
	for (const PQconninfoOption *option = params->extra; option->keyword != NULL; option++)
		param(params, option->keyword, option->val);
	return 0;
}

static int param_place(struct params *params, const struct cfg *cfg, enum pg_where where)
{
	const char *address = where == PG_PEER ? cfg_peer(cfg)->address : cfg->vip;
	int rc;

	if (where == PG_LOCAL) {
		param(params, "host", cfg->socket_dir);
		return 0;
	}
	/*
	 * A question carries no secret (SCRAM never sends the password), so it does without TLS
	 * and Kerberos, which cost more than all the rest together; the configuration may ask for
	 * them.
	 */
	param(params, "sslmode", "disable");
	param(params, "gssencmode", "disable");
	rc = param_extra(params, cfg->conninfo);
	param(params, "host", address); /* what a certificate must name */
	param(params, "hostaddr", address);
	param(params, "keepalives", "1");
	param(params, "tcp_user_timeout", params->patience_ms);
	return rc;
}

/* TLS, and the name that its certificate must have, as the configuration says. */
static int param_witness(struct params *params, const struct cfg *cfg)
{
	int rc;

	param(params, "host", cfg->witness_address);
	param(params, "gssencmode", "disable");
	rc = param_extra(params, cfg->witness_conninfo);
	param(params, "hostaddr", cfg->witness_address);
	param(params, "keepalives", "1");
	param(params, "tcp_user_timeout", params->patience_ms);
	return rc;
}

static void param_account(struct params *params, const struct cfg *cfg, enum pg_where where)
{
	const bool witness = where == PG_WITNESS;
	const int64_t port = witness ? cfg->witness_port : cfg->port;

	(void)snprintf(params->port, sizeof(params->port), "%lld", (long long)port);
	param(params, "port", params->port);
	param(params, "user", witness ? cfg->witness_role : cfg->role);
	param(params, "dbname", witness ? cfg->witness_database : cfg->database);
	param(params, "passfile", witness ? cfg->witness_passfile : cfg->passfile);
}

static int params_build(struct params *params, const struct cfg *cfg, enum pg_where where,
			const struct pg *pg, const struct deadline *dl)
{
	const int64_t left = pg->kept ? KEPT_PATIENCE_MS : deadline_left_ms(dl);
	int rc;

	/* statement_timeout 0 would mean "for ever". */
	(void)snprintf(params->patience_ms, sizeof(params->patience_ms), "%lld",
		       (long long)(left < 1           ? 1
				   : left > INT32_MAX ? INT32_MAX
						      : left));
	(void)snprintf(params->application_name, sizeof(params->application_name), "%s/%s",
		       cfg_self(cfg)->name, program_invocation_short_name);
	(void)snprintf(params->options, sizeof(params->options),
		       "-c statement_timeout=%s -c search_path=%s", params->patience_ms,
		       where == PG_WITNESS ? WITNESS_OPTIONS : "");
	rc = where == PG_WITNESS ? param_witness(params, cfg) : param_place(params, cfg, where);
	param_account(params, cfg, where);
	param(params, "application_name", params->application_name);
	param(params, "options", params->options);
	param(params, "client_encoding", "UTF8");
	param(params, "replication", pg->walsender ? "database" : NULL);
	return rc;
}

static void ignore_notice(void *arg, const char *message)
{
	(void)arg;
	(void)message;
}

int pg_wait(const PGconn *conn, short events, const struct deadline *dl)
{
	struct pollfd fd = { .fd = PQsocket(conn), .events = events };
	int rc;

	if (fd.fd < 0)
		return -ENOTCONN;
	rc = deadline_poll(&fd, 1, dl);
	if (rc == 0)
		return -ETIMEDOUT;
	return rc < 0 ? rc : 0;
}

enum pg_failure pg_connect_on(struct pg *pg, const struct deadline *dl, char *why, size_t size)
{
	ConnStatusType at = CONNECTION_NEEDED;
	int rc;

	if (PQstatus(pg->conn) == CONNECTION_BAD)
		return pg_failed_connect(pg->conn, at, why, size);
	while (pg->step == PGRES_POLLING_WRITING || pg->step == PGRES_POLLING_READING) {
		at = PQstatus(pg->conn);
		rc = pg_wait(pg->conn, pg->step == PGRES_POLLING_WRITING ? POLLOUT : POLLIN, dl);
		if (rc == -ETIMEDOUT) {
			(void)snprintf(why, size, "%s",
				       at == CONNECTION_NEEDED || at == CONNECTION_STARTED
					   ? "no answer to the connection request"
					   : "connected, then no answer");
			return at == CONNECTION_NEEDED || at == CONNECTION_STARTED ? PG_FAIL_SILENT
										   : PG_FAIL_LATE;
		}
		if (rc < 0) {
			(void)snprintf(why, size, "cannot wait for the server: %s", strerror(-rc));
			return PG_FAIL_OTHER;
		}
		pg->step = PQconnectPoll(pg->conn);
	}
	if (pg->step != PGRES_POLLING_OK)
		return pg_failed_connect(pg->conn, at, why, size);
	/* Also PQfinish must not block. */
	if (PQsetnonblocking(pg->conn, 1) == 0)
		return PG_FAIL_NONE;
	(void)snprintf(why, size, "out of memory");
	return PG_FAIL_OTHER;
}

static enum pg_failure connect_server(struct pg *pg, const struct cfg *cfg, enum pg_where where,
				      const struct deadline *dl, char *why, size_t size)
{
	struct params params = { .count = 0 };
	PGconn **conn = &pg->conn;

	if (params_build(&params, cfg, where, pg, dl) < 0) {
		/* libpq would quote the part that it does not understand, a password perhaps. */
		PQconninfoFree(params.extra);
		(void)snprintf(why, size, "[%s] conninfo cannot be parsed",
			       where == PG_WITNESS ? "witness" : "postgresql");
		return PG_FAIL_OTHER;
	}
	*conn = PQconnectStartParams(params.keywords, params.values, 0);
	PQconninfoFree(params.extra);
	if (*conn == NULL) {
		(void)snprintf(why, size, "out of memory");
		return PG_FAIL_OTHER;
	}
	(void)PQsetErrorVerbosity(*conn, PQERRORS_VERBOSE);
	(void)PQsetNoticeProcessor(*conn, ignore_notice, NULL);
	pg->step = PGRES_POLLING_WRITING;
	return pg_connect_on(pg, dl, why, size);
}

/* NULL when memory ran out. */
static struct pg *begin(struct pg kind)
{
	struct pg *begun = calloc(1, sizeof(*begun));

	if (begun != NULL)
		*begun = kind;
	return begun;
}

/* Connects what was begun.  On failure *pg is NULL, but for one that may be kept and is late. */
static int open_begun(struct pg **pg, const struct cfg *cfg, enum pg_where where,
		      const struct deadline *dl, enum pg_failure *failure, char *why, size_t size)
{
	*failure = PG_FAIL_OTHER;
	if (*pg == NULL) {
		(void)snprintf(why, size, "out of memory");
		return -ENOMEM;
	}
	*failure = connect_server(*pg, cfg, where, dl, why, size);
	if (*failure == PG_FAIL_NONE)
		return 0;
	if (!(*pg)->kept || *failure != PG_FAIL_LATE)
		pg_close(pg);
	return pg_failure_code(*failure);
}

static int open_kind(struct pg **pg, struct pg kind, const struct cfg *cfg,
		     const struct deadline *dl, enum pg_failure *failure, char *why, size_t size)
{
	const enum pg_where where = kind.where;
	int rc;

	kind.opened_ms = kind.borrowed_ms = now_ms();
	*pg = begin(kind);
	rc = open_begun(pg, cfg, where, dl, failure, why, size);
	/*
	 * Clients have taken every connection: in sync mode each one that waits for a standby keeps
	 * its own.  Walsenders have places of their own (max_wal_senders), and one that names a
	 * database answers SQL (protocol-replication in the manual).
	 */
	if (rc < 0 && *failure == PG_FAIL_BUSY && where != PG_WITNESS && !kind.walsender) {
		why[0] = '\0';
		kind.walsender = true;
		*pg = begin(kind);
		rc = open_begun(pg, cfg, where, dl, failure, why, size);
	}
	return rc;
}

int pg_open(struct pg **pg, const struct cfg *cfg, enum pg_where where, const struct deadline *dl,
	    enum pg_failure *failure, char *why, size_t size)
{
	const struct pg kind = { .where = where, .kept = where == PG_WITNESS };
	int rc = open_kind(pg, kind, cfg, dl, failure, why, size);

	if (rc < 0)
		pg_close(pg);
	return rc;
}

int pg_open_kept(struct pg **pg, const struct cfg *cfg, enum pg_where where,
		 const struct deadline *dl, enum pg_failure *failure, char *why, size_t size)
{
	const struct pg kind = { .where = where, .kept = true };

	return open_kind(pg, kind, cfg, dl, failure, why, size);
}

int pg_open_walsender(struct pg **pg, const struct cfg *cfg, enum pg_where where,
		      const struct deadline *dl, enum pg_failure *failure, char *why, size_t size)
{
	const struct pg kind = { .where = where, .walsender = true };

	return open_kind(pg, kind, cfg, dl, failure, why, size);
}

void pg_close(struct pg **pg)
{
	if (*pg == NULL)
		return;
	PQfinish((*pg)->conn);
	free(*pg);
	*pg = NULL;
}
