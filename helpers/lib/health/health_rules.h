/* SPDX-License-Identifier: PostgreSQL */
/*
 * The answers to a health check, by the paths and codes of Patroni's REST API: pure functions of
 * what is known of the node.  Unknown and stale are never a yes.
 */
#ifndef PGV_HEALTH_RULES_H
#define PGV_HEALTH_RULES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/auto.h"
#include "health/health_look.h"

enum health_page {
	HEALTH_PAGE_NONE = 0, /* no such path */
	HEALTH_PAGE_PRIMARY,
	HEALTH_PAGE_REPLICA,
	HEALTH_PAGE_READ_ONLY,
	HEALTH_PAGE_SYNC,
	HEALTH_PAGE_ASYNC,
	HEALTH_PAGE_READ_ONLY_SYNC,
	HEALTH_PAGE_HEALTH,
	HEALTH_PAGE_LIVENESS,
	HEALTH_PAGE_READINESS,
	HEALTH_PAGE_STATUS,  /* /patroni: always 200 */
	HEALTH_PAGE_NEVER,   /* what there is in a Patroni cluster only: always 503 */
	HEALTH_PAGE_CLUSTER, /* a page of its own */
	HEALTH_PAGE_METRICS, /* the same */
};

/* The question: a path, and what stands behind its question mark. */
struct health_ask {
	enum health_page page;
	int64_t lag_bytes; /* HEALTH_NEVER: any */
	int64_t lag_ms;
	bool streaming; /* replication_state=streaming */
	bool received;  /* mode=write: what has come counts, replayed or not */
	bool tagged;    /* tag_...: no node here has tags */
};

/* 0; -ENOENT: no such path; -EINVAL: a value that is none, which must not be taken for "any". */
int health_ask_parse(struct health_ask *ask, const char *path, const char *query) MUST_CHECK;

/* A lag alone, "16MB" or "5s", into lag_bytes or lag_ms.  0 or -EINVAL. */
int health_lag_parse(struct health_ask *ask, const char *text) MUST_CHECK;

/* 200 or 503. */
int health_code(const struct health *h, const struct health_ask *ask);

/* ---- what the codes are made of ---- */

/*
 * Does this node serve, with enough left of its right?  The guard begins to fence a node at
 * lease_fence_at; from then on this is a no.
 */
bool health_serves(const struct health *h);
bool health_standby(const struct health *h);
/* A standby that streamed from its primary a moment ago. */
bool health_streams(const struct health *h);
/* A standby for which commits wait. */
enum fact health_sync(const struct health *h);
/* The rounds of check_primary --watch, which the guard keeps going. */
bool health_alive(const struct health *h);

#endif
