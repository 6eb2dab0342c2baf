/* SPDX-License-Identifier: PostgreSQL */
/* Turning a data directory whose server is down into a standby. */
#include "pgdata.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

/* ALTER SYSTEM writes a few lines; a file larger than this is none that PostgreSQL wrote. */
#define AUTO_CONF_MAX (256 * 1024)
/* One setting: every byte of a conninfo may be one that is doubled, and the longest that we make is
 * well below half of this. */
#define SETTING_MAX 4096

static const char *const replaced[] = { "primary_conninfo", "recovery_target_timeline" };

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

static int fill(int fd, const struct stat *owner, const char *text)
{
	int rc = write_all(fd, text, strlen(text));

	if (rc < 0)
		return rc;
	/* Owner before rename: PostgreSQL must never meet a file of root's.  Mode like that of the
	 * directory, without its x (0700 or 0750). */
	if (fchown(fd, owner->st_uid, owner->st_gid) < 0 ||
	    fchmod(fd, owner->st_mode & (S_IRUSR | S_IWUSR | S_IRGRP)) < 0 || fsync(fd) < 0)
		return -errno;
	return 0;
}

/*
 * Like state_write, but owned like the directory.  The directory belongs to somebody who is not
 * root: nothing is opened through a link, and the new file is always one that we made.
 */
static int replace_in(int directory, const char *name, const char *text)
{
	char temporary[64];
	struct stat owner;
	int rc;

	if (fstat(directory, &owner) < 0)
		return -errno;
	(void)snprintf(temporary, sizeof(temporary), "%s.pg_vrrp", name);
	if (unlinkat(directory, temporary, 0) < 0 && errno != ENOENT)
		return -errno;
	{
		AUTO_FD int fd = openat(directory, temporary,
					O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

		rc = fd < 0 ? -errno : fill(fd, &owner, text);
	}
	if (rc == 0 && renameat(directory, temporary, directory, name) < 0)
		rc = -errno;
	if (rc == 0 && fsync(directory) < 0)
		rc = -errno;
	if (rc < 0)
		(void)unlinkat(directory, temporary, 0);
	return rc;
}

/* Reads a regular file of the directory; a missing one is "". */
static int read_in(int directory, const char *name, char *text, size_t size)
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

/* Does this line set one of the replaced parameters?  Names are case-insensitive in PostgreSQL. */
static bool sets_replaced(const char *line)
{
	line += strspn(line, " \t");
	for (size_t i = 0; i < ARRAY_COUNT(replaced); i++) {
		size_t length = strlen(replaced[i]);

		if (strncasecmp(line, replaced[i], length) == 0 &&
		    strchr(" \t='", line[length]) != NULL)
			return true;
	}
	return false;
}

/* Copies the lines that stay. */
static size_t copy_kept(char *out, const char *text)
{
	size_t used = 0;

	while (*text != '\0') {
		size_t length = strcspn(text, "\n");

		if (!sets_replaced(text)) {
			memcpy(out + used, text, length);
			used += length;
			out[used++] = '\n';
		}
		text += length + (text[length] == '\n' ? 1 : 0);
	}
	out[used] = '\0';
	return used;
}

/* name = 'value' as ALTER SYSTEM writes it: quotes and backslashes doubled. */
static int setting(char *out, size_t size, const char *name, const char *value)
{
	int used = snprintf(out, size, "%s = '", name);
	size_t at = (size_t)used;

	if (used < 0)
		return -EINVAL;
	for (; *value != '\0'; value++) {
		if ((unsigned char)*value < 0x20)
			return -EINVAL;
		if (at + 5 > size)
			return -EFBIG;
		if (*value == '\'' || *value == '\\')
			out[at++] = *value;
		out[at++] = *value;
	}
	out[at++] = '\'';
	out[at++] = '\n';
	out[at] = '\0';
	return 0;
}

int pgdata_make_standby(const struct cfg *cfg, const char *conninfo)
{
	AUTO_FD int directory = open(cfg->data_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char AUTO_FREE *old = malloc(AUTO_CONF_MAX);
	char AUTO_FREE *new = malloc(AUTO_CONF_MAX + 2 * SETTING_MAX);
	size_t used;
	int rc;

	if (directory < 0)
		return -errno;
	if (old == NULL || new == NULL)
		return -ENOMEM;
	rc = read_in(directory, "postgresql.auto.conf", old, AUTO_CONF_MAX);
	if (rc < 0)
		return rc;
	used = copy_kept(new, old);
	rc = setting(new + used, SETTING_MAX, replaced[0], conninfo);
	if (rc == 0)
		rc = setting(new + used + strlen(new + used), SETTING_MAX, replaced[1], "latest");
	/* The settings first: a standby.signal without them would start a standby that follows
	 * whomever the old settings name. */
	if (rc == 0)
		rc = replace_in(directory, "postgresql.auto.conf", new);
	return rc < 0 ? rc : replace_in(directory, "standby.signal", "");
}
