/* SPDX-License-Identifier: PostgreSQL */
#include "slots/slots_rules.h"

#include "base/rules.h"

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

static const struct rule {
	bool (*holds)(const struct slots_facts *f);
	enum slots_step step;
	struct verdict verdict;
} rules[] = {
	{ silent, SLOTS_VERDICT,
	  UNKNOWN("server-silent", "the slots of this node's server are unknown: it did not answer",
		  NULL) },
	{ name_left, SLOTS_UNNAME,
	  INCOMPLETE("slot-name-stale",
		     "primary_slot_name names a slot of this cluster that is not used any more",
		     NULL) },
	{ name_unwanted, SLOTS_UNNAME,
	  INCOMPLETE("name-unwanted",
		     "primary_slot_name is set, and the configuration says slots = no", NULL) },
	{ name_harms, SLOTS_UNNAME,
	  INCOMPLETE("slot-name-unknown",
		     "primary_slot_name names a slot that the primary does not have", NULL) },
	{ left, SLOTS_DROP_LEFT,
	  INCOMPLETE("slot-leftover", "a slot is left that no node of this cluster uses", NULL) },
	{ dead, SLOTS_DROP_DEAD,
	  INCOMPLETE("slot-invalid", "a slot has lost its WAL: nobody can use it any more", NULL) },
	{ unwanted, SLOTS_DROP,
	  INCOMPLETE("slot-unwanted", "there is a slot, and the configuration says slots = no",
		     NULL) },
	{ still_used, SLOTS_VERDICT,
	  INCOMPLETE("slot-used",
		     "the configuration says slots = no, and the other node still uses one",
		     NULL) },
	{ not_wanted, SLOTS_VERDICT,
	  YES("not-wanted", "the configuration says slots = no, and there are none", NULL) },
	{ endless, SLOTS_DROP,
	  INCOMPLETE("slot-unbounded",
		     "max_slot_wal_keep_size is unlimited, and nobody uses the slot", NULL) },
	{ unbounded, SLOTS_VERDICT,
	  REFUSED(
	      "unbounded",
	      "no slot is created: max_slot_wal_keep_size is unlimited, so it could fill the disk",
	      "set max_slot_wal_keep_size on both nodes, as \"cluster_config postgresql\" "
	      "prints it, or \"slots = no\"") },
	{ no_room, SLOTS_VERDICT,
	  REFUSED("no-room", "the server takes no more slots",
		  "raise max_replication_slots, or drop a slot that nobody uses") },
	{ missing, SLOTS_CREATE,
	  INCOMPLETE("slot-missing", "the slot of the other node is not there", NULL) },
	{ lost_and_back, SLOTS_RENEW,
	  INCOMPLETE("slot-lost",
		     "the slot of the other node is lost, and that node streams without", NULL) },
	{ lost, SLOTS_EMPTY, INCOMPLETE("slot-lost", "the slot of the other node is lost", NULL) },
	{ holds_too_little, SLOTS_RENEW,
	  INCOMPLETE("slot-short", "the slot holds less than the other node may need", NULL) },
	{ holds_too_much, SLOTS_ADVANCE,
	  INCOMPLETE("slot-behind", "the slot holds more than the other node may need", NULL) },
	{ name_missing, SLOTS_NAME,
	  INCOMPLETE("name-missing",
		     "the primary has a slot for this standby, which does not use it", NULL) },
	{ name_foreign, SLOTS_VERDICT,
	  REFUSED("name-foreign",
		  "primary_slot_name names a slot of somebody else, so it is left alone",
		  "remove the setting, or set \"slots = no\"") },
	{ takeover, SLOTS_VERDICT,
	  INCOMPLETE("takeover", "this standby's vote is withdrawn", NULL) },
	{ no_primary, SLOTS_VERDICT,
	  UNKNOWN("no-primary", "no primary answers that could have a slot for this standby",
		  NULL) },
	{ primary_unbounded, SLOTS_VERDICT,
	  REFUSED(
	      "primary-unbounded",
	      "the primary has no slot for this standby: its max_slot_wal_keep_size is unlimited",
	      "set max_slot_wal_keep_size on both nodes, as \"cluster_config postgresql\" "
	      "prints it") },
	{ not_offered, SLOTS_VERDICT,
	  INCOMPLETE("not-offered", "the primary has no slot for this standby yet", NULL) },
	{ away_too_long, SLOTS_VERDICT,
	  NO("away-too-long",
	     "no WAL is held for the standby: it was away for longer than "
	     "max_slot_wal_keep_size allows",
	     "\"rejoin\" there says whether it can follow all the same, or needs a new "
	     "copy") },
	{ RULE_ALWAYS, SLOTS_VERDICT,
	  YES("wal-held", "the WAL that the other node needs is held for it", NULL) },
};

RULES(slots_rules, rules);

enum slots_step slots_decide(const struct slots_facts *f, struct verdict *verdict)
{
	const struct verdict *said = rules_decide(slots_rules, f);

	*verdict = *said;
	return RULE_OF(struct rule, said)->step;
}

void slots_explain(const struct slots_facts *f, FILE *out)
{
	struct verdict verdict;

	rules_explain(slots_rules, f, NULL, out);
	(void)fprintf(out, "next: %s\n", slots_step_word(slots_decide(f, &verdict)));
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
