/* SPDX-License-Identifier: PostgreSQL */
/* Shared by server_*.c. */
#ifndef PGV_SERVER_INTERNAL_H
#define PGV_SERVER_INTERNAL_H

#include "base/auto.h"
#include "base/deadline.h"
#include "config/cfg.h"
#include "postgres/pg.h"

/* Between two looks at whether a setting has arrived; a look takes a few ms itself. */
#define LOOK_AGAIN_MS 20

/* A new connection to the local server.  0 or -errno (why in log). */
int server_open_local(struct pg **pg, const struct cfg *cfg, const struct deadline *dl) MUST_CHECK;

/* ALTER SYSTEM SET setting = value, and a reload is asked for.  0; -ECONNRESET: it is not known
 * whether it was done; -ENOTCONN: nobody could be asked; -EPROTO: the server said no; -ETIMEDOUT
 * (why in log). */
int server_alter_system(const struct cfg *cfg, const char *setting, const char *value,
			const struct deadline *dl) MUST_CHECK;

#endif
