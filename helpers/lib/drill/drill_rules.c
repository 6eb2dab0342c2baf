/* SPDX-License-Identifier: PostgreSQL */
#include "drill/drill_rules.h"

#include <string.h>

#include "base/rules.h"

static const char *const words[] = {
	[DRILL_SWITCHOVER] = "switchover",
	[DRILL_CRASH] = "crash",
	[DRILL_ISOLATE] = "isolate",
};

const char *drill_word(enum drill_kind kind)
{
	return words[kind];
}

bool drill_parse(const char *word, enum drill_kind *kind)
{
	for (size_t i = 0; i < ARRAY_COUNT(words); i++) {
		if (strcmp(word, words[i]) != 0)
			continue;
		*kind = (enum drill_kind)i;
		return true;
	}
	return false;
}

static bool on_standby(const struct drill_facts *f)
{
	return f->on_standby;
}

static bool would_lose(const struct drill_facts *f)
{
	return f->kind != DRILL_SWITCHOVER && f->async && !f->may_lose;
}

static bool not_survived(const struct drill_facts *f)
{
	return f->kind != DRILL_SWITCHOVER && !f->survived;
}

static bool powers_off(const struct drill_facts *f)
{
	return f->kind == DRILL_ISOLATE && f->powers_off;
}

static bool unwanted(const struct drill_facts *f)
{
	return f->wanted == FACT_NO;
}

static bool unconfirmed(const struct drill_facts *f)
{
	return f->wanted != FACT_YES;
}

static const struct rule {
	bool (*holds)(const struct drill_facts *f);
	bool goes;
	struct verdict verdict;
} rules[] = {
	{ on_standby, false,
	  REFUSED("not-here", "this node is the standby: a drill begins on the node of the primary",
		  "run it there; \"cluster_status\" says which that is") },
	{ would_lose, false,
	  REFUSED("may-lose",
		  "in async mode this fault may lose what the standby has not received yet",
		  "--may-lose accepts that; \"drill switchover\" loses nothing") },
	{ not_survived, false,
	  REFUSED("not-survived",
		  "this configuration does not survive that fault: nobody would take over",
		  "\"cluster_config check\" lists what it survives") },
	{ powers_off, false,
	  REFUSED("powers-off", "the other node would switch this host off, and the drill with it",
		  "\"drill crash\"; or cut the network by hand, with somebody at the console") },
	{ unwanted, false,
	  REFUSED("unwanted", "the name of the cluster was not typed, so nothing was done", NULL) },
	{ unconfirmed, false,
	  REFUSED("unconfirmed", "a drill ends the connections of clients, and nobody confirmed it",
		  "run it on a terminal, or with --yes") },
	{ RULE_ALWAYS, true,
	  YES("dry-run", "dry run: every condition holds, the drill would begin", NULL) },
};
RULES(drill_rules, rules);

bool drill_decide(const struct drill_facts *f, struct verdict *verdict)
{
	const struct verdict *said = rules_decide(drill_rules, f);

	*verdict = *said;
	return RULE_OF(struct rule, said)->goes;
}

void drill_explain(const struct drill_facts *f, FILE *out)
{
	rules_explain(drill_rules, f, NULL, out);
}
