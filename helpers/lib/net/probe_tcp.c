/* SPDX-License-Identifier: PostgreSQL */
#include "net/probe_kinds.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

static void hang_up(struct probe *probe)
{
	if (probe->fd >= 0)
		(void)close(probe->fd);
	probe->fd = -1;
}

int probe_tcp_send(struct probe *probe)
{
	struct sockaddr_storage target;
	socklen_t size = probe_target(probe, &target);

	hang_up(probe);
	probe->fd = socket(probe->family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (probe->fd < 0)
		return -errno;
	if (connect(probe->fd, (const struct sockaddr *)&target, size) != 0 &&
	    errno != EINPROGRESS) {
		int rc = -errno;

		hang_up(probe);
		return rc;
	}
	return 0;
}

int64_t probe_tcp_take(struct probe *probe)
{
	struct pollfd ready = { .fd = probe->fd, .events = POLLOUT };
	int error = 0;
	socklen_t size = sizeof(error);

	if (probe->fd < 0)
		return 0;
	if (poll(&ready, 1, 0) <= 0)
		return 0;
	if (getsockopt(probe->fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
		error = errno;
	hang_up(probe);
	/* ECONNRESET and EPIPE: it took the connection and dropped it before we looked.  A host
	 * that never took it says ECONNREFUSED. */
	if (error == 0 || error == ECONNRESET || error == EPIPE)
		return *probe_sent(probe, probe->sequence);
	return -error;
}
