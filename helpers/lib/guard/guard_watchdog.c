/* SPDX-License-Identifier: PostgreSQL */
#include "guard/guard_watchdog.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/deadline.h"
#include "base/lock.h"
#include "base/log.h"
#include "guard/guard_look.h"
#include "guard/watchdog_rules.h"
#include "node/path.h"
#include "node/stamp.h"
#include "node/watchdog_stamp.h"

/* A driver is loaded, a daemon that had it ends: nothing that must be seen at once. */
#define LOOK_AGAIN_MS 2000
#define TRY_AGAIN_MS  1000
/*
 * A guard that was told to end leaves it counting this long: a host that shuts down, or
 * check_primary that fences in its place, needs more than a lease.
 */
#define LEAVE_S 60

/* ---- what is known of it ---- */

static const char *why(int rc)
{
	switch (rc) {
	case -ENOTSUP:
		return "it would end with the guard (no magic close)";
	case -ERANGE:
		return "it takes none of the timeouts that fit the lease";
	case -ENOTTY:
		return "it is no watchdog";
	case -EBUSY:
		return "somebody else uses it";
	default:
		return strerror(-rc);
	}
}

/* A driver that is loaded, or a daemon that ends, mends the rest. */
static bool is_unfit(int rc)
{
	return rc == -ENOTSUP || rc == -ERANGE || rc == -ENOTTY;
}

static void say(struct guard *g, enum watchdog_says says, int rc)
{
	struct guard_watchdog *w = &g->watchdog;
	char text[sizeof(w->word)];

	(void)snprintf(text, sizeof(text), "%s%s%s", watchdog_says_word(says), rc < 0 ? ": " : "",
		       rc < 0 ? why(rc) : "");
	if (strcmp(text, w->word) != 0 && stamp_write(g->cfg, STAMP_WATCHDOG, now_ms(), text) == 0)
		(void)snprintf(w->word, sizeof(w->word), "%s", text);
}

static void complain(struct guard *g, int rc)
{
	const struct cfg *cfg = g->cfg;

	if (rc == g->watchdog.rc)
		return;
	g->watchdog.rc = rc;
	if (rc == 0)
		log_info("the watchdog %s is there", cfg->watchdog_device);
	else
		log_warning("the watchdog %s cannot be used: %s; %s", cfg->watchdog_device, why(rc),
			    cfg->watchdog == WATCHDOG_REQUIRED
				? "it is required, so no lease begins or goes on without it"
				: "this node goes on without it");
}

static bool says_armed(enum watchdog_says says)
{
	return says == WATCHDOG_SAYS_ARMED || says == WATCHDOG_SAYS_STUCK ||
	       says == WATCHDOG_SAYS_LOST;
}

static struct watchdog_facts facts(const struct guard *g)
{
	const struct guard_watchdog *w = &g->watchdog;

	return (struct watchdog_facts){
		.now = now_ms(),
		.server = g->server,
		.fenced = g->fenced,
		.died_as_primary = g->died_ms > 0 && !g->cleared_up,
		.stop_unproven = w->stop_unproven,
		.lease_until = g->lease.until_ms,
		.unentitled_since = g->unentitled_since,
		.armed = w->armed,
		.stuck = w->stuck,
		.fits = w->device.fd < 0 || w->device.fits,
		.timeout_ms = w->device.timeout_ms,
		.mode = g->cfg->watchdog,
		.lease_ms = g->cfg->lease_ms,
		.after_ms = cfg_watchdog(g->cfg).after_ms,
	};
}

/* ---- deeds ---- */

static void take(struct guard *g)
{
	const struct cfg_watchdog fits = cfg_watchdog(g->cfg);
	struct guard_watchdog *w = &g->watchdog;
	bool was_armed = w->armed;
	int rc;

	w->fed_ms = now_ms();
	/* Said before: a guard that is killed in between leaves it to one that knows. */
	if (!was_armed)
		say(g, WATCHDOG_SAYS_ARMED, 0);
	rc = watchdog_arm(&w->device, g->cfg->watchdog_device, fits.least_s, fits.most_s);
	w->armed = was_armed || w->device.fd >= 0;
	w->stuck = rc < 0 && w->device.fd >= 0;
	w->unfit = is_unfit(rc) ? rc : 0;
	complain(g, rc);
	if (rc == 0)
		say(g, WATCHDOG_SAYS_ARMED, 0);
	else
		say(g,
		    w->stuck   ? WATCHDOG_SAYS_STUCK
		    : w->armed ? WATCHDOG_SAYS_LOST
			       : WATCHDOG_SAYS_MISSING,
		    w->stuck ? 0 : rc);
	if (rc == 0)
		log_info("the watchdog %s is armed: this host is reset when it was not fed for "
			 "%" PRId64 " s",
			 g->cfg->watchdog_device, w->device.timeout_ms / 1000);
}

static void feed(struct guard *g)
{
	struct guard_watchdog *w = &g->watchdog;
	const int64_t now = now_ms();
	int rc = watchdog_feed(&w->device);

	if (rc == 0) {
		w->fed_ms = now;
		return;
	}
	/* Not "V": if it is still there, it is to count. */
	watchdog_leave(&w->device, 0);
	complain(g, rc);
	say(g, WATCHDOG_SAYS_LOST, rc);
}

/* Between two renewals it is fed no more as soon as the older one does not reach far enough: that
 * is nothing to be told. */
