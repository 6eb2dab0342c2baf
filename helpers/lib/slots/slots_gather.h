/* SPDX-License-Identifier: PostgreSQL */
/* The facts of replication_slots, and how they are found out. */
#ifndef PGV_SLOTS_GATHER_H
#define PGV_SLOTS_GATHER_H

#include "base/deadline.h"
#include "config/cfg.h"
#include "slots/slots_rules.h"

struct slots {
	const struct cfg *cfg;
	struct deadline dl;
	char own[SLOT_NAME_MAX];    /* the slot with which this node streams */
	char others[SLOT_NAME_MAX]; /* the one with which the other node does */
	bool made; /* in this run: where it begins is where the server wanted it to */

	struct server local;
	struct server peer;
	struct server_slots here;
	struct server_slots there;      /* asked on a standby only */
	const struct server_slot *drop; /* one of `here` that nobody uses: left, or dead */
	struct slots_facts facts;
};

void slots_begin(struct slots *slots, const struct cfg *cfg, const struct deadline *dl);

/* Looks at everything, from the beginning.  Changes nothing. */
void slots_gather(struct slots *slots);

#endif
