/* SPDX-License-Identifier: PostgreSQL */
#include "slots/slots_rules.h"

#include "base/auto.h"

static bool silent(const struct slots_facts *f)
{
	return !f->known || (f->local != SERVER_PRIMARY && f->local != SERVER_STANDBY);
}

static bool on_primary(const struct slots_facts *f)
{
	return f->local == SERVER_PRIMARY;
}

static bool on_standby(const struct slots_facts *f)
{
	return f->local == SERVER_STANDBY;
}

/* ---- primary_slot_name ---- */

/* pg_rewind and pg_basebackup copy the settings of the other node, and there the name means
 * nothing: a standby would not stream. */
static bool name_left(const struct slots_facts *f)
{
	return f->uses == SLOTS_NAME_LEFT || (on_primary(f) && f->uses == SLOTS_NAME_OWN);
}

static bool name_unwanted(const struct slots_facts *f)
{
	return !f->wanted && f->uses == SLOTS_NAME_OWN;
}

/* The primary says that it has no such slot, or that its WAL is gone: without, the standby streams
 * if it can at all. */
static bool name_harms(const struct slots_facts *f)
{
	return on_standby(f) && f->uses == SLOTS_NAME_OWN && !f->receiving && f->offered == FACT_NO;
}

static bool name_missing(const struct slots_facts *f)
{
	return on_standby(f) && f->uses == SLOTS_NAME_NONE && !f->withdrawn &&
	       f->offered == FACT_YES;
}

/* ---- slots of this server ---- */

static bool left(const struct slots_facts *f)
{
	return f->left;
}

static bool dead(const struct slots_facts *f)
{
	return f->dead;
}

static bool at_rest(const struct slots_facts *f)
{
	return f->there && !f->active;
}

static bool unwanted(const struct slots_facts *f)
{
	return !f->wanted && at_rest(f);
}

static bool still_used(const struct slots_facts *f)
{
	return !f->wanted && f->there;
}

static bool not_wanted(const struct slots_facts *f)
{
	return !f->wanted;
}

/* Nothing would keep it from filling the disk. */
static bool endless(const struct slots_facts *f)
{
	return f->bounded == FACT_NO && at_rest(f);
}

static bool unbounded(const struct slots_facts *f)
{
	return f->bounded != FACT_YES;
}

static bool no_room(const struct slots_facts *f)
{
	return !f->there && f->room != FACT_YES;
}

static bool missing(const struct slots_facts *f)
{
	return !f->there;
}

/* The standby has caught up some other way, so a new slot is worth the WAL that it holds. */
static bool lost_and_back(const struct slots_facts *f)
{
	return on_primary(f) && at_rest(f) && f->hold == SLOT_LOST && f->streams;
}

static bool lost(const struct slots_facts *f)
{
	return on_primary(f) && at_rest(f) && f->hold == SLOT_LOST;
}

static bool holds_too_little(const struct slots_facts *f)
{
	return on_standby(f) && at_rest(f) &&
	       (f->hold == SLOT_LOST || f->hold == SLOT_EMPTY || f->place == SLOTS_BEYOND);
}

static bool holds_too_much(const struct slots_facts *f)
{
	return on_standby(f) && at_rest(f) && f->place == SLOTS_BEFORE;
}

/* ---- how it ends ---- */

static bool name_foreign(const struct slots_facts *f)
{
	return on_standby(f) && f->uses == SLOTS_NAME_FOREIGN;
}

static bool takeover(const struct slots_facts *f)
{
	return on_standby(f) && f->withdrawn;
}

static bool no_primary(const struct slots_facts *f)
{
	return on_standby(f) && f->primary != FACT_YES;
}

static bool primary_unbounded(const struct slots_facts *f)
{
	return on_standby(f) && f->uses == SLOTS_NAME_NONE && f->peer_bounded == FACT_NO;
}

static bool not_offered(const struct slots_facts *f)
{
	return on_standby(f) && (f->uses == SLOTS_NAME_NONE || f->offered != FACT_YES);
}

