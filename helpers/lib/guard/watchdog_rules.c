/* SPDX-License-Identifier: PostgreSQL */
#include "guard/watchdog_rules.h"

/* Seen to be so.  A server that cannot be looked at may be a primary. */
static bool proven_not_to_serve(const struct watchdog_facts *f)
{
	return f->server == GUARD_SERVER_STANDBY ||
	       (f->server == GUARD_SERVER_DOWN && !f->died_as_primary);
}

/*
 * Where it is required no lease begins before it is armed, so that it is armed first.  One that has
 * a lease is armed also where the node is about to be fenced.
 */
static bool wanted(const struct watchdog_facts *f)
{
	return f->mode != WATCHDOG_OFF && f->server == GUARD_SERVER_PRIMARY &&
	       f->fenced == FACT_NO && (f->mode == WATCHDOG_REQUIRED || f->lease_until > f->now);
}

/* Until when this node may go on as it is: then the guard has fenced it. */
static int64_t end_of_right(const struct watchdog_facts *f)
{
	if (f->lease_until > 0)
		return f->lease_until;
	return f->unentitled_since > 0 ? f->unentitled_since + f->lease_ms : 0;
}

/* To feed it says: all is well for one timeout from now.  So it is said no more when that would be
 * too long. */
static bool may_feed(const struct watchdog_facts *f)
{
	return f->fenced != FACT_YES && !f->stop_unproven &&
	       f->now + f->timeout_ms <= end_of_right(f) + f->after_ms;
}

enum watchdog_act watchdog_decide(const struct watchdog_facts *f)
{
	if (!f->armed)
		return wanted(f) ? WATCHDOG_ARM : WATCHDOG_NOTHING;
	if (proven_not_to_serve(f) || f->mode == WATCHDOG_OFF)
		return f->stuck ? WATCHDOG_FEED : WATCHDOG_DISARM;
	/* An armed device whose timeout does not fit and that cannot be stopped (nowayout) is
	 * fed, so that it never resets the host. */
	if (!f->fits)
		return WATCHDOG_FEED;
	return may_feed(f) ? WATCHDOG_FEED : WATCHDOG_STARVE;
}
