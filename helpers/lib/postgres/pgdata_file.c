/* SPDX-License-Identifier: PostgreSQL */
#include "postgres/pgdata_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Of one read(2) and write(2). */
#define COPY_BYTES (128 * 1024)

static int write_all(int fd, const char *text, size_t length)
{
	while (length > 0) {
		ssize_t done = write(fd, text, length);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -errno;
		text += done;
		length -= (size_t)done;
	}
	return 0;
}

/* Owner before rename: PostgreSQL must never meet a file of root's.  Mode like that of the
 * directory, without its x (0700 or 0750). */
static int give(int fd, int directory)
{
	struct stat owner;

	if (fstat(directory, &owner) < 0 || fchown(fd, owner.st_uid, owner.st_gid) < 0 ||
	    fchmod(fd, owner.st_mode & (S_IRUSR | S_IWUSR | S_IRGRP)) < 0 || fsync(fd) < 0)
		return -errno;
	return 0;
}

int pgdata_copy(int in, int out, int directory)
{
	char AUTO_FREE *buffer = malloc(COPY_BYTES);

	if (buffer == NULL)
		return -ENOMEM;
	for (;;) {
		ssize_t got = read(in, buffer, COPY_BYTES);
		int rc;

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			return give(out, directory);
		rc = write_all(out, buffer, (size_t)got);
		if (rc < 0)
			return rc;
	}
}

int pgdata_replace(int directory, const char *name, const char *text)
{
	char temporary[64];
	int rc;

	(void)snprintf(temporary, sizeof(temporary), "%s.pg_vrrp", name);
	if (unlinkat(directory, temporary, 0) < 0 && errno != ENOENT)
		return -errno;
	{
		AUTO_FD int fd = openat(directory, temporary,
					O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

		rc = fd < 0 ? -errno : write_all(fd, text, strlen(text));
		if (rc == 0)
			rc = give(fd, directory);
	}
	if (rc == 0 && renameat(directory, temporary, directory, name) < 0)
		rc = -errno;
	if (rc == 0 && fsync(directory) < 0)
		rc = -errno;
	if (rc < 0)
		(void)unlinkat(directory, temporary, 0);
	return rc;
}

int pgdata_read(int directory, const char *name, char *text, size_t size)
{
	AUTO_FD int fd = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat status;
	size_t used = 0;

	text[0] = '\0';
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	if (fstat(fd, &status) < 0)
		return -errno;
	if (!S_ISREG(status.st_mode))
		return -EINVAL;
	while (used < size) {
		ssize_t got = read(fd, text + used, size - used);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		used += (size_t)got;
	}
	if (used == size)
		return -EFBIG;
	text[used] = '\0';
	return strlen(text) == used ? 0 : -EINVAL;
}
