/* SPDX-License-Identifier: PostgreSQL */
/*
 * Making the other node harmless, and saying what was proven.  Several ways are under way at the
 * same time, as child processes:
 *
 *   ssh          straight to the node: ssh(1) with pinned host keys, a forced command at the far
 * end ssh-witness  the same through the witness host as a jump host observe      asks the witness
 * host whether it can reach the node, for as long as the waits take record       the witness's row
 * says that the node has released its right (fence_record.h) agent, hook  switch the host off,
 * without asking it (fence_power.h)
 *
 * docs/safety.md says what each proves.
 */
#ifndef PGV_FENCE_H
#define PGV_FENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/deadline.h"
#include "base/proc.h"
#include "config/cfg.h"
#include "fence/fence_answer.h"
#include "fence/fence_power.h"

enum fence_verdict {
	FENCE_UNKNOWN = 0, /* nothing proven */
	FENCE_FENCED,   /* it said, over an authenticated connection, that its server is stopped; or
			   its host is off, or it has released its right in the record */
	FENCE_ISOLATED, /* the witness host reached it in good times, and not once in the window */
	FENCE_ALIVE,    /* it serves by right: nothing was done to it */
	FENCE_READY,    /* test only: fencing would have been possible */
	FENCE_VERDICTS
};

enum fence_way {
	FENCE_WAY_SSH,
	FENCE_WAY_SSH_WITNESS,
	FENCE_WAY_OBSERVE,
	FENCE_WAY_RECORD,
	FENCE_WAY_AGENT,
	FENCE_WAY_HOOK,
	FENCE_WAYS
};

struct fence_request {
	const struct cfg_node *node; /* the node to make harmless */
	enum fence_ask ask;          /* FENCE, SPARE (in a failover), TEST; OBSERVE: only that */
	int64_t observe_ms;          /* window that proves "isolated"; 0: one look (test) */
	bool observe;                /* ask the witness host too */
};

struct fence {
	struct fence_request request;
	struct proc ways[FENCE_WAYS];
	bool under_way[FENCE_WAYS];
	int64_t due_ms[FENCE_WAYS];  /* begins then; 0: begun, or not configured */
	int64_t kill_ms[FENCE_WAYS]; /* ends then at the latest; 0: with the caller's deadline */
	enum fence_way after[FENCE_WAYS]; /* begins also when that one has ended; itself: none */
	struct power agent;
	struct power hook;
	enum fence_verdict answers[FENCE_WAYS];
	bool reachable;            /* the witness host reached the node */
	char why[FENCE_WAYS][160]; /* "" for a way that is not configured */
};

/*
 * Begins with the configured ways that ask; the second of them starts a moment after the first, or
 * when that has ended.  In a test also with those that switch off, which then only look.  A way
 * that cannot be started has its reason in why.
 */
void fence_begin(struct fence *fence, const struct cfg *cfg, const struct fence_request *request);

/*
 * Lets the witness host begin to look once more, if it was to look at all: for a caller who has
 * come so late to what the window is about that it would say nothing of it.
 */
void fence_observe_anew(struct fence *fence, const struct cfg *cfg);

/*
 * Begins with the ways that ask the node itself, after a fence_begin with FENCE_ASK_OBSERVE, which
 * only lets the witness host look: that harms nobody, so it can begin before anything is decided.
 */
void fence_ask_node(struct fence *fence, const struct cfg *cfg, enum fence_ask ask);

/*
 * Begins with the configured ways that switch the host off, one after the other.  They ask nobody:
 * the caller has made sure that the node does not serve by right, or wants it down all the same.
 */
void fence_ask_power(struct fence *fence, const struct cfg *cfg);

/*
 * Goes on until one way has decided (fence_verdict is not UNKNOWN), all have ended, or the
 * deadline. For a test: until all have ended or the deadline.
 */
void fence_go_on(struct fence *fence, const struct cfg *cfg, const struct deadline *dl);

/* The same, but no longer than until the ways that ask have ended. */
void fence_go_on_asking(struct fence *fence, const struct cfg *cfg, const struct deadline *dl);

/*
 * Returns what is proven so far.  FENCED and ALIVE are a node's own word; ISOLATED counts only
 * while no node has spoken.  Pure.
 */
enum fence_verdict fence_verdict(const struct fence *fence);

/* Have all ways ended? */
bool fence_over(const struct fence *fence);

/* Have those that ask the node itself? */
bool fence_asked(const struct fence *fence);

/* Ends what still runs. */
void fence_end(struct fence *fence);

/* One phrase for people: "ssh: fenced" or "ssh: Connection timed out; observe: ...". */
void fence_summary(const struct fence *fence, char *text, size_t size);

const char *fence_word(enum fence_verdict verdict);
const char *fence_way_word(enum fence_way way);

#endif