static void starve(struct guard *g)
{
	struct guard_watchdog *w = &g->watchdog;
	const int64_t left_ms = w->fed_ms + w->device.timeout_ms - now_ms();

	if (w->starves || left_ms > w->device.timeout_ms / 2)
		return;
	log_warning("the watchdog is fed no more: unless the lease is prolonged or the server seen "
		    "stopped, it resets this host in %" PRId64 " ms",
		    left_ms);
	w->starves = true;
}

static void disarm(struct guard *g)
{
	struct guard_watchdog *w = &g->watchdog;
	int rc = watchdog_disarm(&w->device);

	if (rc == 0) {
		log_info("the watchdog %s is disarmed", g->cfg->watchdog_device);
		w->armed = false;
		say(g, WATCHDOG_SAYS_READY, 0);
		return;
	}
	log_warning("the watchdog %s cannot be stopped: %s; it is fed as long as this guard runs, "
		    "and resets the host when it does not",
		    g->cfg->watchdog_device, strerror(-rc));
	w->stuck = true;
	say(g, WATCHDOG_SAYS_STUCK, 0);
	feed(g);
}

/* A device that was let go and is not there any more resets nobody. */
static bool is_gone(int rc)
{
	return rc == -ENOENT || rc == -ENODEV || rc == -ENXIO;
}

static void look(struct guard *g)
{
	struct guard_watchdog *w = &g->watchdog;
	const int64_t now = now_ms();
	int rc;

	if (g->cfg->watchdog == WATCHDOG_OFF || now < w->next_look_ms)
		return;
	w->next_look_ms = now + LOOK_AGAIN_MS;
	rc = w->unfit < 0 ? w->unfit : watchdog_look(g->cfg->watchdog_device);
	complain(g, rc);
	say(g, rc == 0 ? WATCHDOG_SAYS_READY : WATCHDOG_SAYS_MISSING, rc);
}

/* ---- what the guard calls ---- */

void guard_watchdog_resume(struct guard *g)
{
	struct guard_watchdog *w = &g->watchdog;
	int64_t at_ms;

	w->device = (struct watchdog)WATCHDOG_NONE;
	if (stamp_read(g->cfg, STAMP_WATCHDOG, &at_ms, w->word, sizeof(w->word)) < 0)
		w->word[0] = '\0';
	w->armed = says_armed(watchdog_says_of(w->word));
}

void guard_watchdog_begin(struct guard *g)
{
	struct guard_watchdog *w = &g->watchdog;
	struct watchdog_facts f = facts(g);
	enum watchdog_act act = watchdog_decide(&f);

	if (w->device.fd >= 0)
		return;
	if (w->armed || (act == WATCHDOG_ARM && w->unfit == 0 && f.now >= w->next_try_ms)) {
		w->next_try_ms = f.now + TRY_AGAIN_MS;
		take(g);
	}
	if (act == WATCHDOG_DISARM && w->device.fd < 0 && is_gone(w->rc))
		w->armed = false;
}

void guard_watchdog_keep(struct guard *g)
{
	struct watchdog_facts f;
	enum watchdog_act act;

	/* A lease that has begun since. */
	guard_watchdog_begin(g);
	f = facts(g);
	act = watchdog_decide(&f);
	if (act != WATCHDOG_STARVE)
		g->watchdog.starves = false;
	if (f.server == GUARD_SERVER_STANDBY ||
	    (f.server == GUARD_SERVER_DOWN && !f.died_as_primary))
		g->watchdog.stop_unproven = false;
	if (act == WATCHDOG_NOTHING)
		look(g);
	if (g->watchdog.device.fd < 0)
		return;
	if (act == WATCHDOG_FEED)
		feed(g);
	else if (act == WATCHDOG_STARVE)
		starve(g);
	else if (act == WATCHDOG_DISARM)
		disarm(g);
}

void guard_watchdog_fenced(struct guard *g, bool proven)
{
	g->watchdog.stop_unproven = !proven;
	if (proven)
		guard_watchdog_keep(g);
}

bool guard_watchdog_permits(const struct guard *g)
{
	const struct guard_watchdog *w = &g->watchdog;

	if (g->cfg->watchdog != WATCHDOG_REQUIRED || (w->device.fd >= 0 && w->device.fits))
		return true;
	/* A server that is down may be given the right to start where a watchdog can be armed. */
	return g->server != GUARD_SERVER_PRIMARY && watchdog_usable(watchdog_says_of(w->word));
}

void guard_watchdog_leave(struct guard *g)
{
	if (g->watchdog.device.fd < 0)
		return;
	log_warning("the watchdog stays armed: this host is reset in up to %d s unless a guard is "
		    "started, or \"fence_self\" run, before",
		    LEAVE_S);
	watchdog_leave(&g->watchdog.device, LEAVE_S);
}

/* ---- what others call ---- */

void guard_watchdog_let_go(const struct cfg *cfg)
{
	struct guard g = { .cfg = cfg, .server = GUARD_SERVER_DOWN, .fenced = FACT_YES };

	guard_watchdog_resume(&g);
	if (!g.watchdog.armed || lock_held(file_lock(cfg, LOCK_GUARD).text) != 0)
		return;
	guard_watchdog_keep(&g);
	watchdog_leave(&g.watchdog.device, LEAVE_S);
}
