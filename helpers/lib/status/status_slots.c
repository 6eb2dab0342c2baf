/* SPDX-License-Identifier: PostgreSQL */
/* Sums up the slots of both nodes.  Pure. */
#include "slots/slots_show.h"
#include "status/status.h"

/* A standby that does not follow is told of by other rules; until it does, its slot rests. */
static void facts_of_primary(struct status_facts *f, const struct status *status,
			     const struct cfg *cfg, size_t primary)
{
	const struct server_slots *slots = &status->slots[primary];
	const struct server_slot *slot;
	char name[SLOT_NAME_MAX];

	if (!slots->known)
		return;
	slot_name_of(cfg->nodes[1 - primary].name, name, sizeof(name));
	slot = slot_find(slots, name);
	f->slot_used =
	    fact_of(!status->servers[primary].peer_streams || (slot != NULL && slot->active));
	f->slot_holds = fact_of(slot == NULL || slot->active ||
				(slot->hold != SLOT_EMPTY && slot->hold != SLOT_LOST));
}

static bool any_near(const struct server_slots *slots)
{
	for (size_t i = 0; i < slots->count; i++) {
		if (slot_is_near(slots, &slots->slots[i]) || slots->slots[i].hold == SLOT_LOST)
			return true;
	}
	return false;
}

void status_slots_facts(struct status_facts *f, const struct status *status, const struct cfg *cfg,
			int primary)
{
	bool asked = false;
	bool unbounded = false;
	bool near = false;

	f->slots_wanted = cfg->slots;
	for (size_t i = 0; i < CFG_NODES; i++) {
		const struct server_slots *slots = &status->slots[i];

		asked = asked || slots->known;
		unbounded = unbounded || (slots->known && slots->bound_bytes <= 0);
		near = near || any_near(slots);
	}
	if (asked) {
		f->slots_bounded = fact_of(!unbounded);
		f->slots_near = fact_of(near);
	}
	if (primary >= 0)
		facts_of_primary(f, status, cfg, (size_t)primary);
}
