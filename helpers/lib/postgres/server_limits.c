/* SPDX-License-Identifier: PostgreSQL */
#include "postgres/server_limits.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const char *const server_limit_names[SERVER_LIMITS] = {
	"max_connections",           "max_worker_processes",      "max_wal_senders",
	"max_prepared_transactions", "max_locks_per_transaction",
};

int server_limits_ask(struct server_limits *limits, struct pg *pg, const struct deadline *dl)
{
	static const char sql[] = "SELECT current_setting('max_connections')::bigint,"
				  " current_setting('max_worker_processes')::bigint,"
				  " current_setting('max_wal_senders')::bigint,"
				  " current_setting('max_prepared_transactions')::bigint,"
				  " current_setting('max_locks_per_transaction')::bigint";
	struct pg_result AUTO_PG_RESULT *row = NULL;
	int rc = pg_query(&row, pg, sql, SERVER_LIMITS, 1, dl);

	*limits = (struct server_limits){ .known = false };
	for (size_t i = 0; i < SERVER_LIMITS && rc == 0; i++)
		rc = pg_get_i64(row, 0, i, &limits->value[i]);
	limits->known = rc == 0;
	return rc;
}

bool server_limits_lower(const struct server_limits *standby, const struct server_limits *primary,
			 char *what, size_t size)
{
	bool lower = false;
	size_t used = 0;

	if (size > 0)
		what[0] = '\0';
	for (size_t i = 0; i < SERVER_LIMITS; i++) {
		int length;

		if (standby->value[i] >= primary->value[i])
			continue;
		length = snprintf(what + used, size - used,
				  "%s%s: %" PRId64 ", the primary has %" PRId64, lower ? "; " : "",
				  server_limit_names[i], standby->value[i], primary->value[i]);
		if (length > 0 && (size_t)length < size - used)
			used += (size_t)length;
		else if (used < size)
			what[used] = '\0';
		lower = true;
	}
	return lower;
}
