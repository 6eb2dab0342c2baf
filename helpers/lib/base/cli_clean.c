/* SPDX-License-Identifier: PostgreSQL */
#include "base/cli_clean.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/outcome.h"

/* Is this "NAME=value" one of the few that we keep? */
static bool kept_variable(const char *entry)
{
	static const char *const names[] = {
		"TERM=", "TZ=",
		"SSH_ORIGINAL_COMMAND=", /* the forced command of fence_old's key reads it */
		"NOTIFY_SOCKET=",        /* the guard under systemd */
	};

	for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
		if (strncmp(entry, names[i], strlen(names[i])) == 0)
			return true;
	}
	return false;
}

/*
 * A list of what may stay, not of what must go: libpq, ssl, kerberos, the loader, malloc and the
 * resolver each read variables of their own, and the next version of one of them reads more.
 */
static void clean_environment(void)
{
	static char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	static char locale[] = "LC_ALL=C";
	static char *clean[8]; /* environ points here for the rest of the run */
	size_t count = 0;

	clean[count++] = path;
	clean[count++] = locale;
	for (char **entry = environ; entry != NULL && *entry != NULL; entry++) {
		if (kept_variable(*entry) && count < ARRAY_COUNT(clean) - 1)
			clean[count++] = *entry;
	}
	clean[count] = NULL;
	environ = clean;
}

/* Without 0-2 the next file opened gets such a number, and messages are written into it. */
static void clean_descriptors(void)
{
	for (int fd = 0; fd <= 2; fd++) {
		if (fcntl(fd, F_GETFD) >= 0)
			continue;
		if (open("/dev/null", fd == 0 ? O_RDONLY : O_WRONLY) != fd)
			exit(OUT_SYSTEM);
	}
	/* Fails only on a kernel before 5.9, and then inherited descriptors do no more
	 * than stay. */
	if (close_range(3, ~0U, 0) < 0)
		errno = 0;
}

/*
 * An ignored SIGCHLD would have the kernel reap our children before we saw how they ended; SIGPIPE
 * would end us silently where a write error is to be told.
 */
static void clean_signals(void)
{
	struct sigaction action = { .sa_handler = SIG_DFL };
	sigset_t none;

	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)sigaction(SIGCHLD, &action, NULL);
	action.sa_handler = SIG_IGN;
	(void)sigaction(SIGPIPE, &action, NULL);
}

void cli_clean(void)
{
	clean_descriptors();
	clean_environment();
	clean_signals();
	(void)umask(022);
}
