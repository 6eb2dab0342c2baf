/* SPDX-License-Identifier: PostgreSQL */
#include "check/duty_follower.h"

#include "config/timing.h"
/* A standby counts as following when it did so in the answers of a whole round. */
#define FOLLOWS_MS 900

/* A standby that is connected and makes no progress is as good as lost: the server would wait
 * for it. */
static bool makes_progress(const struct follower *before, const struct server *now)
{
	return now->peer_streams &&
	       (now->peer_flush_lsn >= now->write_lsn || now->peer_flush_lsn > before->flush_lsn);
}

static bool good(const struct follower *follower)
{
	return follower->good_since_ms > 0 && follower->good_ms == follower->asked_ms;
}

/* Time in which nobody looked says neither that it was well nor that it was lost. */
static void skip_gap(struct follower *follower, int64_t asked_ms)
{
	int64_t gap_ms = asked_ms - follower->asked_ms;

	if (gap_ms <= TIMING_GAP_MS)
		return;
	follower->good_ms += gap_ms;
	follower->good_since_ms = 0;
	follower->target_lsn = 0;
}

/*
 * Another walsender: the connection broke, or all backends were ended because one crashed, and then
 * commits went through before the server went by synchronous_standby_names again.
 */
static void meet_anew(struct follower *follower, const struct server *local)
{
	if (!local->peer_streams || follower->sender == local->peer_sender)
		return;
	follower->sender = local->peer_sender;
	follower->good_since_ms = 0;
	follower->target_lsn = 0;
}

void duty_follower_note(struct follower *follower, const struct server *local, int64_t postmaster)
{
	bool progress;
	bool before;

	if (!follower->known || follower->postmaster != postmaster)
		*follower = (struct follower){ .known = true,
					       .postmaster = postmaster,
					       .asked_ms = local->asked_ms,
					       .good_ms = local->asked_ms };
	skip_gap(follower, local->asked_ms);
	meet_anew(follower, local);
	progress = makes_progress(follower, local);
	before = good(follower);
	follower->asked_ms = local->asked_ms;
	if (progress && !before)
		follower->good_since_ms = local->asked_ms;
	if (progress)
		follower->good_ms = local->asked_ms;
	else
		follower->good_since_ms = 0;
	if (local->peer_flush_lsn > 0)
		follower->flush_lsn = local->peer_flush_lsn;
}

void duty_follower_facts(struct duty_facts *f, const struct follower *follower,
			 const struct server *local, const struct cfg *cfg)
{
	uint64_t lag =
	    local->write_lsn > follower->flush_lsn ? local->write_lsn - follower->flush_lsn : 0;
	uint64_t limit = (uint64_t)cfg->max_lag_bytes;

	f->follows = FACT_NO;
	if (good(follower))
		f->follows = follower->asked_ms - follower->good_since_ms >= FOLLOWS_MS
				 ? FACT_YES
				 : FACT_UNKNOWN;
	f->lost = fact_of(follower->asked_ms - follower->good_ms >= cfg->solo_after_ms);
	f->too_far = fact_of(lag > limit);
	f->near = fact_of(good(follower) && lag <= limit / 2);
	f->targeted = follower->target_lsn != 0;
	f->reached =
	    fact_of(f->targeted && local->peer_sync && follower->flush_lsn >= follower->target_lsn);
}
