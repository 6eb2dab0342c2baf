/* SPDX-License-Identifier: PostgreSQL */
/* The local server, asked as its owner: before there is a role of ours, and what only a superuser
 * may see. */
#ifndef PGV_SERVER_OWNER_H
#define PGV_SERVER_OWNER_H

#include <stddef.h>

#include "base/auto.h"
#include "base/deadline.h"
#include "config/cfg.h"
#include "postgres/pg.h"

/* As pg_open; also -EPERM and others where this process cannot be the owner. */
int server_open_owner(struct pg **pg, const struct cfg *cfg, const struct deadline *dl,
		      enum pg_failure *failure, char *why, size_t size) MUST_CHECK;

#endif
