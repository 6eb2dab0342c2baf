/* SPDX-License-Identifier: PostgreSQL */
/*
 * The settings that a standby may not have lower than its primary: PostgreSQL does not start it
 * with less, or pauses its replay (CheckRequiredParameterValues in xlogrecovery.c).
 */
#ifndef PGV_SERVER_LIMITS_H
#define PGV_SERVER_LIMITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/deadline.h"
#include "postgres/pg.h"

#define SERVER_LIMITS 5
extern const char *const server_limit_names[SERVER_LIMITS];

struct server_limits {
	bool known;
	int64_t value[SERVER_LIMITS]; /* as server_limit_names */
};

/* Asks in a connection that is there.  0 or -errno; known only when all were told. */
int server_limits_ask(struct server_limits *limits, struct pg *pg,
		      const struct deadline *dl) MUST_CHECK;

/* Is one of the standby's lower?  Both must be known.  Names them: "max_connections: 50, the
 * primary has 100".  Pure. */
bool server_limits_lower(const struct server_limits *standby, const struct server_limits *primary,
			 char *what, size_t size);

#endif
