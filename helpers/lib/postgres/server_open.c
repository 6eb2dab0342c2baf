/* SPDX-License-Identifier: PostgreSQL */
/* The connection with which the local server is asked for more than what it is. */
#include "base/log.h"
#include "postgres/server_internal.h"

int server_open_local(struct pg **pg, const struct cfg *cfg, const struct deadline *dl)
{
	enum pg_failure failure;
	char why[160];
	int rc = pg_open(pg, cfg, PG_LOCAL, dl, &failure, why, sizeof(why));

	if (rc < 0)
		log_warning("could not ask the local server: %s", why);
	return rc;
}
