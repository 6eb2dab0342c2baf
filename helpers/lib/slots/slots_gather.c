/* SPDX-License-Identifier: PostgreSQL */
#include "slots/slots_gather.h"

#include <string.h>

/* Each question has its own time, so that a node that is away takes none from the others. */
static void ask(struct server *server, const struct slots *s, enum pg_where where)
{
	const struct deadline soon = deadline_sooner(&s->dl, s->cfg->check_budget_ms);

	server_ask(server, s->cfg, where, &soon);
}

static void ask_slots(struct server_slots *slots, const struct slots *s, enum pg_where where)
{
	const struct deadline soon = deadline_sooner(&s->dl, s->cfg->check_budget_ms);

	server_slots_ask(slots, s->cfg, where, &soon);
}

static enum slots_name name_of(const struct slots *s)
{
	if (s->here.uses[0] == '\0')
		return SLOTS_NAME_NONE;
	if (strcmp(s->here.uses, s->own) == 0)
		return SLOTS_NAME_OWN;
	return slot_is_ours(s->here.uses) ? SLOTS_NAME_LEFT : SLOTS_NAME_FOREIGN;
}

static enum slots_place place_of(const struct slots *s, const struct server_slot *slot)
{
	/* While a restartpoint is written the server is ahead of what the control file says. */
	if (s->made || slot->restart_lsn == s->here.redo_lsn)
		return SLOTS_AT;
	return slot->restart_lsn < s->here.redo_lsn ? SLOTS_BEFORE : SLOTS_BEYOND;
}

static void facts_of_slot(struct slots *s, const struct server_slot *slot)
{
	struct slots_facts *f = &s->facts;
	const bool is_ours = slot_is_ours(slot->name);

	if (strcmp(slot->name, s->others) == 0) {
		f->there = true;
		f->active = slot->active;
		f->hold = slot->hold;
		f->place = place_of(s, slot);
		return;
	}
	if (slot->active)
		return;
	f->left = f->left || is_ours;
	f->dead = f->dead || (!is_ours && slot->hold == SLOT_LOST && s->cfg->drop_lost_slots);
	if (s->drop == NULL && (is_ours || f->dead))
		s->drop = slot;
}

static void facts_of_here(struct slots *s)
{
	struct slots_facts *f = &s->facts;
	const struct server_slots *here = &s->here;

	f->local = s->local.state;
	/* The server was promoted, or ended, between the two questions. */
	f->known = here->known && here->standby == (s->local.state == SERVER_STANDBY);
	if (!f->known)
		return;
	f->bounded = fact_of(here->bound_bytes > 0);
	f->room = fact_of(here->room > 0);
	f->uses = name_of(s);
	f->streams = s->local.peer_streams;
	f->receiving = s->local.receiving;
	f->withdrawn = s->local.withdrawn;
	/* Ours come first, so that the one to be dropped is one of those if there is any. */
	for (size_t i = 0; i < here->count; i++)
		facts_of_slot(s, &here->slots[i]);
}

/* Only of a primary of our system is it said what it offers. */
static void facts_of_there(struct slots *s)
{
	struct slots_facts *f = &s->facts;
	const struct server_slot *slot;

	ask(&s->peer, s, PG_PEER);
	if (s->peer.state == SERVER_UNKNOWN || s->peer.state == SERVER_REFUSES)
		return;
	f->primary = fact_of(s->peer.state == SERVER_PRIMARY &&
			     s->peer.system_identifier == s->local.system_identifier);
	if (f->primary != FACT_YES)
		return;
	ask_slots(&s->there, s, PG_PEER);
	if (!s->there.known || s->there.standby) {
		f->primary = FACT_UNKNOWN;
		return;
	}
	slot = slot_find(&s->there, s->own);
	f->peer_bounded = fact_of(s->there.bound_bytes > 0);
	/* A slot that somebody else streams with, a base backup perhaps, would turn us away. */
	f->offered =
	    fact_of(slot != NULL && slot->hold != SLOT_LOST && slot->hold != SLOT_UNKNOWN &&
		    (!slot->active || f->uses == SLOTS_NAME_OWN));
}

void slots_begin(struct slots *slots, const struct cfg *cfg, const struct deadline *dl)
{
	*slots = (struct slots){ .cfg = cfg, .dl = *dl };
	slot_name_of(cfg_self(cfg)->name, slots->own, sizeof(slots->own));
	slot_name_of(cfg_peer(cfg)->name, slots->others, sizeof(slots->others));
}

void slots_gather(struct slots *s)
{
	s->facts = (struct slots_facts){ .wanted = s->cfg->slots };
	s->drop = NULL;
	s->there = (struct server_slots){ .known = false };
	ask(&s->local, s, PG_LOCAL);
	ask_slots(&s->here, s, PG_LOCAL);
	facts_of_here(s);
	if (s->facts.known && s->local.state == SERVER_STANDBY)
		facts_of_there(s);
}
