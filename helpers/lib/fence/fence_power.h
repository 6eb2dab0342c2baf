/* SPDX-License-Identifier: PostgreSQL */
/*
 * The ways that switch the other node's host off: a program of fence-agents, and a hook of the
 * user's. Neither can ask whether the node serves by right, so whoever uses them has made sure of
 * that.
 *
 * The agent gets KEY=VALUE lines on its standard input: the node's file, and an action
 * (FenceAgentAPI). It is believed only in its status, whose exit code says on (0), off (2), or
 * nothing (all others): how "off" itself ended is of no meaning.  Exit code 2 is also what many a
 * program says that did not understand its arguments; so "off" counts only from one that was seen
 * to say "on".
 *
 * The hook is run as HOOK CLUSTER NODE ADDRESS; exit code 0 says that the node is off, or cut off
 * for good, and that this was verified.  HOOK --test CLUSTER NODE ADDRESS touches nothing.
 *
 * What fails or hangs is tried again, up to the deadline.
 */
#ifndef PGV_FENCE_POWER_H
#define PGV_FENCE_POWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/deadline.h"
#include "base/proc.h"
#include "config/cfg.h"

#define POWER_INPUT_MAX 4096
#define POWER_WHY_MAX   160

enum power_step {
	POWER_OVER = 0, /* nothing more to do */
	POWER_LOOK,     /* the agent's status, before anything is done; a test goes no further */
	POWER_OFF,
	POWER_OFF_AGAIN, /* it said that it failed */
	POWER_CHECK,     /* the agent's status afterwards */
	POWER_RUN,       /* the hook */
};

/* The facts once a program of fencing has ended. */
struct power_facts {
	enum power_step step; /* that it was run for */
	int exit_code;        /* -1: it had to be killed */
	bool test;
	bool seen_on; /* the agent has said "on" of this node before, or just now */
	int tries;    /* failures up to now */
};

enum power_end { POWER_UNPROVEN = 0, POWER_PROVEN };

struct power_next {
	enum power_step step; /* POWER_OVER: `end` says how */
	bool pause;           /* a moment before it */
	enum power_end end;
};

/* Decides the next step.  Pure. */
struct power_next power_decide(const struct power_facts *facts);

/* The state of one agent or hook at work. */
struct power {
	const struct cfg *cfg;
	const struct cfg_node *node;
	bool agent; /* else the hook */
	bool test;
	bool seen_on;
	bool says_off; /* the agent's last word */
	int tries;
	enum power_step step;
	enum power_end end;
	struct deadline dl; /* of the whole */
	int64_t begin_ms;   /* a program is to be started then; 0: it runs, or all is over */
	int64_t kill_ms;    /* it has until then */
	char why[POWER_WHY_MAX];
};

/* Prepares; the first program is due at once.  0, or -errno with a reason in why. */
int power_begin(struct power *power, const struct cfg *cfg, const struct cfg_node *node, bool agent,
		bool test) MUST_CHECK;

/* Starts the program that is due.  0 or -errno. */
int power_start(struct power *power, struct proc *proc) MUST_CHECK;

/* Takes how it ended (proc->done), or that it has to be killed.  When step is POWER_OVER, end and
 * why say what came of it; else begin_ms says when the next one is due. */
void power_take(struct power *power, const struct proc *proc);

/*
 * The agent's input: the node's file and the action.  The file has to be a regular one that belongs
 * to us and is nobody else's to read or write, of lines KEY=VALUE, comments (#) and empty ones,
 * without an action of its own.  0 or -errno with a reason in why[POWER_WHY_MAX].
 */
int power_input(const char *path, const char *action, char *input, size_t size,
		char *why) MUST_CHECK;

/* Replaces in text what could be a secret: each value of the input of four characters and more. */
void power_redact(char *text, const char *input);

#endif
