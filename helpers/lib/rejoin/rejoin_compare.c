/* SPDX-License-Identifier: PostgreSQL */
/* How the histories of both nodes relate. */
#include "rejoin/rejoin_gather.h"

enum rejoin_past rejoin_compare(const struct rejoin_end *ours, const struct history_file *theirs,
				uint64_t *fork)
{
	const struct history_file *mine = ours->history;
	uint32_t our_timeline, their_timeline, common;

	*fork = 0;
	if (mine->count == 0 || theirs->count == 0)
		return PAST_UNKNOWN;
	our_timeline = mine->entries[mine->count - 1].timeline;
	their_timeline = theirs->entries[theirs->count - 1].timeline;
	if (history_file_fork(mine, theirs, &common, fork) < 0)
		return PAST_UNRELATED;
	if (our_timeline > their_timeline)
		return PAST_OURS_NEWER;
	if (our_timeline == their_timeline && common != our_timeline)
		return PAST_UNRELATED;
	if (our_timeline == their_timeline)
		return ours->standby ? PAST_SHARED : PAST_SAME;
	if (common != our_timeline || ours->open_end)
		return PAST_DIVERGED;
	/*
	 * The checkpoint of a shutdown *begins* at end, so it must lie before the fork, which is
	 * the end of a record; a standby has replayed *up to* end.
	 */
	return ours->end < *fork || (ours->standby && ours->end == *fork) ? PAST_SHARED
									  : PAST_DIVERGED;
}

uint32_t rejoin_our_timeline(const struct rejoin *r)
{
	if (r->facts.local == LOCAL_PRIMARY || r->facts.local == LOCAL_STANDBY)
		return r->local.timeline;
	if (!r->control.known)
		return 0;
	/* A promotion shows here before the next checkpoint does. */
	return r->control.min_recovery_timeline > r->control.timeline
		   ? r->control.min_recovery_timeline
		   : r->control.timeline;
}
