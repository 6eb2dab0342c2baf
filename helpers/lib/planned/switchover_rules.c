/* SPDX-License-Identifier: PostgreSQL */
#include "planned/switchover_rules.h"

#include "base/rules.h"

static bool there_already(const struct switchover_facts *f)
{
	return (f->to_self && f->local == SERVER_PRIMARY) ||
	       (f->to_peer && f->local == SERVER_STANDBY && f->peer == SERVER_PRIMARY);
}

static bool on_standby(const struct switchover_facts *f)
{
	return f->local == SERVER_STANDBY && f->peer == SERVER_PRIMARY;
}

static bool local_refuses(const struct switchover_facts *f)
{
	return f->local == SERVER_REFUSES;
}

static bool local_silent(const struct switchover_facts *f)
{
	return f->local == SERVER_UNKNOWN;
}

static bool not_primary(const struct switchover_facts *f)
{
	return f->local != SERVER_PRIMARY;
}

static bool fenced(const struct switchover_facts *f)
{
	return f->fenced != FACT_NO;
}

static bool serves_not(const struct switchover_facts *f)
{
	return f->serves != FACT_YES;
}

static bool guard_gone(const struct switchover_facts *f)
{
	return f->guard != FACT_YES;
}

static bool no_successor(const struct switchover_facts *f)
{
	return f->successor != OUT_YES;
}

static bool behind(const struct switchover_facts *f)
{
	return f->close != FACT_YES;
}

static bool unstable(const struct switchover_facts *f)
{
	return f->stable != FACT_YES;
}

static const struct rule {
	bool (*holds)(const struct switchover_facts *f);
	enum switchover_step step;
	struct verdict verdict;
} rules[] = {
	{ there_already, SWITCHOVER_VERDICT,
	  YES("already-primary", "that node is the primary already", NULL) },
	{ local_silent, SWITCHOVER_VERDICT,
	  UNKNOWN("local-silent", "the local server did not answer in time", NULL) },
	{ local_refuses, SWITCHOVER_VERDICT,
	  REFUSED("local-refuses", "the local server lives and refuses the role of the helpers",
		  "the detail says what mends it; on the primary, as a superuser") },
	{ on_standby, SWITCHOVER_ASK,
	  YES("asks-primary", "this node is the standby: the other one is asked to hand over",
	      NULL) },
	{ not_primary, SWITCHOVER_VERDICT,
	  REFUSED("not-primary", "no primary runs on this node, nor is one seen on the other",
		  "run it on the node of the primary; \"cluster_status\" says which that is") },
	{ fenced, SWITCHOVER_VERDICT,
	  REFUSED("fenced", "this node is fenced, or it cannot be told whether it is",
		  "\"rejoin\" says what would lift the fence") },
	{ serves_not, SWITCHOVER_VERDICT,
	  REFUSED("not-serving",
		  "this primary does not serve by right, so it has nothing to hand over",
		  "\"check_primary\" says why") },
	{ guard_gone, SWITCHOVER_VERDICT,
	  REFUSED("guard-gone",
		  "the guard does not run here, so nobody would bring this node back as a standby",
		  "start its unit: systemctl start pg_vrrp-guard@NAME") },
	/* Before the next one: while it connects anew it could not take over. */
	{ unstable, SWITCHOVER_WAIT,
	  REFUSED("standby-settles",
		  "the standby does not stream with its replication slot yet, and would connect "
		  "anew in the middle of the stop",
		  "nothing was done; try again in some seconds, or with a longer --wait") },
	{ no_successor, SWITCHOVER_VERDICT,
	  REFUSED("no-successor", "the standby could not take over now",
		  "the detail says why; \"cluster_status\" shows both nodes",
		  .id = RULE_NO_SUCCESSOR) },
	{ behind, SWITCHOVER_WAIT,
	  REFUSED("standby-behind", "the standby did not catch up in time",
		  "nothing was done; try again with less load, or with a longer --wait") },
	{ RULE_ALWAYS, SWITCHOVER_GO,
	  YES("dry-run", "dry run: every condition holds, the standby would become the primary",
	      NULL) },
};
RULES(switchover_rules, rules);

enum switchover_step switchover_decide(const struct switchover_facts *f, struct verdict *verdict)
{
	const struct verdict *said = rules_decide(switchover_rules, f);

	*verdict = *said;
	return RULE_OF(struct rule, said)->step;
}

void switchover_explain(const struct switchover_facts *f, FILE *out)
{
	rules_explain(switchover_rules, f, NULL, out);
}

enum fact switchover_has_all(const struct server *standby, uint64_t final_lsn)
{
	if (final_lsn == 0 || standby->state != SERVER_STANDBY)
		return FACT_UNKNOWN;
	return fact_of(standby->received_lsn >= final_lsn);
}

enum fact switchover_slot_settled(const struct server_slots *slots, const char *standby)
{
	char name[SLOT_NAME_MAX];
	const struct server_slot *slot;

	if (!slots->known)
		return FACT_UNKNOWN;
	slot_name_of(standby, name, sizeof(name));
	slot = slot_find(slots, name);
	if (slot == NULL) /* none is made without a bound, or without room */
		return fact_of(slots->bound_bytes <= 0 || slots->room <= 0);
	return fact_of(slot->active || slot->hold == SLOT_LOST);
}
