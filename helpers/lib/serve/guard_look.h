/* SPDX-License-Identifier: PostgreSQL */
/* What the guard knows, and its eyes: guard_look.c.  Private to guard*.c. */
#ifndef PGV_GUARD_LOOK_H
#define PGV_GUARD_LOOK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "config/cfg.h"
#include "net/probe.h"
#include "serve/guard_jobs.h"
#include "serve/guard_kernel.h"
#include "serve/guard_rules.h"
#include "serve/guard_watchdog.h"
#include "serve/lease.h"

/* Resolving the witness's name; numeric addresses take no time. */
#define WITNESS_OPEN_MS 200

struct guard {
	const struct cfg *cfg;
	struct guard_jobs jobs;
	struct guard_kernel kernel;
	struct guard_watchdog watchdog;
	int64_t last_tick_ms;

	struct probe witness;
	int64_t next_question_ms;
	int64_t witness_answered_ms;

	enum fact fenced; /* the mark, at the last look */
	struct lease lease;
	int64_t written_lease_ms;

	/* Files that could not be written, -errno: told when it begins, not with every tick. */
	int lease_rc;
	int election_rc;
	int serving_rc;

	int pidfd; /* of the postmaster, -1: none known */
	pid_t postmaster;
	enum guard_server server;
	int64_t down_ms; /* it was last seen down then; 0: never */
	bool seen_down;  /* since this guard began: a later server is a new one */
	int64_t unentitled_since;
	int64_t standby_since_ms;
	int64_t died_ms; /* the server ended as a primary then; 0: no */
	bool cleared_up;
	bool release_due; /* the witness is yet to be told that we do not serve */

	enum guard_server slots_of; /* what the server was when its slots were last looked after */
	int64_t promoting_since_ms; /* promote_safe has been at work since then; 0: it is not */
	int64_t rest_until_ms;
};

/* Looks at the postmaster, the directory, the votes and the witness; moves the lease. */
void guard_look(struct guard *g);

/* The server has ended, or was ended by us: forgets its pidfd. */
void guard_forget_server(struct guard *g);

/* What the rules want to know. */
struct guard_facts guard_facts(struct guard *g);

#endif
