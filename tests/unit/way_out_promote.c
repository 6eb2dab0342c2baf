/* SPDX-License-Identifier: PostgreSQL */
/* promote_safe, by its own rules. */
#include "promote/promote_rules.h"
#include "way_out.h"

/* More than the rules have steps. */
#define STEPS_MAX 12

void way_out_promote(struct cluster *c, int n, enum command command, struct verdict *verdict);

static struct promote_facts look(const struct cluster *c, int n, enum command command)
{
	const struct place *node = &c->node[n], *peer = &c->node[1 - n];
	bool mine = c->has_row && c->holder == n;
	bool accepts = command == PROMOTE_ACCEPT || command == PROMOTE_WORD;
	bool behind = c->stale && !mine && !accepts;

	return (struct promote_facts){
		.local = node->is == IS_STANDBY   ? SERVER_STANDBY
			 : node->is == IS_PRIMARY ? SERVER_PRIMARY
						  : SERVER_DOWN,
		.fenced = fact_of(node->fenced),
		.replay_paused = FACT_NO,
		.rights = FACT_YES,
		.peer_is_primary =
		    peer->is >= IS_STANDBY ? fact_of(peer->is == IS_PRIMARY) : FACT_UNKNOWN,
		.peer_is_standby =
		    peer->is >= IS_STANDBY ? fact_of(peer->is == IS_STANDBY) : FACT_UNKNOWN,
		.peer_is_starting = FACT_NO,
		.keepalived_alive = FACT_YES,
		.election_master = FACT_YES,
		.witness_seen = FACT_YES,
		.fresh_enough = fact_of(!behind),
		.behind = behind,
		.withdrawn = FACT_NO,
		.waited = FACT_NO,
		.record_still = FACT_NO,
		.no_sign_of_life = FACT_UNKNOWN,
		.replayed = FACT_NO,
		.has_record = c->keeps_record,
		.trust = c->has_row ? RECORD_GOOD : RECORD_ABSENT,
		.record_ours = mine,
		.record_paired = c->has_row && !mine && c->paired,
		.record_released = c->has_row && peer->is != IS_PRIMARY,
		.accepted = accepts,
		.override = command == PROMOTE_WORD,
		.peer_down_by_operator = command == PROMOTE_WORD,
		.by_hand = command != PROMOTE,
	};
}

/* The other node obeys over ssh: its server ends, and stays down.  Replaces what replaces() in
 * harmless.c does. */
static void fence_peer(struct cluster *c, int n)
{
	struct place *peer = &c->node[1 - n];

	if (peer->is == IS_OFF)
		return;
	peer->is = IS_DOWN;
	if (!peer->fenced || peer->by == FENCED_BY_GUARD ||
	    (peer->by == FENCED_BY_OPERATOR && !c->keeps_record))
		peer->by = FENCED_BY_PEER;
	peer->fenced = true;
}

static void step_on(struct cluster *c, int n, struct promote_facts *f, enum promote_step step)
{
	bool answers = c->node[1 - n].is != IS_OFF;

	f->fence_over = true;
	switch (step) {
	case STEP_WITHDRAW:
		f->withdrawn = FACT_YES;
		if (answers && !f->record_ours)
			fence_peer(c, n);
		if (answers && !f->record_ours)
			f->fence = FENCE_FENCED;
		break;
	case STEP_WAIT:
		f->waited = FACT_YES;
		f->record_still = FACT_YES;
		f->replayed = FACT_YES;
		break;
	case STEP_POWER:
		f->power_left = false;
		break;
	case STEP_PROBE:
		f->no_sign_of_life = fact_of(!answers);
		break;
	case STEP_CLEAR: /* no session holds replay up here */
	case STEP_VERDICT:
	case STEP_PROMOTE:
		break;
	}
}

void way_out_promote(struct cluster *c, int n, enum command command, struct verdict *verdict)
{
	struct promote_facts f = look(c, n, command);
	enum promote_step step = STEP_VERDICT;

	for (int steps = 0; steps < STEPS_MAX; steps++) {
		step = promote_decide(&f, verdict);
		if (step == STEP_VERDICT || step == STEP_PROMOTE)
			break;
		step_on(c, n, &f, step);
	}
	if (step != STEP_PROMOTE)
		return;
	c->node[n].is = IS_PRIMARY;
	c->node[n].primary_form = true;
	c->node[n].withdrawn = false;
	c->newer = n;
	c->has_row = c->keeps_record;
	c->holder = n;
	c->paired = false;
}