static bool away_too_long(const struct slots_facts *f)
{
	return on_primary(f) && !f->streams && (f->hold == SLOT_EMPTY || f->hold == SLOT_LOST);
}

static bool always(const struct slots_facts *f)
{
	(void)f;
	return true;
}

static const struct rule {
	bool (*holds)(const struct slots_facts *f);
	enum slots_step step;
	struct verdict verdict;
} rules[] = {
	{ silent,
	  SLOTS_VERDICT,
	  { .outcome = OUT_UNKNOWN,
	    .rule = "server-silent",
	    .message = "this node's server does not say what slots it has" } },
	{ name_left,
	  SLOTS_UNNAME,
	  { .outcome = OUT_INCOMPLETE,
	    .rule = "name-left",
	    .message = "primary_slot_name is left from another time" } },
	{ name_unwanted,
	  SLOTS_UNNAME,
	  { .outcome = OUT_INCOMPLETE,
	    .rule = "name-unwanted",
	    .message = "this standby names a slot, and slots are not wanted" } },
	{ name_harms,
	  SLOTS_UNNAME,
	  { .outcome = OUT_INCOMPLETE,
	    .rule = "name-harms",
	    .message = "this standby names a slot that the primary has not" } },
	{ left,
	  SLOTS_DROP_LEFT,
	  { .outcome = OUT_INCOMPLETE,
	    .rule = "slot-left",
	    .message = "a slot is left that no node of this cluster uses" } },
	{ dead,
	  SLOTS_DROP_DEAD,
	  { .outcome = OUT_INCOMPLETE,
	    .rule = "slot-dead",
	    .message = "a slot has lost its WAL: nobody can use it any more" } },
	{ unwanted,
	  SLOTS_DROP,
	  { .outcome = OUT_INCOMPLETE,
	    .rule = "slot-unwanted",
	    .message = "there is a slot, and slots are not wanted" } },
	{ still_used,
	  SLOTS_VERDICT,
	  { .outcome = OUT_INCOMPLETE,
	    .rule = "slot-used",
	    .message = "slots are not wanted, and the other node still uses one" } },
	{ not_wanted,
	  SLOTS_VERDICT,
	  { .outcome = OUT_YES,
	    .rule = "not-wanted",
	    .message = "slots are not wanted, and there are none" } },
	{ endless,
	  SLOTS_DROP,
	  { .outcome = OUT_INCOMPLETE,
	    .rule = "slot-endless",
	    .message = "nothing bounds what the slot holds, and nobody uses it" } },
	{ unbounded,
	  SLOTS_VERDICT,
	  { .outcome = OUT_REFUSED,
	    .rule = "unbounded",
	    .message = "no slot is made: it could fill the disk",
	    .hint = "set max_slot_wal_keep_size on both nodes, as \"cluster_config postgresql\" "
		    "prints it, or \"slots = no\"" } },
	{ no_room,
	  SLOTS_VERDICT,
	  { .outcome = OUT_REFUSED,
	    .rule = "no-room",
	    .message = "the server takes no more slots",
	    .hint = "raise max_replication_slots, or drop a slot that nobody uses" } },
	{ missing,
	  SLOTS_CREATE,
	  { .outcome = OUT_INCOMPLETE,
	    .rule = "slot-missing",
	    .message = "the slot of the other node is not there" } },
	{ lost_and_back,
	  SLOTS_RENEW,
	  { .outcome = OUT_INCOMPLETE,
	    .rule = "slot-lost",
	    .message = "the slot of the other node is lost, and that node streams without" } },
	{ lost,
	  SLOTS_EMPTY,
	  { .outcome = OUT_INCOMPLETE,
	    .rule = "slot-lost",
	    .message = "the slot of the other node is lost" } },
	{ holds_too_little,
	  SLOTS_RENEW,
	  { .outcome = OUT_INCOMPLETE,
	    .rule = "slot-short",
	    .message = "the slot holds less than the other node may need" } },
	{ holds_too_much,
	  SLOTS_ADVANCE,
	  { .outcome = OUT_INCOMPLETE,
	    .rule = "slot-behind",
	    .message = "the slot holds more than the other node may need" } },
	{ name_missing,
	  SLOTS_NAME,
	  { .outcome = OUT_INCOMPLETE,
	    .rule = "name-missing",
	    .message = "the primary has a slot for this standby, which does not use it" } },
	{ name_foreign,
	  SLOTS_VERDICT,
	  { .outcome = OUT_REFUSED,
	    .rule = "name-foreign",
	    .message = "primary_slot_name is somebody else's, so it is left alone",
	    .hint = "remove the setting, or set \"slots = no\"" } },
	{ takeover,
	  SLOTS_VERDICT,
	  { .outcome = OUT_INCOMPLETE,
	    .rule = "takeover",
	    .message = "this standby's vote is withdrawn" } },
	{ no_primary,
	  SLOTS_VERDICT,
	  { .outcome = OUT_UNKNOWN,
	    .rule = "no-primary",
	    .message = "no primary answers that could have a slot for this standby" } },
	{ primary_unbounded,
	  SLOTS_VERDICT,
	  { .outcome = OUT_REFUSED,
	    .rule = "primary-unbounded",
	    .message = "the primary has no bound, and so no slot for this standby",
	    .hint = "set max_slot_wal_keep_size on both nodes, as \"cluster_config postgresql\" "
		    "prints it" } },
	{ not_offered,
	  SLOTS_VERDICT,
	  { .outcome = OUT_INCOMPLETE,
	    .rule = "not-offered",
	    .message = "the primary has no slot for this standby yet" } },
	{ away_too_long,
	  SLOTS_VERDICT,
	  { .outcome = OUT_NO,
	    .rule = "away-too-long",
	    .message = "no WAL is held for the standby: it was away for longer than "
		       "max_slot_wal_keep_size allows",
	    .hint = "\"rejoin\" there says whether it can follow all the same, or needs a new "
		    "copy" } },
	{ always,
	  SLOTS_VERDICT,
	  { .outcome = OUT_YES,
	    .rule = "kept",
	    .message = "the WAL that the other node needs is held for it" } },
};

