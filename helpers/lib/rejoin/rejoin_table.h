/* SPDX-License-Identifier: PostgreSQL */
/* Inside the rules of rejoin: the two halves of the one table. */
#ifndef PGV_REJOIN_TABLE_H
#define PGV_REJOIN_TABLE_H

#include "rejoin/rejoin_rules.h"

struct rejoin_rule {
	bool (*holds)(const struct rejoin_facts *f);
	enum rejoin_step step;
	struct verdict verdict;
};

/* Each ends with holds NULL; the last rule of the second one always holds. */
extern const struct rejoin_rule rejoin_rules_running[];
extern const struct rejoin_rule rejoin_rules_stopped[];

#endif
