/* SPDX-License-Identifier: PostgreSQL */
/* What check_primary says of others, once, until it changes: it is called each second. */
#ifndef PGV_CHECK_TELL_H
#define PGV_CHECK_TELL_H

#include "config/cfg.h"
#include "postgres/server.h"
#include "serve/duty.h"

/*
 * A peer that refuses us is there, so nobody else would say that its vote, or our contact with it,
 * has ended: the witness alone keeps the lease, and after max_staleness a failover is refused.
 */
void check_tell_refusal(const struct cfg *cfg, const struct server *peer);

/* Nobody else would say that the record cannot be read, while votes keep the lease. */
void check_tell_record(const struct cfg *cfg, const struct duty_report *duty);

#endif
