/* SPDX-License-Identifier: PostgreSQL */
/* The tables of the rules of cluster_status.  Private to status_rules.c and status_host_rules.c. */
#ifndef PGV_STATUS_TABLE_H
#define PGV_STATUS_TABLE_H

#include "base/rules.h"
#include "status/status_rules.h"

struct status_rule {
	bool (*holds)(const struct status_facts *f);
	struct verdict verdict;
};

static inline bool status_has_primary(const struct status_facts *f)
{
	return f->local == SERVER_PRIMARY || f->peer == SERVER_PRIMARY;
}

/* In this order: the rules about the pair, those about this node alone, and those for facts that
 * are unknown and for "healthy". */
extern const struct rules status_pair_rules;
extern const struct rules status_host_rules;
extern const struct rules status_unknown_rules;

#endif
