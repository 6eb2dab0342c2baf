/* SPDX-License-Identifier: PostgreSQL */
/* Inside the rules of rejoin: the parts of the one table. */
#ifndef PGV_REJOIN_TABLE_H
#define PGV_REJOIN_TABLE_H

#include "base/rules.h"
#include "rejoin/rejoin_rules.h"

struct rejoin_rule {
	bool (*holds)(const struct rejoin_facts *f);
	enum rejoin_step step;
	struct verdict verdict;
};

/* In this order (rejoin_rules.c). */
extern const struct rules rejoin_rules_running;
extern const struct rules rejoin_rules_copy;
extern const struct rules rejoin_rules_stopped;
extern const struct rules rejoin_rules_alone;

/* ---- what several of them look at (rejoin_copy_rules.c) ---- */

/* Everything is known that pg_rewind has to rely on. */
bool rejoin_diverged(const struct rejoin_facts *f);
/* pg_rewind was interrupted, and nothing is there to run it again with. */
bool rejoin_half_rewound(const struct rejoin_facts *f);
/* A person said so, and knows what he discards. */
bool rejoin_copy_by_hand(const struct rejoin_facts *f);

#endif
