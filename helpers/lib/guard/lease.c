/* SPDX-License-Identifier: PostgreSQL */
#include "guard/lease.h"

#include <stddef.h>

static void extend(struct lease *lease, int64_t until_ms, const char *by)
{
	/* An older answer that arrives late must never shorten what a newer one gave. */
	if (until_ms <= lease->until_ms)
		return;
	lease->until_ms = until_ms;
	lease->by = by;
}

/*
 * A time in the past prolongs nothing, and must not look like a lease that has just run out: a
 * server that starts anew would be fenced for the vote of an earlier one.
 */
void lease_vote(struct lease *lease, int64_t sent_ms, int64_t lease_ms, int64_t now)
{
	if (sent_ms > 0)
		lease_grant(lease, sent_ms + lease_ms, "vote", now);
}

void lease_witness(struct lease *lease, int64_t sent_ms, int64_t lease_ms, int64_t now)
{
	/*
	 * Once the lease has run out, the other node may have taken over while this one could not
	 * know; a host that only answers pings cannot tell, so it revives nothing.
	 */
	if (sent_ms <= 0 || !lease_runs(lease, now))
		return;
	extend(lease, sent_ms + lease_ms, "witness");
}

void lease_grant(struct lease *lease, int64_t until_ms, const char *by, int64_t now)
{
	if (until_ms > now)
		extend(lease, until_ms, by);
}

bool lease_runs(const struct lease *lease, int64_t now)
{
	return lease->until_ms > 0 && now < lease->until_ms;
}

int64_t lease_fence_at(const struct lease *lease, int64_t fence_time_ms)
{
	return lease->until_ms - fence_time_ms;
}
