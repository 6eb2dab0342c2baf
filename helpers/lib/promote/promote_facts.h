/* SPDX-License-Identifier: PostgreSQL */
/* Facts that promote_safe and the forecast of cluster_status make of the same things.  Pure. */
#ifndef PGV_PROMOTE_FACTS_H
#define PGV_PROMOTE_FACTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/outcome.h"
#include "config/cfg.h"
#include "node/contact.h"
#include "postgres/server.h"
#include "promote/promote_rules.h"
#include "record/record_trust.h"

/* Did the primary, when this standby last saw it, have more than max_lag that the standby lacks?
 * False also where that is not known. */
bool promote_known_to_lag(const struct cfg *cfg, const struct contact *contact,
			  const struct server *standby);

/*
 * Lag and age of what this standby has, from the last time it saw the primary.  In sync mode age
 * does not matter: the primary acknowledged nothing that is not here.  But a standby that has not
 * streamed since it booted knows nothing in either mode: while it was away somebody may have turned
 * synchronous replication off.  at_ms: the time at which it is asked (CLOCK_BOOTTIME).
 */
enum fact promote_fresh_enough(const struct cfg *cfg, const struct contact *contact,
			       const struct server *standby, int64_t at_ms);

/* Fills trust and what the row says for the node of this name; only a good row says anything. */
void promote_facts_of_record(struct promote_facts *f, enum record_trust trust,
			     const struct record *record, const char *name);

#endif
