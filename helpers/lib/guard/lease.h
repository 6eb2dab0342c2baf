/* SPDX-License-Identifier: PostgreSQL */
/*
 * The right to serve with a stateless witness (docs/safety.md).  Pure: no clock, no files; times
 * are CLOCK_BOOTTIME ms.
 *
 * A lease begins by a grant (a promotion, the peer's vote, an operator's word) and lives on as long
 * as either the witness or the peer's vote answers questions; a question SENT at t and answered
 * carries it to t + lease.  A witness that merely answers pings can prolong a lease and never begin
 * one: "nobody answered" starts nothing.
 */
#ifndef PGV_LEASE_H
#define PGV_LEASE_H

#include <stdbool.h>
#include <stdint.h>

struct lease {
	int64_t until_ms; /* 0: never granted */
	const char *by;   /* "vote", "witness", "promotion", "operator", "file" */
};

/* The peer's vote, asked at sent_ms: begins or prolongs.  One too old to give any time gives
 * nothing. */
void lease_vote(struct lease *lease, int64_t sent_ms, int64_t lease_ms, int64_t now);

/* The witness answered a question sent at sent_ms: prolongs a lease that still ran when the answer
 * is taken, never begins one. */
void lease_witness(struct lease *lease, int64_t sent_ms, int64_t lease_ms, int64_t now);

/* Granted until until_ms: begins or prolongs, if that is still to come. */
void lease_grant(struct lease *lease, int64_t until_ms, const char *by, int64_t now);

/* Does it run? */
bool lease_runs(const struct lease *lease, int64_t now);

/* When the guard must begin to fence, so that it is over when the lease ends. */
int64_t lease_fence_at(const struct lease *lease, int64_t fence_time_ms);

#endif
