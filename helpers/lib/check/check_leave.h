/* SPDX-License-Identifier: PostgreSQL */
/*
 * The files that check_primary writes on its node each second, for the guard, the other helpers and
 * keepalived.  A file that cannot be written is told in the log and tried again the next second.
 */
#ifndef PGV_CHECK_LEAVE_H
#define PGV_CHECK_LEAVE_H

#include "base/deadline.h"
#include "base/verdict.h"
#include "check/check_rules.h"
#include "config/cfg.h"
#include "postgres/server.h"

/* The other node's vote for the server that runs here, with the time at which it was asked. */
void check_leave_vote(const struct cfg *cfg, const struct check_facts *f,
		      const struct server *peer);

/* On a standby: when the primary was last seen, how far it was and how far this node has got; and
 * whether it is held to its lease, which is asked by dl. */
void check_leave_contact(const struct cfg *cfg, const struct server *local,
			 const struct server *peer, const struct deadline *dl);

/* Writes what keepalived reads: the priority and the serving file. Nothing when the server has
 * changed its role since it was asked. */
void check_leave_tracks(const struct cfg *cfg, const struct check_facts *f,
			const struct verdict *verdict);

#endif
