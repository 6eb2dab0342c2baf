/* SPDX-License-Identifier: PostgreSQL */
/*
 * Synchronous replication of a primary with a record: on before it pairs, off when it serves alone.
 * All under record.lock.
 */
#ifndef PGV_DUTY_SYNC_H
#define PGV_DUTY_SYNC_H

#include <stdbool.h>

#include "base/deadline.h"
#include "check/duty_rules.h"
#include "config/cfg.h"
#include "node/follower.h"
#include "postgres/server_config.h"

/*
 * Writes synchronous_standby_names, "" or what a pairing needs, and sees it shown.  True: done;
 * sync_on, targeted and the follower say what is known now.
 */
bool duty_sync_set(struct duty_facts *f, struct follower *follower, const struct cfg *cfg,
		   const char *names, const struct deadline *dl);

/*
 * Off, of a server that serves alone.  One that takes no reload (*config says why) is told all the
 * same, and not waited for: it heeds that as soon as its files are in order.
 */
bool duty_sync_off(struct duty_facts *f, struct follower *follower, const struct cfg *cfg,
		   struct server_config *config, const struct deadline *dl);

/*
 * Where the rules come to it, since it takes connections of its own: do commits go by `names`, and
 * have they done so ever since duty_sync_set wrote them (sync_settled)?  Names that may have been
 * others in between are to be written again: sync_on is UNKNOWN then.
 */
void duty_sync_look(struct duty_facts *f, const struct follower *follower, const struct cfg *cfg,
		    const char *names, const struct deadline *dl);

#endif