enum slots_step slots_decide(const struct slots_facts *f, struct verdict *verdict)
{
	const struct rule *rule = rules;

	while (!rule->holds(f))
		rule++; /* ends: the last rule always holds */
	*verdict = rule->verdict;
	return rule->step;
}

void slots_explain(const struct slots_facts *f, FILE *out)
{
	struct verdict verdict;
	const enum slots_step decided = slots_decide(f, &verdict);

	for (size_t i = 0; i < ARRAY_COUNT(rules); i++) {
		const bool holds = rules[i].holds(f);

		(void)fprintf(out, "%-18s %-4s %s\n", rules[i].verdict.rule, holds ? "yes" : "no",
			      slots_step_word(rules[i].step));
		if (holds)
			break;
	}
	(void)fprintf(out, "decided: %s, %s\n", verdict.rule, slots_step_word(decided));
}

const char *slots_step_word(enum slots_step step)
{
	static const char *const words[SLOTS_STEPS] = {
		[SLOTS_VERDICT] = "nothing to do",
		[SLOTS_UNNAME] = "take primary_slot_name away",
		[SLOTS_NAME] = "set primary_slot_name",
		[SLOTS_DROP_LEFT] = "drop the slot that nobody uses",
		[SLOTS_DROP_DEAD] = "drop the slot that is lost",
		[SLOTS_DROP] = "drop the slot of the other node",
		[SLOTS_CREATE] = "create the slot of the other node",
		[SLOTS_EMPTY] = "replace the slot by an empty one",
		[SLOTS_RENEW] = "make the slot anew",
		[SLOTS_ADVANCE] = "advance the slot",
	};

	return step < SLOTS_STEPS ? words[step] : "nothing to do";
}
