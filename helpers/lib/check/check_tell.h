/* SPDX-License-Identifier: PostgreSQL */
/* Logs what check_primary finds out about others, once, until it changes: it is called each
 * second. */
#ifndef PGV_CHECK_TELL_H
#define PGV_CHECK_TELL_H

#include "check/check_rules.h"
#include "check/duty.h"
#include "config/cfg.h"
#include "postgres/server.h"

/*
 * A peer that refuses us is there, so nobody else would say that its vote, or our contact with it,
 * has ended: the witness alone keeps the lease, and after max_staleness a failover is refused.
 */
void check_tell_refusal(const struct cfg *cfg, const struct server *peer);

/* Describes what a primary that was never paired waits for: words[size]. */
void check_say_unpaired(char *words, size_t size, const struct cfg *cfg,
			const struct check_facts *f, const struct server *peer);

/* Nobody else would say that the record cannot be read, while votes keep the lease. */
void check_tell_record(const struct cfg *cfg, const struct duty_report *duty);

#endif
