/* SPDX-License-Identifier: PostgreSQL */
#include "base/state.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* A guard sweeps once, as it starts: twice in a row only bad luck could meet it. */
enum { TRIES = 3 };

int state_sync_directory(const char *path)
{
	AUTO_FD int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

static int sync_directory_of(const char *path)
{
	char directory[PATH_MAX];
	const char *slash = strrchr(path, '/');
	int length;

	if (slash == NULL)
		length = snprintf(directory, sizeof(directory), ".");
	else
		length = snprintf(directory, sizeof(directory), "%.*s/", (int)(slash - path), path);
	if (length < 0 || (size_t)length >= sizeof(directory))
		return -ENAMETOOLONG;
	return state_sync_directory(directory);
}

static int write_all(int fd, const char *text, size_t length)
{
	while (length > 0) {
		ssize_t written = write(fd, text, length);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return -errno;
		text += written;
		length -= (size_t)written;
	}
	return 0;
}

static int write_new(int fd, const char *text, mode_t mode, bool durable)
{
	int rc;

	if (fchmod(fd, mode) < 0)
		return -errno;
	rc = write_all(fd, text, strlen(text));
	if (rc < 0)
		return rc;
	if (durable && fsync(fd) < 0)
		return -errno;
	return 0;
}

/* The new file and its rename.  -ENOENT also when it was swept (state_sweep) before it
 * was locked. */
static int replace(const char *path, const char *text, mode_t mode, bool durable)
{
	char new_path[PATH_MAX];
	int AUTO_FD fd = -1;
	int length, rc;

	/* A random name: two writers at once must not write into each other's new file. */
	length = snprintf(new_path, sizeof(new_path), "%s.new.XXXXXX", path);
	if (length < 0 || (size_t)length >= sizeof(new_path))
		return -ENAMETOOLONG;
	fd = mkostemp(new_path, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	/* Says that somebody writes it; without it only the sweeper could be wrong, see TRIES. */
	(void)flock(fd, LOCK_EX | LOCK_NB);
	rc = write_new(fd, text, mode, durable);
	if (rc == 0 && rename(new_path, path) < 0)
		rc = -errno;
	if (rc < 0)
		(void)unlink(new_path);
	return rc;
}

int state_write(const char *path, const char *text, mode_t mode, bool durable)
{
	int rc = -ENOENT;

	for (int i = 0; i < TRIES && rc == -ENOENT; i++)
		rc = replace(path, text, mode, durable);
	return rc == 0 && durable ? sync_directory_of(path) : rc;
}

/*
 * O_NONBLOCK: a FIFO in the file's place must not hold us up.  O_NOFOLLOW: some of what we read as
 * root is in a directory of the server's user, and to open a device may be a deed (/dev/watchdog).
 */
static int open_regular(const char *path, int flags, mode_t mode)
{
	int fd = open(path, flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW, mode);
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		return fd;
	(void)close(fd);
	return -EINVAL;
}

int state_read(const char *path, char *text, size_t size)
{
	int AUTO_FD fd = -1;
	size_t used = 0;

	if (size == 0)
		return -EFBIG;
	text[0] = '\0';
	fd = open_regular(path, O_RDONLY, 0);
	if (fd < 0)
		return fd;
	for (;;) {
		ssize_t got = read(fd, text + used, size - used);

		if (got < 0 && errno == EINTR)
			continue;
		if (got == 0)
			break;
		used += got > 0 ? (size_t)got : 0;
		if (got < 0 || used == size) {
			text[0] = '\0';
			return got < 0 ? -errno : -EFBIG;
		}
	}
	text[used] = '\0';
	if (strlen(text) == used)
		return 0;
	text[0] = '\0';
	return -EINVAL;
}

int state_get(const char *text, const char *key, char *value, size_t size)
{
	size_t key_length = strlen(key);
	const char *found = NULL;
	size_t found_length = 0;

	for (const char *line = text; *line != '\0';) {
		const char *end = strchr(line, '\n');
		const char *equals = strchr(line, '=');

		/* Without its end the line may have lost digits of a number. */
		if (end == NULL || equals == NULL || equals > end || equals == line)
			return -EINVAL;
		if ((size_t)(equals - line) == key_length && strncmp(line, key, key_length) == 0) {
			if (found != NULL)
				return -EINVAL;
			found = equals + 1;
			found_length = (size_t)(end - found);
		}
		line = end + 1;
	}
	if (found == NULL)
		return -ENOENT;
	if (found_length >= size)
		return -EFBIG;
	memcpy(value, found, found_length);
	value[found_length] = '\0';
	return 0;
}

int state_get_i64(const char *text, const char *key, int64_t *value)
{
	char digits[24]; /* INT64_MIN has 20 characters */
	const char *first = digits;
	char *end;
	long long number;
	int rc = state_get(text, key, digits, sizeof(digits));

	if (rc == -EFBIG)
		return -EINVAL;
	if (rc < 0)
		return rc;
	if (*first == '-')
		first++;
	/* strtoll would also take blanks and a plus sign, which we never write. */
	if (*first < '0' || *first > '9')
		return -EINVAL;
	errno = 0;
	number = strtoll(digits, &end, 10);
	if (errno != 0 || *end != '\0')
		return -EINVAL;
	*value = number;
	return 0;
}

int state_get_u64(const char *text, const char *key, uint64_t *value)
{
	char digits[24]; /* UINT64_MAX has 20 characters */
	unsigned long long number;
	int rc = state_get(text, key, digits, sizeof(digits));

	if (rc == -EFBIG)
		return -EINVAL;
	if (rc < 0)
		return rc;
	if (digits[0] == '\0' || strspn(digits, "0123456789") != strlen(digits))
		return -EINVAL;
	errno = 0;
	number = strtoull(digits, NULL, 10);
	if (errno != 0)
		return -EINVAL;
	*value = number;
	return 0;
}

int state_remove(const char *path, bool durable)
{
	int rc;

	/* On a read-only file system unlink(2) does not even look whether there is anything. */
	if (unlink(path) < 0 && errno != ENOENT && !(errno == EROFS && state_exists(path) == 0))
		return -errno;
	if (!durable)
		return 0;
	/* Also when it was gone already: whoever removed it may have been killed before this. */
	rc = sync_directory_of(path);
	return rc == -ENOENT ? 0 : rc;
}

int state_exists(const char *path)
{
	struct stat st;

	if (lstat(path, &st) == 0)
		return 1;
	return errno == ENOENT ? 0 : -errno;
}

/* Was the last line cut short (by a power-off, or a full disk)?  Then ours must not continue it. */
static int ends_within_line(int fd)
{
	struct stat st;
	char last;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size == 0)
		return 0;
	if (pread(fd, &last, 1, st.st_size - 1) != 1)
		return -EIO;
	return last != '\n';
}

int state_append(const char *path, const char *line, mode_t mode)
{
	char text[STATE_TEXT_MAX];
	int AUTO_FD fd = -1;
	int length, torn;
	ssize_t written;

	if (strchr(line, '\n') != NULL)
		return -EINVAL;
	fd = open_regular(path, O_RDWR | O_APPEND | O_CREAT, mode);
	if (fd < 0)
		return fd;
	torn = ends_within_line(fd);
	if (torn < 0)
		return torn;
	length = snprintf(text, sizeof(text), "%s%s\n", torn ? "\n" : "", line);
	if (length < 0 || (size_t)length >= sizeof(text))
		return -EFBIG;
	/* One write(2), so that lines of two writers do not mix. */
	written = write(fd, text, (size_t)length);
	if (written < 0)
		return -errno;
	if (written != length)
		return -ENOSPC;
	if (fsync(fd) < 0)
		return -errno;
	return sync_directory_of(path);
}

static int make_directory(const char *path)
{
	struct stat st;

	if (mkdir(path, 0755) == 0)
		return chmod(path, 0755) < 0 ? -errno : 0; /* whatever the umask was */
	if (errno != EEXIST)
		return -errno;
	if (stat(path, &st) < 0)
		return -errno;
	return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
}

int state_mkdirs(const char *path)
{
	char part[PATH_MAX];
	size_t length = strlen(path);

	if (length == 0)
		return -ENOENT;
	if (length >= sizeof(part))
		return -ENAMETOOLONG;
	memcpy(part, path, length + 1);
	for (char *slash = strchr(part + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		int rc;

		*slash = '\0';
		rc = make_directory(part);
		if (rc < 0)
			return rc;
		*slash = '/';
	}
	return make_directory(part);
}
