/* SPDX-License-Identifier: PostgreSQL */
#include "way_out.h"

#include "rejoin/rejoin_rules.h"

/* As in rejoin.c: no way through the rules takes more steps. */
#define STEPS_MAX 12

/* Both programs' rules name their steps alike, so that each has a file of its own here. */
void way_out_promote(struct cluster *c, int n, enum command command, struct verdict *verdict);

static enum server_state seen(const struct place *node)
{
	static const enum server_state states[] = { [IS_OFF] = SERVER_UNKNOWN,
						    [IS_DOWN] = SERVER_DOWN,
						    [IS_STANDBY] = SERVER_STANDBY,
						    [IS_PRIMARY] = SERVER_PRIMARY };

	return states[node->is];
}

static enum rejoin_local local(const struct place *node)
{
	if (node->is == IS_STANDBY)
		return LOCAL_STANDBY;
	return node->is == IS_PRIMARY ? LOCAL_PRIMARY : LOCAL_DOWN;
}

static enum rejoin_right right(const struct cluster *c, int n)
{
	const struct place *node = &c->node[n];

	if (!c->keeps_record || node->is != IS_DOWN || !node->primary_form)
		return RIGHT_UNUSED;
	if (!c->has_row)
		return RIGHT_UNWRITTEN;
	if (c->holder != n)
		return RIGHT_THEIRS;
	return c->paired ? RIGHT_OURS : RIGHT_OURS_SOLO;
}

static enum rejoin_past past(const struct cluster *c, int n)
{
	const struct place *peer = &c->node[1 - n];

	if (peer->is == IS_PRIMARY)
		return c->newer == n ? PAST_OURS_NEWER : PAST_SHARED;
	return peer->is == IS_STANDBY && c->newer == 1 - n ? PAST_DIVERGED : PAST_UNKNOWN;
}

static struct rejoin_facts look(const struct cluster *c, int n)
{
	const struct place *node = &c->node[n], *peer = &c->node[1 - n];
	bool standby = node->is == IS_STANDBY;
	bool peer_runs = peer->is >= IS_STANDBY;
	bool votes = peer->is == IS_STANDBY && !peer->withdrawn && c->newer != 1 - n;

	return (struct rejoin_facts){
		.local = local(node),
		.form = node->primary_form ? PGDATA_PRIMARY : PGDATA_STANDBY,
		.right_version = FACT_YES,
		.control = FACT_YES,
		.clean = FACT_YES,
		.can_rewind = FACT_YES,
		.fenced = fact_of(node->fenced),
		.fenced_by = node->by,
		.keeps_record = c->keeps_record,
		.right = right(c, n),
		.rewinding = FACT_NO,
		.rewound = FACT_NO,
		.undoable = FACT_NO,
		.target = FACT_NO,
		.lease_runs = FACT_NO,
		.to_be_promoted = standby && c->has_row && c->holder == n,
		.promoting = fact_of(standby && c->has_row && c->holder == n),
		.withdrawn = fact_of(standby && node->withdrawn),
		.follows = fact_of(standby && !node->withdrawn),
		.streaming =
		    fact_of(standby && !node->withdrawn && peer->is == IS_PRIMARY && c->newer != n),
		.replay_paused = FACT_NO,
		.peer = seen(peer),
		.same_system = peer_runs ? FACT_YES : FACT_UNKNOWN,
		.peer_withdrawn = peer_runs ? fact_of(peer->withdrawn) : FACT_UNKNOWN,
		.peer_votes = peer_runs ? fact_of(votes) : FACT_UNKNOWN,
		.peer_ahead = FACT_NO,
		.past = past(c, n),
	};
}

static void start_primary(struct cluster *c, int n)
{
	struct place *node = &c->node[n];

	node->is = IS_PRIMARY;
	node->fenced = false;
	if (c->keeps_record && !c->has_row) {
		c->has_row = true;
		c->holder = n;
		c->paired = false;
	}
}

/* False: it is over. */
static bool act(struct cluster *c, int n, enum rejoin_step step)
{
	struct place *node = &c->node[n];

	if (step == STEP_RESUME) {
		start_primary(c, n);
	} else if (step == STEP_FINISH) {
		node->fenced = false;
	} else if (step == STEP_LIFT) {
		node->fenced = false;
		return true;
	} else if (step == STEP_RESTORE) {
		node->withdrawn = false;
		return true;
	} else if (step == STEP_START || step == STEP_FOLLOW || step == STEP_REWIND) {
		node->is = IS_STANDBY;
		node->primary_form = false;
		return true;
	}
	return false;
}

static void rejoin(struct cluster *c, int n, enum command command, struct verdict *verdict)
{
	enum rejoin_step step = STEP_START;

	for (int steps = 0; steps < STEPS_MAX; steps++) {
		struct rejoin_facts f = look(c, n);

		f.lift = command == REJOIN_LIFT;
		f.peer_down_by_operator = command == REJOIN_WORD;
		step = rejoin_decide(&f, verdict);
		if (!act(c, n, step))
			return;
	}
}

bool way_out_is_true(const struct cluster *c, int n, enum command command)
{
	const struct place *peer = &c->node[1 - n];
	bool off =
	    peer->is == IS_OFF || (c->fenced_is_cut_off && peer->is == IS_DOWN && peer->fenced);

	if (c->node[n].is == IS_OFF)
		return false;
	if (command == FORGET_ROW)
		return c->has_row && peer->is == IS_OFF;
	return off || (command != REJOIN_WORD && command != PROMOTE_WORD);
}

void way_out_run(struct cluster *c, int n, enum command command, struct verdict *verdict)
{
	struct place *node = &c->node[n];

	if (command == FENCE) {
		*verdict = (struct verdict)YES("harmless", "", NULL);
		node->is = IS_DOWN;
		node->by =
		    node->fenced && node->by != FENCED_BY_GUARD ? node->by : FENCED_BY_OPERATOR;
		node->fenced = true;
	} else if (command == FORGET_ROW) {
		*verdict = (struct verdict)YES("deleted", "", NULL);
		c->has_row = false;
	} else if (command <= REJOIN_WORD) {
		rejoin(c, n, command, verdict);
	} else {
		way_out_promote(c, n, command, verdict);
	}
}

static bool same_place(const struct place *a, const struct place *b)
{
	return a->is == b->is && a->primary_form == b->primary_form &&
	       a->withdrawn == b->withdrawn && a->fenced == b->fenced && a->by == b->by;
}

bool way_out_same(const struct cluster *a, const struct cluster *b)
{
	return same_place(&a->node[0], &b->node[0]) && same_place(&a->node[1], &b->node[1]) &&
	       a->newer == b->newer && a->has_row == b->has_row && a->holder == b->holder &&
	       a->paired == b->paired;
}
