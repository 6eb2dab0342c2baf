/* SPDX-License-Identifier: PostgreSQL */
#include "slots/slots_show.h"

#include <inttypes.h>
#include <string.h>

#include "base/auto.h"

bool slot_is_near(const struct server_slots *slots, const struct server_slot *slot)
{
	return slot->hold == SLOT_LATE ||
	       (slots->bound_bytes > 0 && slot->held_bytes > (uint64_t)slots->bound_bytes / 5 * 4);
}

/* Is this slot for the node that has not got it? */
static bool is_for_other(const struct cfg *cfg, size_t node, const struct server_slot *slot)
{
	char name[SLOT_NAME_MAX];

	slot_name_of(cfg->nodes[1 - node].name, name, sizeof(name));
	return strcmp(slot->name, name) == 0;
}

const char *slot_note(const struct cfg *cfg, size_t node, const struct server_slots *slots,
		      const struct server_slot *slot)
{
	const bool for_a_node = is_for_other(cfg, node, slot);

	if (for_a_node && !slots->standby && !slot->active &&
	    (slot->hold == SLOT_LOST || slot->hold == SLOT_EMPTY))
		return "it was away for too long: it may need a new copy";
	if (slot->hold == SLOT_LOST)
		return "its WAL is gone, nobody can use it any more";
	if (slot_is_near(slots, slot))
		return slot->active ? "close to the bound"
				    : "close to the bound, and nobody uses it";
	if (!for_a_node && slot_is_ours(slot->name))
		return "of no node of this cluster";
	return "";
}

static void rows_of(struct table *table, const struct server_slots *slots, const struct cfg *cfg,
		    size_t node)
{
	char bound[32] = "none";

	if (slots->bound_bytes >= 0)
		report_bytes((uint64_t)slots->bound_bytes, bound, sizeof(bound));
	for (size_t i = 0; i < slots->count; i++) {
		const struct server_slot *slot = &slots->slots[i];
		const bool ours = is_for_other(cfg, node, slot);
		char held[32];
		const char *const cells[] = { cfg->nodes[node].name,
					      slot->name,
					      ours ? cfg->nodes[1 - node].name : "",
					      slot->active ? "in use" : slot_hold_word(slot->hold),
					      held,
					      bound,
					      slot_note(cfg, node, slots, slot) };

		report_bytes(slot->held_bytes, held, sizeof(held));
		table_row(table, cells);
	}
	if (slots->count == 0) {
		const char *const cells[] = { cfg->nodes[node].name,
					      "none",
					      "",
					      "",
					      "",
					      bound,
					      slots->bound_bytes <= 0 && cfg->slots
						  ? "set max_slot_wal_keep_size"
						  : "" };

		table_row(table, cells);
	}
}

void slots_print(const struct server_slots all[CFG_NODES], const struct cfg *cfg, FILE *out)
{
	static const char *const heading[] = { "NODE",  "SLOT",  "FOR",  "STATE",
					       "HOLDS", "BOUND", "NOTES" };
	struct table table = { .columns = ARRAY_COUNT(heading) };

	if (!all[0].known && !all[1].known)
		return;
	table_row(&table, heading);
	for (size_t node = 0; node < CFG_NODES; node++) {
		if (all[node].known)
			rows_of(&table, &all[node], cfg, node);
	}
	table_print(&table, out);
}

static void put_slot(struct json *json, const struct server_slots *slots, const struct cfg *cfg,
		     size_t node, const struct server_slot *slot)
{
	const bool ours = is_for_other(cfg, node, slot);
	const char *note = slot_note(cfg, node, slots, slot);
	char lsn[32];

	lsn_format(slot->restart_lsn, lsn, sizeof(lsn));
	json_object(json, NULL);
	json_text(json, "name", slot->name);
	json_text(json, "for", ours ? cfg->nodes[1 - node].name : NULL);
	json_bool(json, "active", slot->active);
	json_text(json, "state", slot_hold_word(slot->hold));
	json_text(json, "restart_lsn", slot->restart_lsn != 0 ? lsn : NULL);
	json_number(json, "held_bytes", (int64_t)slot->held_bytes);
	json_text(json, "note", note[0] != '\0' ? note : NULL);
	json_close_object(json);
}

void slots_print_json(struct json *json, const struct server_slots *slots, const struct cfg *cfg,
		      size_t node)
{
	if (!slots->known) {
		json_null(json, "slots");
		return;
	}
	json_object(json, "slots");
	if (slots->bound_bytes >= 0)
		json_number(json, "bound_bytes", slots->bound_bytes);
	else
		json_null(json, "bound_bytes");
	json_text(json, "uses", slots->uses[0] != '\0' ? slots->uses : NULL);
	json_array(json, "all");
	for (size_t i = 0; i < slots->count; i++)
		put_slot(json, slots, cfg, node, &slots->slots[i]);
	json_close_array(json);
	json_close_object(json);
}
