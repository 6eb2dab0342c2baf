/* SPDX-License-Identifier: PostgreSQL */
/* Slots for people and for scripts; replication_slots and cluster_status share them. */
#ifndef PGV_SLOTS_SHOW_H
#define PGV_SLOTS_SHOW_H

#include <stdbool.h>
#include <stdio.h>

#include "base/report.h"
#include "config/cfg.h"
#include "postgres/server_slots.h"

/* Holds four fifths of the bound, or has passed it. */
bool slot_is_near(const struct server_slots *slots, const struct server_slot *slot);
/* A remark on a slot, or "".  `node` is the index of the one that has it. */
const char *slot_note(const struct cfg *cfg, size_t node, const struct server_slots *slots,
		      const struct server_slot *slot);

/* all: by index of the node; those that are not known are left out. */
void slots_print(const struct server_slots all[CFG_NODES], const struct cfg *cfg, FILE *out);
void slots_print_json(struct json *json, const struct server_slots *slots, const struct cfg *cfg,
		      size_t node);

#endif
