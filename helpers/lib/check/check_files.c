/* SPDX-License-Identifier: PostgreSQL */
#include "check/check_files.h"

#include "base/deadline.h"
#include "node/mark.h"
#include "node/stamp.h"
#include "node/track.h"
#include "node/watchdog_stamp.h"

/*
 * Looked at once: were it read again to see whether there is one, and only that went well, a lease
 * that runs would be taken for one that ran out.
 */
static void gather_lease(struct check_facts *f, const struct cfg *cfg)
{
	int64_t until_ms;

	f->lease_known = stamp_read(cfg, STAMP_LEASE, &until_ms, NULL, 0) == 0;
	f->lease_runs =
	    fact_of((f->lease_known && now_ms() < until_ms) || stamp_runs(cfg, STAMP_GRANT));
}

void check_gather_files(struct check_facts *f, const struct cfg *cfg)
{
	int serving = TRACK_NO;

	f->fenced = fenced_read(cfg).present;
	gather_lease(f, cfg);
	f->watchdog_missing = node_watchdog_missing(cfg);
	f->says_serving = track_read(cfg, TRACK_SERVING, &serving) < 0
			      ? FACT_UNKNOWN
			      : fact_of(serving == TRACK_YES);
}
