/* SPDX-License-Identifier: PostgreSQL */
#include "base/notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

int notify_send(const char *lines)
{
	const char *path = getenv("NOTIFY_SOCKET"); /* ALLOW: systemd's one way to tell */
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	const size_t length = path != NULL ? strlen(path) : 0;
	AUTO_FD int fd = -1;

	if (length == 0)
		return 0;
	if ((path[0] != '/' && path[0] != '@') || length >= sizeof(to.sun_path))
		return -EINVAL;
	memcpy(to.sun_path, path, length);
	/* An abstract name begins with a null byte. */
	if (path[0] == '@')
		to.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (sendto(fd, lines, strlen(lines), MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *)&to,
		   (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)) < 0)
		return -errno;
	return 0;
}
