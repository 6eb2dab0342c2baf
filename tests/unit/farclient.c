/* SPDX-License-Identifier: PostgreSQL */
#include "farclient.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/deadline.h"
#include "net/addr.h"

enum { PATIENCE_MS = 1000, PAUSE_MS = 10 };

int farclient_begin(const struct netfixture *fixture)
{
	int rc = netfixture_far(fixture, "/usr/sbin/ip addr add " CLIENT "/24 dev far0");

	if (rc == 0)
		rc = netfixture_far(fixture, "/usr/sbin/ip addr add " CLIENT6 "/64 dev far0 nodad");
	return rc == 0 ? 0 : -EPERM;
}

static socklen_t sockaddr_of(const char *address, uint16_t port, struct sockaddr_storage *out)
{
	struct addr addr;

	*out = (struct sockaddr_storage){ .ss_family = AF_UNSPEC };
	return addr_parse(&addr, address) == 0 ? addr_to_sockaddr(&addr, port, out) : 0;
}

/* A socket belongs to the namespace that it was made in. */
static int socket_of(const struct netfixture *fixture, int family)
{
	char path[64];
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%d/ns/net", fixture ? (int)fixture->far : 0);
	int AUTO_FD home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	int AUTO_FD there = fixture != NULL ? open(path, O_RDONLY | O_CLOEXEC) : dup(home);

	if (home < 0 || there < 0 || setns(there, CLONE_NEWNET) != 0)
		return -EPERM;
	fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	return setns(home, CLONE_NEWNET) == 0 ? fd : -EPERM;
}

int farclient_listen(const char *address, uint16_t port)
{
	const int yes = 1;
	struct sockaddr_storage here;
	socklen_t size = sockaddr_of(address, port, &here);
	int fd = socket(here.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) != 0 ||
	    bind(fd, (const struct sockaddr *)&here, size) != 0 || listen(fd, SOMAXCONN) != 0)
		return -errno;
	return fd;
}

static int wait_for(int fd, short events, int64_t ms)
{
	struct deadline dl = deadline_in_ms(ms);
	struct pollfd wanted = { .fd = fd, .events = events };

	return deadline_poll(&wanted, 1, &dl);
}

static int finish_connect(int fd)
{
	int error = ETIMEDOUT;
	socklen_t size = sizeof(error);

	if (wait_for(fd, POLLOUT, PATIENCE_MS) > 0 &&
	    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
		return -errno;
	return -error;
}

int farclient_connect(struct farclient *made, const struct netfixture *fixture, int listener,
		      const char *from, const char *to, uint16_t port)
{
	struct sockaddr_storage address;
	socklen_t size = sockaddr_of(from, 0, &address);
	int rc = 0;

	*made = (struct farclient){ .client = socket_of(fixture, address.ss_family), .server = -1 };
	if (made->client < 0)
		return -EPERM;
	if (bind(made->client, (const struct sockaddr *)&address, size) != 0)
		rc = -errno;
	size = sockaddr_of(to, port, &address);
	if (rc == 0 && connect(made->client, (const struct sockaddr *)&address, size) != 0)
		rc = errno == EINPROGRESS ? finish_connect(made->client) : -errno;
	if (rc == 0) {
		(void)wait_for(listener, POLLIN, PATIENCE_MS);
		made->server = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		rc = made->server < 0 ? -errno : 0;
	}
	if (rc != 0)
		farclient_end(made);
	return rc;
}

void farclient_end(const struct farclient *client)
{
	if (client->client >= 0)
		(void)close(client->client);
	if (client->server >= 0)
		(void)close(client->server);
}

int farclient_hears(int fd, int64_t ms)
{
	char byte = '\0';
	ssize_t got;

	if (wait_for(fd, POLLIN, ms) == 0)
		return 0;
	got = recv(fd, &byte, 1, 0);
	if (got == 1)
		return byte;
	return got == 0 ? -EPIPE : -errno;
}

bool farclient_works(const struct farclient *client)
{
	return send(client->client, "q", 1, MSG_NOSIGNAL) == 1 &&
	       farclient_hears(client->server, PATIENCE_MS) == 'q' &&
	       send(client->server, "a", 1, MSG_NOSIGNAL) == 1 &&
	       farclient_hears(client->client, PATIENCE_MS) == 'a';
}

int64_t farclient_cut_at(const struct farclient *client, int64_t limit_ms)
{
	struct deadline limit = deadline_in_ms(limit_ms);

	while (!deadline_passed(&limit)) {
		int heard = send(client->client, "q", 1, MSG_NOSIGNAL) < 0
				? -errno
				: farclient_hears(client->client, PAUSE_MS);

		if (heard == -ECONNRESET || heard == -EPIPE)
			return now_ms();
		if (heard != 0)
			return heard < 0 ? heard : -EPROTO;
	}
	return -ETIMEDOUT;
}
