/* SPDX-License-Identifier: PostgreSQL */
#include "base/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The kernel tells nobody that a lock became free in bounded time, so it is asked this often. */
#define RETRY_MS 10

/* 0, -EAGAIN when another holds it, or -errno. */
static int try_lock(int fd)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	if (fcntl(fd, F_OFD_SETLK, &whole) == 0)
		return 0;
	return errno == EACCES ? -EAGAIN : -errno;
}

/*
 * A lock file that was removed or replaced after we opened it is locked by us and by nobody else:
 * the next caller locks the new one.  -ESTALE then.
 */
static int still_at(int fd, const char *path)
{
	struct stat ours, there;

	if (fstat(fd, &ours) < 0)
		return -errno;
	if (!S_ISREG(ours.st_mode))
		return -EINVAL;
	if (stat(path, &there) < 0)
		return errno == ENOENT ? -ESTALE : -errno;
	return ours.st_dev == there.st_dev && ours.st_ino == there.st_ino ? 0 : -ESTALE;
}

static void write_pid(int fd)
{
	char text[24];
	int length = snprintf(text, sizeof(text), "%d\n", (int)getpid());

	/* The pid is for people.  A full disk must not keep a fence from its lock. */
	if (ftruncate(fd, 0) < 0 || pwrite(fd, text, (size_t)length, 0) < 0)
		errno = 0;
}

/* One attempt.  0 with *fd held, -EAGAIN, -ESTALE, or -errno. */
static int lock_once(int *fd, const char *path)
{
	int rc;

	*fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	if (*fd < 0)
		return -errno;
	rc = try_lock(*fd);
	if (rc == 0)
		rc = still_at(*fd, path);
	if (rc < 0) {
		(void)close(*fd);
		*fd = -1;
	}
	return rc;
}

int lock_take(int *fd, const char *path, const struct deadline *dl)
{
	for (;;) {
		struct deadline pause;
		int rc = lock_once(fd, path);

		if (rc == 0)
			write_pid(*fd);
		if (rc != -EAGAIN && rc != -ESTALE)
			return rc;
		if (deadline_passed(dl))
			return -ETIMEDOUT;
		pause = deadline_sooner(dl, RETRY_MS);
		deadline_sleep(&pause);
	}
}

int lock_held(const char *path)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int AUTO_FD fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	if (fcntl(fd, F_OFD_GETLK, &whole) < 0)
		return -errno;
	return whole.l_type != F_UNLCK;
}
