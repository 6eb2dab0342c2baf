/* SPDX-License-Identifier: PostgreSQL */
#include "base/signals.h"

#include <errno.h>
#include <stddef.h>
#include <sys/signalfd.h>
#include <unistd.h>

static int open_set(bool waking)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	/* Blocked, it waits to be read, though nobody handles it (signalfd(2)). */
	if (waking)
		sigaddset(&set, SIGNAL_WAKE);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

int signals_open(void)
{
	return open_set(false);
}

int signals_open_waking(void)
{
	return open_set(true);
}

bool signals_end(int fd)
{
	struct signalfd_siginfo one;
	bool end = false;

	while (read(fd, &one, sizeof(one)) == (ssize_t)sizeof(one))
		end = end || one.ssi_signo != SIGNAL_WAKE;
	return end;
}
