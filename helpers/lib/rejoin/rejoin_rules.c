/* SPDX-License-Identifier: PostgreSQL */
#include "rejoin/rejoin_rules.h"

#include <string.h>

#include "base/auto.h"
#include "rejoin/rejoin_table.h"

static const struct rejoin_rule *const tables[] = { rejoin_rules_running, rejoin_rules_copy,
						    rejoin_rules_stopped };

enum rejoin_step rejoin_decide(const struct rejoin_facts *f, struct verdict *verdict)
{
	for (size_t i = 0; i < ARRAY_COUNT(tables); i++) {
		for (const struct rejoin_rule *rule = tables[i]; rule->holds != NULL; rule++) {
			if (rule->holds(f)) {
				*verdict = rule->verdict;
				return rule->step;
			}
		}
	}
	*verdict = (struct verdict){ .outcome = OUT_BUG,
				     .rule = "no-rule",
				     .message = "no rule of rejoin holds" };
	return STEP_VERDICT;
}

void rejoin_explain(const struct rejoin_facts *f, FILE *out)
{
	bool decided = false;

	for (size_t i = 0; i < ARRAY_COUNT(tables); i++) {
		for (const struct rejoin_rule *rule = tables[i]; rule->holds != NULL; rule++) {
			bool holds = rule->holds(f);

			(void)fprintf(out, "%-20s %-9s %s\n", rule->verdict.rule,
				      decided  ? "-"
				      : !holds ? "passed"
					       : "DECIDES",
				      rule->verdict.message);
			decided = decided || holds;
		}
	}
}

const char *rejoin_step_word(enum rejoin_step step)
{
	static const char *const words[STEPS] = {
		[STEP_VERDICT] = "nothing",
		[STEP_WAIT] = "wait",
		[STEP_CLEAR] = "end orphaned backends",
		[STEP_START] = "start the standby",
		[STEP_RESTORE] = "make the standby follow the other node",
		[STEP_FOLLOW] = "turn the data directory into a standby and start it",
		[STEP_UNDO] =
		    "put back the WAL that a killed pg_rewind had found, and run it again",
		[STEP_REWIND] = "run pg_rewind, turn the data directory into a standby, start it",
		[STEP_ADOPT] = "turn the rewound data directory into a standby and start it",
		[STEP_RESUME] = "start the primary again",
		[STEP_FINISH] = "clear the marks of this node",
		[STEP_REBUILD] = "take a new copy of the primary, put the old one aside, start it",
		[STEP_SWAP] = "put the new copy, which is whole, in its place and start it",
	};

	return step < STEPS ? words[step] : "unknown";
}
