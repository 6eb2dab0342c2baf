/* SPDX-License-Identifier: PostgreSQL */
/* attempt.NAME below run_dir: the last verdict of a helper, for the next run and cluster_status. */
#ifndef PGV_ATTEMPT_H
#define PGV_ATTEMPT_H

#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/verdict.h"
#include "config/cfg.h"

/* Each is a file of its own: whose verdict it holds. */
enum attempt {
	/* Helpers that act by themselves; cluster_status shows these. */
	ATTEMPT_PROMOTE,      /* promote_safe */
	ATTEMPT_REJOIN,       /* rejoin */
	ATTEMPT_REJOIN_CHECK, /* rejoin --check */
	ATTEMPT_FENCE_TEST,   /* fence_old --test */
	ATTEMPT_RELEASE,      /* witness_record --automatic */
	ATTEMPT_SLOTS,        /* replication_slots --automatic */
	ATTEMPTS_SHOWN,
	/* Questions of each second; kept so that only a change is told. */
	ATTEMPT_CHECK_PRIMARY = ATTEMPTS_SHOWN, /* check_primary */
	ATTEMPT_CHECK_SERVING,                  /* check_answer --serving */
	ATTEMPT_ASK_PEER,   /* check_primary: how its question to the peer went */
	ATTEMPT_ASK_RECORD, /* check_primary: how its question to the record went */
};
/* "promote_safe", "rejoin", "fence_old": as cluster_status calls them, and the NAME of the file. */
const char *attempt_word(enum attempt attempt);

struct attempt_last {
	enum outcome outcome;
	enum fact answer; /* what it says to the helper's question: UNKNOWN where it says nothing */
	int64_t age_ms;   /* how long ago; negative: not known */
	char rule[64];
	char text[704]; /* "refused witness-unseen: message (detail)"; "": none */
};

int attempt_write(const struct cfg *cfg, enum attempt attempt,
		  const struct verdict *verdict) MUST_CHECK;
/* The same; a failure is told and passed over. */
void attempt_note(const struct cfg *cfg, enum attempt attempt, const struct verdict *verdict);
/* -ENOENT when there is none, or one of another version; -EINVAL; another -errno: *last is then
 * UNKNOWN, without text. */
int attempt_read(const struct cfg *cfg, enum attempt attempt, struct attempt_last *last);
/* Its answer; UNKNOWN when there is none. */
enum fact attempt_said(const struct cfg *cfg, enum attempt attempt);
/* Was the last verdict of `attempt` of the same outcome and rule?  Then it need not be
 * told again. */
bool attempt_is_same(const struct cfg *cfg, enum attempt attempt, const struct verdict *verdict);
/* Was it of another one?  Only then is it noted: for a verdict of each second. */
bool attempt_changes(const struct cfg *cfg, enum attempt attempt, const struct verdict *verdict);
/* Was it of the same, and a minute has not passed since?  What returns after a time of rest is told
 * again.  Noted in any case. */
bool attempt_repeats(const struct cfg *cfg, enum attempt attempt, const struct verdict *verdict);

#endif
