/* SPDX-License-Identifier: PostgreSQL */
/*
 * Making the other node harmless, and saying what was proven.  Several ways are under way at the
 * same time, as child processes of ssh(1) with pinned host keys and a forced command at the far end
 * (docs/fencing.md): ssh          straight to the node ssh-witness  through the witness host as
 * jump host observe      asks the witness host whether it can reach the node, for the whole time
 * the waits take
 */
#ifndef PGV_FENCE_H
#define PGV_FENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auto.h"
#include "cfg.h"
#include "deadline.h"
#include "outcome.h"
#include "proc.h"

enum fence_verdict {
	FENCE_UNKNOWN = 0, /* nothing proven */
	FENCE_FENCED,   /* it said, over an authenticated connection, that its server is stopped and
			   stays down */
	FENCE_ISOLATED, /* the witness host could not reach it during the whole window, and could in
			   good times */
	FENCE_ALIVE,    /* it serves with every right: nothing was done to it */
};

struct fence_request {
	const struct cfg_node *node; /* the node to make harmless */
	bool spare_serving; /* true in a failover: a node that serves by right is left alone and
			       reported alive */
	int64_t observe_ms; /* window for "isolated"; 0: do not ask the witness host to observe */
	bool test_only;     /* try every way, touch nothing (fence_old --test) */
};

enum fence_way { FENCE_WAY_SSH, FENCE_WAY_SSH_WITNESS, FENCE_WAY_OBSERVE, FENCE_WAYS };

struct fence {
	struct fence_request request;
	struct proc ways[FENCE_WAYS];
	bool used[FENCE_WAYS];
	enum fence_verdict answers[FENCE_WAYS]; /* what each way has said so far */
	char why[FENCE_WAYS][160];
	enum fence_verdict verdict; /* of all: FENCED or ALIVE as soon as one says so, ISOLATED only
				       from observe */
};

/* Starts every configured way.  0, or -errno when not one could be started; then the verdict stays
 * UNKNOWN. */
int fence_begin(struct fence *fence, const struct cfg *cfg,
		const struct fence_request *request) MUST_CHECK;

/* Goes on until the verdict is no longer UNKNOWN, all ways have ended, or the deadline.  Returns
 * the verdict so far. */
enum fence_verdict fence_go_on(struct fence *fence, const struct cfg *cfg,
			       const struct deadline *dl);

/* Have all ways ended? */
bool fence_over(const struct fence *fence);

/* Ends what still runs. */
void fence_end(struct fence *fence);

/* One phrase for people: "ssh: fenced" or "ssh: Connection timed out; ssh-witness: ...". */
void fence_summary(const struct fence *fence, char *text, size_t size);

const char *fence_word(enum fence_verdict verdict);
/* What a way is called: "ssh", "ssh-witness", "observe". */
const char *fence_way_word(enum fence_way way);

/*
 * The one line a node answers to a fence request on standard output, and the witness host to an
 * observation: pg_vrrp 1 cluster=main node=n1 verdict=fenced verdict: fenced alive unknown (nodes),
 * reachable unreachable (witness host), ready (test).  Strict: another cluster, another node,
 * another version, trailing text: -EINVAL.
 */
int fence_answer_parse(const char *line, const char *cluster, const char *node, char *verdict,
		       size_t size) MUST_CHECK;
void fence_answer_print(const char *cluster, const char *node, const char *verdict);

#endif
