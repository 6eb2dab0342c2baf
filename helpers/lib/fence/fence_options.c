/* SPDX-License-Identifier: PostgreSQL */
/* The file that tells an agent how to switch a node off: read strictly, because it has
 * a password. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/redact.h"
#include "fence/fence_power.h"

/* A shorter text would take letters out of every word. */
#define SECRET_LEAST 4
/* A line takes at least a key of one character, "=", the value and its end. */
#define SECRETS_MAX (POWER_INPUT_MAX / (SECRET_LEAST + 3) + 1)

static int complain(char *why, int rc, const char *path, const char *what)
{
	(void)snprintf(why, POWER_WHY_MAX, "%.80s %s", path, what);
	return rc;
}

static int open_secret(const char *path, char *why)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	int rc;

	if (fd < 0)
		return complain(why, -errno, path, "cannot be opened");
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		rc = complain(why, -EINVAL, path, "is not a regular file");
	else if (st.st_uid != 0 && st.st_uid != geteuid())
		rc = complain(why, -EPERM, path, "does not belong to root");
	else if ((st.st_mode & (S_IRWXG | S_IRWXO)) != 0)
		rc = complain(why, -EPERM, path, "may be read by others: chmod 600");
	else
		return fd;
	(void)close(fd);
	return rc;
}

static int read_file(int fd, char *text, size_t size)
{
	size_t used = 0;

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

/* The deed is ours to say.  "option" is its old name. */
static bool says_action(const char *line, size_t key)
{
	return (key == 6 && strncmp(line, "action", key) == 0) ||
	       (key == 6 && strncmp(line, "option", key) == 0);
}

static int check_lines(const char *text, const char *path, char *why)
{
	while (*text != '\0') {
		size_t length = strcspn(text, "\n");
		size_t key = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					  "0123456789_-");

		if (length > 0 && *text != '#' && (key == 0 || text[key] != '='))
			return complain(why, -EINVAL, path, "has a line that is not KEY=VALUE");
		if (says_action(text, key))
			return complain(why, -EINVAL, path,
					"has an action: which one is ours to say");
		text += length;
		text += *text == '\n';
	}
	return 0;
}

int power_input(const char *path, const char *action, char *input, size_t size, char *why)
{
	int AUTO_FD fd = open_secret(path, why);
	size_t used;
	int length, rc;

	if (fd < 0)
		return fd;
	rc = read_file(fd, input, size);
	if (rc < 0)
		return complain(why, rc, path, "cannot be read, or is too long");
	rc = check_lines(input, path, why);
	if (rc < 0)
		return rc;
	used = strlen(input);
	length = snprintf(input + used, size - used, "%saction=%s\n",
			  used > 0 && input[used - 1] != '\n' ? "\n" : "", action);
	if (length < 0 || (size_t)length >= size - used)
		return complain(why, -EFBIG, path, "is too long");
	return 0;
}

void power_redact(char *text, const char *input)
{
	struct secret secrets[SECRETS_MAX];
	size_t count = 0;

	while (*input != '\0' && count < ARRAY_COUNT(secrets)) {
		size_t length = strcspn(input, "\n");
		const char *equals = memchr(input, '=', length);
		size_t value = equals == NULL ? 0 : length - (size_t)(equals + 1 - input);

		if (*input != '#' && value >= SECRET_LEAST)
			secrets[count++] = (struct secret){ equals + 1, value };
		input += length;
		input += *input == '\n';
	}
	redact(text, secrets, count);
}
