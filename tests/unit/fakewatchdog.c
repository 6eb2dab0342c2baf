/* SPDX-License-Identifier: PostgreSQL */
#include "fakewatchdog.h"

#include <errno.h>
#include <linux/watchdog.h>
#include <string.h>

const struct fakewatchdog fakewatchdog_good = {
	.options = WDIOF_SETTIMEOUT | WDIOF_MAGICCLOSE | WDIOF_KEEPALIVEPING,
	.min_s = 1,
	.max_s = 65535,
	.timeout_s = 60,
};

static int ping(struct fakewatchdog *w, int64_t now)
{
	if (w->failing != 0)
		return -w->failing;
	w->fed_ms = now;
	w->pings++;
	return 0;
}

static int start(struct fakewatchdog *w, int64_t now)
{
	/* One that counts already is not fed by being opened. */
	if (w->active)
		return 0;
	w->active = true;
	w->fed_ms = now;
	return 0;
}

static int stop(struct fakewatchdog *w)
{
	if (!w->active)
		return 0;
	if (w->nowayout)
		return -EBUSY;
	w->active = false;
	return 0;
}

int fakewatchdog_open(struct fakewatchdog *w, int64_t now)
{
	if (w->opened)
		return -EBUSY;
	if (w->failing != 0)
		return -w->failing;
	w->opened = true;
	w->release_allowed = false;
	return start(w, now);
}

static int set_timeout(struct fakewatchdog *w, int64_t now, int *seconds)
{
	int step = w->step_s > 1 ? w->step_s : 1;

	if ((w->options & WDIOF_SETTIMEOUT) == 0)
		return -EOPNOTSUPP;
	if (*seconds < w->min_s || *seconds > w->max_s)
		return -EINVAL;
	w->timeout_s = (*seconds + step - 1) / step * step;
	*seconds = w->timeout_s;
	return ping(w, now);
}

static int set_options(struct fakewatchdog *w, int64_t now, int options)
{
	if (w->old_driver)
		return -ENOTTY;
	if ((options & WDIOS_DISABLECARD) != 0)
		return stop(w);
	return (options & WDIOS_ENABLECARD) != 0 ? start(w, now) : -EINVAL;
}

int fakewatchdog_ioctl(struct fakewatchdog *w, int64_t now, unsigned long request, void *argument)
{
	struct watchdog_info info = { .options = w->options, .identity = "stand-in" };

	if (w->failing != 0)
		return -w->failing;
	switch (request) {
	case WDIOC_GETSUPPORT:
		memcpy(argument, &info, sizeof(info));
		return 0;
	case WDIOC_SETOPTIONS:
		return set_options(w, now, *(int *)argument);
	case WDIOC_KEEPALIVE:
		return (w->options & WDIOF_KEEPALIVEPING) != 0 ? ping(w, now) : -EOPNOTSUPP;
	case WDIOC_SETTIMEOUT:
		return set_timeout(w, now, argument);
	case WDIOC_GETTIMEOUT:
		*(int *)argument = w->timeout_s;
		return 0;
	default:
		return -ENOTTY;
	}
}

long fakewatchdog_write(struct fakewatchdog *w, int64_t now, const char *data, size_t count)
{
	int rc;

	w->release_allowed = memchr(data, 'V', count) != NULL;
	rc = ping(w, now);
	return rc < 0 ? rc : (long)count;
}

/* Of a process that was killed, too. */
void fakewatchdog_release(struct fakewatchdog *w, int64_t now)
{
	bool meant = w->release_allowed || (w->options & WDIOF_MAGICCLOSE) == 0;

	if (w->active && (!meant || stop(w) < 0) && w->failing == 0)
		(void)ping(w, now);
	w->opened = false;
	w->release_allowed = false;
}

bool fakewatchdog_fires(const struct fakewatchdog *w, int64_t now)
{
	return w->active && now - w->fed_ms >= (int64_t)w->timeout_s * 1000;
}
