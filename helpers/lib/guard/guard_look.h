/* SPDX-License-Identifier: PostgreSQL */
/* The knowledge of the guard, and how it looks: guard_look.c.  Private to guard*.c. */
#ifndef PGV_GUARD_LOOK_H
#define PGV_GUARD_LOOK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "config/cfg.h"
#include "guard/guard_jobs.h"
#include "guard/guard_kernel.h"
#include "guard/guard_rules.h"
#include "guard/guard_watchdog.h"
#include "guard/lease.h"
#include "net/probe.h"

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

	/* Is this server held to its lease (guard_leased.h); do its own mark, and both, say so? */
	enum fact leased;
	bool leased_data;
	bool leased_whole;
	int leased_rc;
	int64_t leased_next_ms;
	int64_t leased_told_ms;
	int64_t spared_told_ms;

	/* Files that could not be written, -errno: told when it begins, not with every tick. */
	int lease_rc;
	int election_rc;
	int serving_rc;

	int pidfd; /* of the postmaster, -1: none known */
	pid_t postmaster;
	enum guard_server server;
	bool was_primary;      /* this postmaster was seen to be in production */
	bool back_in_recovery; /* and its server is in archive recovery all the same */
	enum fact stray;       /* a signal file lies beside a primary, by our stamp */
	int64_t down_ms;       /* it was last seen down then; 0: never */
	bool seen_down;        /* since this guard began: a later server is a new one */
	int64_t unentitled_since;
	int64_t standby_since_ms;
	int64_t died_ms; /* the server ended as a primary then; 0: no */
	bool cleared_up;
	bool release_due; /* the witness is yet to be told that we do not serve */

	enum guard_server slots_of; /* what the server was when its slots were last looked after */
	int64_t promoting_since_ms; /* promote_safe has been at work since then; 0: it is not */
	int64_t rest_until_ms;

	int64_t alive_ms; /* systemd was last told that we live; 0: not yet */
	char status[96];  /* and that of the server */
	int notify_rc;
};

/* Looks at the postmaster, the directory, the votes and the witness; moves the lease. */
void guard_look(struct guard *g);

/* The server has ended, or was ended by us: forgets its pidfd. */
void guard_forget_server(struct guard *g);

/* The facts that the rules want. */
struct guard_facts guard_facts(struct guard *g);

#endif
