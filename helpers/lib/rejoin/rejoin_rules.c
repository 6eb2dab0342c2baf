/* SPDX-License-Identifier: PostgreSQL */
#include "rejoin/rejoin_rules.h"

#include "rejoin/rejoin_table.h"

static const struct rules *const rejoin_rules[] = { &rejoin_rules_running, &rejoin_rules_copy,
						    &rejoin_rules_stopped, &rejoin_rules_alone,
						    NULL };

enum rejoin_step rejoin_decide(const struct rejoin_facts *f, struct verdict *verdict)
{
	const struct verdict *said = rules_decide(rejoin_rules, f);

	*verdict = *said;
	return RULE_OF(struct rejoin_rule, said)->step;
}

void rejoin_explain(const struct rejoin_facts *f, FILE *out)
{
	rules_explain(rejoin_rules, f, NULL, out);
}

const char *rejoin_step_word(enum rejoin_step step)
{
	static const char *const words[STEPS] = {
		[STEP_VERDICT] = "nothing",
		[STEP_WAIT] = "wait",
		[STEP_CLEAR] = "end orphaned backends",
		[STEP_START] = "start the standby",
		[STEP_LIFT] = "take the fence of this standby away",
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
