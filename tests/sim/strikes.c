/* SPDX-License-Identifier: PostgreSQL */
/* Kills and freezes that wait for an effect of a helper: a write, a question, an answer, a signal.
 */
#include <string.h>

#include "sim.h"

/* A kill or a freeze that waits for the so-and-so-manieth effect of a helper. */
struct strike {
	int node;         /* -1: none */
	const char *name; /* of the helper, and the so-and-so-manieth effect */
	const char *what; /* or of any helper, an effect that has this in its name */
	int countdown;
	int64_t freeze_us; /* 0: kill */
	bool cuts;         /* and the node is cut off at that moment */
};

#define STRIKES_MAX 4

static struct strike strikes[STRIKES_MAX];

static const char *const acting[] = { "check_primary", "check_primary", "promote_safe",
				      "promote_safe",  "rejoin",        "fence_self",
				      "witness_record" };

/* The argument is about the moments just behind these. */
static const char *const effects[] = {
	"/run/vote",      "/run/renewed",   "/run/solo",    "/run/lease",   "/run/grant",
	"/withdrawn",     "/fenced",        "pgvrrp.take",  "pgvrrp.renew", "pgvrrp.pair",
	"pgvrrp.go_solo", "pgvrrp.release", "ALTER SYSTEM", "pg_promote",   "start",
	"stop",           "start.lock",     "record.lock",  "gate",         "sync is settled",
	"/run/vote",      "/run/renewed",   "pg_reload",    "/run/asked",   "pgvrrp.look",
	"WITH me AS",     "WITH me AS",     "WITH me AS",   "answer",
};

bool faults_is_guard(const struct process *process)
{
	return strcmp(process->name, "fence_self") == 0 &&
	       strcmp(process->words[process->argc - 1], "--watch") == 0;
}

void strikes_forget(void)
{
	for (size_t i = 0; i < STRIKES_MAX; i++)
		strikes[i].node = -1;
}

static void hit(const struct strike *strike, struct process *process, const char *what)
{
	told(process->node, "fault", "%s of %s at \"%.40s\"",
	     strike->freeze_us > 0 ? "freeze" : "kill", process->name, what);
	if (faults_is_guard(process))
		faults_guard_late(process->node, strike->freeze_us);
	/* A server starts promptly behind the last look: the argument assumes it. */
	if (strcmp(what, "start") == 0)
		faults_guard_late(process->node, strike->freeze_us + MS(6000));
	if (strike->cuts)
		faults_cut_off(process->node);
	if (chance_one_in(4))
		faults_call_promote(chance_one_in(2) ? 0 : 1);
	if (strike->freeze_us > 0) {
		process_freeze(process, strike->freeze_us);
		return;
	}
	counts.kills++;
	process_kill(process);
}

static bool fits(const struct strike *strike, const struct process *process, const char *what)
{
	if (strike->what != NULL)
		return strstr(what, strike->what) != NULL;
	return strcmp(strike->name, process->name) == 0;
}

void faults_strike(struct process *process, const char *what)
{
	for (size_t i = 0; i < STRIKES_MAX; i++) {
		struct strike *strike = &strikes[i];
		const struct strike now = *strike;

		if (strike->node != process->node || !fits(strike, process, what) ||
		    --strike->countdown > 0)
			continue;
		strike->node = -1;
		hit(&now, process, what);
	}
}

void strikes_arm(int node)
{
	for (size_t i = 0; i < STRIKES_MAX; i++) {
		if (strikes[i].node >= 0)
			continue;
		strikes[i] = (struct strike){
			.node = node,
			.name = acting[chance_below((int64_t)ARRAY_COUNT(acting))],
			.what = chance_one_in(3)
				    ? NULL
				    : effects[chance_below((int64_t)ARRAY_COUNT(effects))],
			.countdown = (int)chance_between(1, chance_one_in(2) ? 4 : 30),
			.freeze_us = chance_one_in(3)
					 ? 0
					 : MS(chance_between(300, chance_one_in(3) ? 12000 : 3000)),
			.cuts = !chance_one_in(3),
		};
		return;
	}
}
