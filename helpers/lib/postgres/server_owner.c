/* SPDX-License-Identifier: PostgreSQL */
#include "postgres/server_owner.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/act_as.h"

/* By the unix socket the kernel says who asks, and in a new cluster pg_hba.conf believes that
 * (peer); so the process becomes the owner for as long as it connects. */
int server_open_owner(struct pg **pg, const struct cfg *cfg, const struct deadline *dl,
		      enum pg_failure *failure, char *why, size_t size)
{
	struct cfg AUTO_FREE *owner = malloc(sizeof(*owner));
	struct act_as as;
	int rc, back;

	if (owner == NULL)
		return -ENOMEM;
	*owner = *cfg;
	(void)snprintf(owner->role, sizeof(owner->role), "%s", cfg->os_user);
	(void)snprintf(owner->database, sizeof(owner->database), "postgres");
	owner->passfile[0] = '\0';
	rc = act_as_begin(&as, cfg->os_user);
	if (rc < 0)
		return rc;
	rc = pg_open(pg, owner, PG_LOCAL, dl, failure, why, size);
	back = act_as_end(&as);
	return rc < 0 ? rc : back;
}
