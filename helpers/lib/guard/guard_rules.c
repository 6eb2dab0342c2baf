/* SPDX-License-Identifier: PostgreSQL */
#include "guard/guard_rules.h"

static bool may_be_primary(const struct guard_facts *f)
{
	/*
	 * A server that cannot be looked at is treated as a primary when the lease ends: the fence
	 * does no harm to one that is none.
	 */
	return f->server == GUARD_SERVER_PRIMARY || f->server == GUARD_SERVER_UNKNOWN;
}

static bool lease_ends(const struct guard_facts *f)
{
	return may_be_primary(f) && f->lease.until_ms > 0 &&
	       f->now >= lease_fence_at(&f->lease, f->fence_time_ms);
}

static bool unentitled_too_long(const struct guard_facts *f)
{
	return f->server == GUARD_SERVER_PRIMARY && f->lease.until_ms == 0 &&
	       f->unentitled_since > 0 && !f->spared &&
	       f->now - f->unentitled_since >= f->lease_ms - f->fence_time_ms;
}

static bool contact_lost(const struct guard_facts *f)
{
	int64_t since =
	    f->last_contact_ms > f->standby_since_ms ? f->last_contact_ms : f->standby_since_ms;

	return f->now - since >= f->contact_lost_ms;
}

enum guard_act guard_decide(const struct guard_facts *f)
{
	/*
	 * A mark that cannot be read takes away nothing at once: a state directory that somebody
	 * removed would end a good primary.  It renews nothing either, so that the lease runs out
	 * unless it is mended (guard_look.c).
	 */
	if (f->server == GUARD_SERVER_PRIMARY && f->fenced == FACT_YES)
		return GUARD_FENCE_AGAIN;
	if (lease_ends(f))
		return GUARD_FENCE_LEASE;
	if (unentitled_too_long(f))
		return GUARD_FENCE_UNENTITLED;
	if (f->server == GUARD_SERVER_PRIMARY && f->back_in_recovery)
		return GUARD_END;
	/* Its right has ended with the server; what is left may wait, since nobody serves here. */
	if (f->server == GUARD_SERVER_DOWN && f->died_as_primary)
		return f->handed_over ? GUARD_NOTHING : GUARD_CLEAR_UP;
	/* Also where nobody can look: rejoin starts nothing there, and says what is the matter. */
	if ((f->server == GUARD_SERVER_DOWN || f->server == GUARD_SERVER_UNKNOWN) && f->auto_start)
		return GUARD_START;
	if (f->server == GUARD_SERVER_STANDBY && (contact_lost(f) || f->vote_left))
		return GUARD_LOOK_AFTER;
	return GUARD_NOTHING;
}

bool guard_standby_is_lost(const struct guard_facts *f)
{
	int64_t since =
	    f->last_streaming_ms > f->standby_since_ms ? f->last_streaming_ms : f->standby_since_ms;

	if (f->server != GUARD_SERVER_STANDBY || f->vote_left)
		return false;
	if (f->fenced != FACT_NO)
		return true;
	return !contact_lost(f) && f->last_contact_ms > 0 && f->now - since >= f->lease_ms;
}

bool guard_stands(const struct guard_facts *f)
{
	/* A switchover lets it go when the standby has all that was written here. */
	bool up = f->server == GUARD_SERVER_PRIMARY || f->server == GUARD_SERVER_STANDBY ||
		  (f->died_as_primary && f->handed_over);

	if (f->fenced == FACT_UNKNOWN)
		return f->server == GUARD_SERVER_PRIMARY && f->now < f->lease.until_ms;
	return up && f->fenced == FACT_NO;
}

bool guard_kernel_wants(const struct guard_facts *f, struct nftlease *want)
{
	*want = (struct nftlease){ .gate = NFTLEASE_SHUT };
	if (f->server == GUARD_SERVER_STANDBY) {
		/* promote_safe gives it an end before the promotion, and a standby that might be a
		 * primary before the next look must not lose it again. */
		want->gate = NFTLEASE_OPEN;
		return !f->promoting;
	}
	if (!may_be_primary(f) || f->fenced == FACT_YES)
		return true;
	/* Nobody else can have a right, and clients were here before us (guard_leased.h). */
	if (f->spared && f->lease.until_ms == 0)
		want->gate = NFTLEASE_OPEN;
	if (f->lease.until_ms > 0)
		*want = (struct nftlease){ NFTLEASE_UNTIL, f->lease.until_ms };
	/* A standby whose directory cannot be read for a moment keeps its readers. */
	return f->server == GUARD_SERVER_PRIMARY || want->gate == NFTLEASE_UNTIL;
}

const char *guard_act_word(enum guard_act act)
{
	static const char *const words[GUARD_ACTS] = {
		[GUARD_NOTHING] = "nothing to do",
		[GUARD_FENCE_LEASE] = "neither the peer nor the witness was seen for one lease",
		[GUARD_FENCE_UNENTITLED] =
		    "a primary runs here that nobody gave the right to serve",
		[GUARD_FENCE_AGAIN] = "a primary runs on this fenced node",
		[GUARD_END] = "a backend crashed beside a signal file: the primary is in recovery",
		[GUARD_CLEAR_UP] = "the server ended while it was the primary",
		[GUARD_START] = "the server is down",
		[GUARD_LOOK_AFTER] = "the primary does not answer",
	};

	return act < GUARD_ACTS ? words[act] : "unknown";
}
