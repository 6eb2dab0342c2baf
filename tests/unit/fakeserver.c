/* SPDX-License-Identifier: PostgreSQL */
#include "fakeserver.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* What the client sends first; what it is does not matter. */
static void hear(int fd)
{
	char heard[1024];

	if (recv(fd, heard, sizeof(heard), 0) < 0)
		(void)fprintf(stderr, "fakeserver: recv: %s\n", strerror(errno));
}

static void say(int fd, const void *bytes, size_t size)
{
	if (send(fd, bytes, size, MSG_NOSIGNAL) != (ssize_t)size)
		(void)fprintf(stderr, "fakeserver: send: %s\n", strerror(errno));
}

/* Until the client gives up. */
static void hold(int fd)
{
	char heard[1024];

	while (recv(fd, heard, sizeof(heard), 0) > 0)
		continue;
}

static void *serve(void *arg)
{
	static const unsigned char cleartext_password[] = { 'R', 0, 0, 0, 8, 0, 0, 0, 3 };
	const struct fake *fake = arg;
	int fd;

	while ((fd = accept(fake->fd, NULL, NULL)) >= 0) {
		if (fake->manner == FAKE_SILENT)
			hold(fd);
		if (fake->manner == FAKE_PASSWORD) {
			hear(fd);
			say(fd, cleartext_password, sizeof(cleartext_password));
		}
		if (fake->manner == FAKE_PASSWORD || fake->manner == FAKE_SAY) {
			hear(fd);
			say(fd, fake->bytes, fake->size);
		}
		(void)close(fd);
	}
	return NULL;
}

int fake_start(struct fake *fake, const char *address, uint16_t port)
{
	const int one = 1;
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(port) };

	if (inet_pton(AF_INET, address, &in.sin_addr) != 1)
		return -EINVAL;
	fake->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fake->fd < 0 || setsockopt(fake->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
	    bind(fake->fd, (const struct sockaddr *)&in, sizeof(in)) < 0 || listen(fake->fd, 8) < 0)
		return -errno;
	return -pthread_create(&fake->thread, NULL, serve, fake);
}

void fake_stop(struct fake *fake)
{
	(void)shutdown(fake->fd, SHUT_RDWR);
	(void)pthread_join(fake->thread, NULL);
	(void)close(fake->fd);
}

size_t fake_error(char *bytes, size_t size, const char *sqlstate, const char *message)
{
	const size_t length = strlen(message);
	/* E, length, SFATAL, CSQLSTATE, Mmessage, end */
	const uint32_t body = htonl((uint32_t)(4 + 7 + 7 + length + 2 + 1));
	size_t used = 0;

	if (length + 64 > size)
		return 0;
	bytes[used++] = 'E';
	memcpy(bytes + used, &body, sizeof(body));
	used += sizeof(body);
	memcpy(bytes + used, "SFATAL", 7);
	used += 7;
	(void)snprintf(bytes + used, size - used, "C%.5s", sqlstate);
	used += 7;
	bytes[used++] = 'M';
	memcpy(bytes + used, message, length + 1);
	used += length + 1;
	bytes[used++] = '\0';
	return used;
}
