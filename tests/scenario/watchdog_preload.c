/* SPDX-License-Identifier: PostgreSQL */
/*
 * Preloaded into the programs of one host of the lab: its /dev/watchdog is a socket, with
 * watchdog_device at the other end.  One process cannot have it open twice, which it never could.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "watchdog_wire.h"

#define DEVICE "/dev/watchdog"

static int ours = -1;

static int64_t call(int fd, struct wire_ask *ask, struct wire_answer *answer)
{
	if (send(fd, ask, sizeof(*ask), MSG_NOSIGNAL) != (ssize_t)sizeof(*ask) ||
	    recv(fd, answer, sizeof(*answer), 0) != (ssize_t)sizeof(*answer))
		answer->rc = -ENODEV; /* the device was taken away */
	if (answer->rc >= 0)
		return answer->rc;
	errno = (int)-answer->rc;
	return -1;
}

static int open_device(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = DEVICE };
	struct wire_ask ask = { .call = WIRE_OPEN };
	struct wire_answer answer;
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		if (errno == ECONNREFUSED)
			errno = ENODEV;
	} else if (call(fd, &ask, &answer) == 0) {
		ours = fd;
		return fd;
	}
	if (fd >= 0)
		(void)syscall(SYS_close, fd);
	return -1;
}

/* libc names its parameters with underscores, which are not ours to use. */
/* NOLINTBEGIN(readability-inconsistent-declaration-parameter-name) */
int open(const char *path, int flags, ...)
{
	va_list more;
	unsigned mode;

	if (strcmp(path, DEVICE) == 0)
		return open_device();
	va_start(more, flags);
	mode = (flags & (O_CREAT | __O_TMPFILE)) != 0 ? va_arg(more, unsigned) : 0;
	va_end(more);
	return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

int ioctl(int fd, unsigned long request, ...)
{
	struct wire_ask ask = { .call = WIRE_IOCTL, .request = request };
	struct wire_answer answer;
	va_list more;
	void *argument;

	va_start(more, request);
	argument = va_arg(more, void *);
	va_end(more);
	if (fd != ours || fd < 0)
		return (int)syscall(SYS_ioctl, fd, request, argument);
	if (argument != NULL && request != WDIOC_GETSUPPORT)
		memcpy(&ask.argument, argument, sizeof(ask.argument));
	if (call(fd, &ask, &answer) < 0)
		return -1;
	if (request == WDIOC_GETSUPPORT)
		memcpy(argument, &answer.info, sizeof(answer.info));
	else if (argument != NULL)
		memcpy(argument, &answer.argument, sizeof(answer.argument));
	return 0;
}

ssize_t write(int fd, const void *data, size_t count)
{
	struct wire_ask ask = { .call = WIRE_WRITE, .count = (uint32_t)count };
	struct wire_answer answer;

	if (fd != ours || fd < 0 || count > sizeof(ask.data))
		return syscall(SYS_write, fd, data, count);
	memcpy(ask.data, data, count);
	return (ssize_t)call(fd, &ask, &answer);
}

int close(int fd)
{
	if (fd == ours)
		ours = -1;
	return (int)syscall(SYS_close, fd);
}
/* NOLINTEND(readability-inconsistent-declaration-parameter-name) */
