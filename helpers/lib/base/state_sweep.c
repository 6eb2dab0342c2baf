/* SPDX-License-Identifier: PostgreSQL */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/state.h"

/* As state_write makes it: mkostemp's six letters and digits behind it. */
#define NEW ".new."
enum { RANDOM = 6 };

static bool is_new(const char *name)
{
	const size_t length = strlen(name), tail = strlen(NEW) + RANDOM;

	if (length <= tail)
		return false;
	name += length - tail;
	return strncmp(name, NEW, strlen(NEW)) == 0 &&
	       strspn(name + strlen(NEW), "abcdefghijklmnopqrstuvwxyz"
					  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == RANDOM;
}

/*
 * 1 when it was left behind and is gone now, 0 when it is to stay, or -errno.  A writer that has
 * made it and has not locked it yet finds it gone when it renames it, and begins anew.
 */
static int sweep_one(int directory, const char *name)
{
	int AUTO_FD fd =
	    openat(directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	/* Renamed by its writer meanwhile, or a link, which is not ours. */
	if (fd < 0)
		return errno == ENOENT || errno == ELOOP ? 0 : -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return 0;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? 0 : -errno;
	if (unlinkat(directory, name, 0) < 0)
		return errno == ENOENT ? 0 : -errno;
	return 1;
}

int state_sweep(const char *directory)
{
	DIR AUTO_DIR *all = opendir(directory);
	const struct dirent *entry;
	int swept = 0;

	if (all == NULL)
		return -errno;
	for (errno = 0; (entry = readdir(all)) != NULL; errno = 0) {
		int rc = is_new(entry->d_name) ? sweep_one(dirfd(all), entry->d_name) : 0;

		if (rc < 0)
			return rc;
		swept += rc;
	}
	return errno != 0 ? -errno : swept;
}
