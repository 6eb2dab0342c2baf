/* SPDX-License-Identifier: PostgreSQL */
/* How the standby does, as the primary sees it from one answer of its own server to the
 * next. Pure. */
#ifndef PGV_DUTY_FOLLOWER_H
#define PGV_DUTY_FOLLOWER_H

#include "check/duty_rules.h"
#include "config/cfg.h"
#include "node/follower.h"
#include "postgres/server.h"

/*
 * Takes in what our server, a primary with this postmaster, has just answered.  A follower that is
 * not known begins here: so does one that another postmaster knew, because a server that starts
 * lets commits through before it goes by synchronous_standby_names.
 */
void duty_follower_note(struct follower *follower, const struct server *local, int64_t postmaster);

/* follows, lost, too_far, near, targeted, reached; after duty_follower_note. */
void duty_follower_facts(struct duty_facts *f, const struct follower *follower,
			 const struct server *local, const struct cfg *cfg);

#endif
