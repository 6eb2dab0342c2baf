/* SPDX-License-Identifier: PostgreSQL */
#include "guard/watchdog.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/watchdog.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/state.h"

/* /dev/watchdog is the first of them. */
static int is_active(const char *path)
{
	const char *name = strrchr(path, '/');
	char sysfs[128];
	char text[32];

	name = name != NULL ? name + 1 : path;
	(void)snprintf(sysfs, sizeof(sysfs), "/sys/class/watchdog/%s%s/state", name,
		       strcmp(name, "watchdog") == 0 ? "0" : "");
	/* A kernel that does not tell is one that we believe to have it free. */
	return state_read(sysfs, text, sizeof(text)) == 0 && strcmp(text, "active\n") == 0;
}

int watchdog_look(const char *path)
{
	if (access(path, W_OK) < 0)
		return -errno;
	return is_active(path) ? -EBUSY : 0;
}

static int control(const struct watchdog *w, unsigned long request, void *argument)
{
	return ioctl(w->fd, request, argument) < 0 ? -errno : 0;
}

/*
 * The driver may round, and its answer is the timeout that is set.  Seconds that it cannot count
 * are refused.
 */
static int set_timeout(struct watchdog *w, int least_s, int most_s)
{
	for (int wanted = least_s; wanted <= most_s; wanted++) {
		int seconds = wanted;

		if (control(w, WDIOC_SETTIMEOUT, &seconds) < 0)
			continue;
		w->timeout_ms = (int64_t)seconds * 1000;
		if (seconds >= least_s && seconds <= most_s)
			return 0;
	}
	return -ERANGE;
}

/* The kernel says whether it stopped only when it is asked this way; old drivers know no
 * such way. */
static int stop(const struct watchdog *w)
{
	int options = WDIOS_DISABLECARD;
	int rc = control(w, WDIOC_SETOPTIONS, &options);

	if (rc == -ENOTTY || rc == -EOPNOTSUPP || rc == -EINVAL)
		rc = 0;
	return rc;
}

int watchdog_disarm(struct watchdog *w)
{
	int rc = stop(w);

	if (rc < 0)
		return rc;
	/* The last thing that it is told: a close after it is meant. */
	if (write(w->fd, "V", 1) != 1)
		return -errno;
	(void)close(w->fd);
	*w = (struct watchdog)WATCHDOG_NONE;
	return 0;
}

/* Without "V" a close would disarm it, and so would our death: unless nothing ever does. */
static int survives_us(const struct watchdog *w, uint32_t options)
{
	if ((options & WDIOF_MAGICCLOSE) != 0 || stop(w) == -EBUSY)
		return 0;
	return -ENOTSUP;
}

int watchdog_arm(struct watchdog *w, const char *path, int least_s, int most_s)
{
	struct watchdog_info info = { 0 };
	int rc;

	*w = (struct watchdog)WATCHDOG_NONE;
	/* Neither made when it is missing nor waited for when it is a pipe. */
	w->fd = open(path, O_WRONLY | O_CLOEXEC | O_NONBLOCK);
	if (w->fd < 0)
		return -errno;
	rc = control(w, WDIOC_GETSUPPORT, &info);
	if (rc < 0) {
		watchdog_leave(w, 0);
		return rc;
	}
	w->pings = (info.options & WDIOF_KEEPALIVEPING) != 0;
	rc = survives_us(w, info.options);
	if (rc == 0)
		rc = set_timeout(w, least_s, most_s);
	if (rc == 0)
		rc = watchdog_feed(w);
	w->fits = rc == 0;
	/* Where it cannot be stopped it stays with us, open: to leave it would reset the host. */
	if (rc < 0 && watchdog_disarm(w) < 0)
		w->fits = false;
	return rc;
}

int watchdog_feed(const struct watchdog *w)
{
	if (w->pings)
		return control(w, WDIOC_KEEPALIVE, NULL);
	return write(w->fd, "", 1) == 1 ? 0 : -errno;
}

void watchdog_leave(struct watchdog *w, int seconds)
{
	if (w->fd < 0)
		return;
	if (seconds > 0)
		(void)control(w, WDIOC_SETTIMEOUT, &seconds);
	(void)close(w->fd);
	*w = (struct watchdog)WATCHDOG_NONE;
}
