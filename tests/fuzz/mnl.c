/* SPDX-License-Identifier: PostgreSQL */
#include "mnl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>

#include <libmnl/libmnl.h>

#define PORTID        4711
#define DATAGRAMS_MAX 64

struct mnl_socket {
	uint32_t sequence; /* of its last question */
};

static struct {
	struct input in;
	void (*sent)(const struct nlmsghdr *question, size_t size);
	bool as_it_is; /* numbers and ports of the input are left */
	int datagrams;
} kernel;

void mnl_begin(struct input in, void (*sent)(const struct nlmsghdr *question, size_t size))
{
	kernel.in = in;
	kernel.sent = sent;
	kernel.as_it_is = input_byte(&kernel.in) % 2 == 1;
	kernel.datagrams = 0;
}

struct mnl_socket *fake_mnl_socket_open2(int bus, int flags) FAKE(mnl_socket_open2);
struct mnl_socket *fake_mnl_socket_open2(int bus, int flags)
{
	struct mnl_socket *sock = calloc(1, sizeof(*sock));

	(void)bus;
	(void)flags;
	assert(sock != NULL);
	return sock;
}

int fake_mnl_socket_bind(struct mnl_socket *sock, unsigned int groups, pid_t pid)
    FAKE(mnl_socket_bind);
int fake_mnl_socket_bind(struct mnl_socket *sock, unsigned int groups, pid_t pid)
{
	(void)sock;
	(void)groups;
	(void)pid;
	return 0;
}

int fake_mnl_socket_close(struct mnl_socket *sock) FAKE(mnl_socket_close);
int fake_mnl_socket_close(struct mnl_socket *sock)
{
	free(sock);
	return 0;
}

/* A file, which is always ready. */
int fake_mnl_socket_get_fd(const struct mnl_socket *sock) FAKE(mnl_socket_get_fd);
int fake_mnl_socket_get_fd(const struct mnl_socket *sock)
{
	static int fd = -1;

	(void)sock;
	if (fd < 0)
		fd = memfd_create("ready", MFD_CLOEXEC);
	return fd;
}

unsigned int fake_mnl_socket_get_portid(const struct mnl_socket *sock) FAKE(mnl_socket_get_portid);
unsigned int fake_mnl_socket_get_portid(const struct mnl_socket *sock)
{
	(void)sock;
	return PORTID;
}

ssize_t fake_mnl_socket_sendto(struct mnl_socket *sock, const void *request, size_t size)
    FAKE(mnl_socket_sendto);
ssize_t fake_mnl_socket_sendto(struct mnl_socket *sock, const void *request, size_t size)
{
	const struct nlmsghdr *question = request;

	assert(size >= sizeof(*question) && question->nlmsg_len <= size);
	sock->sequence = question->nlmsg_seq;
	if (kernel.sent != NULL)
		kernel.sent(question, size);
	return (ssize_t)size;
}

/* Nor has any error a number that has no negative one. */
static void bound(char *error)
{
	int number;

	memcpy(&number, error, sizeof(number));
	if (number == INT32_MIN)
		number++;
	memcpy(error, &number, sizeof(number));
}

/*
 * Answers go to who asked.  And no message has 2 GB: libmnl (1.0.4, mnl_nlmsg_ok) compares lengths
 * as signed numbers, takes such a one for good, and reads on far behind it.
 */
static void frame(const struct mnl_socket *sock, char *datagram, size_t size)
{
	for (size_t at = 0; at + sizeof(struct nlmsghdr) <= size;) {
		struct nlmsghdr header;

		memcpy(&header, datagram + at, sizeof(header));
		if (!kernel.as_it_is) {
			header.nlmsg_seq = sock->sequence;
			header.nlmsg_pid = PORTID;
		}
		header.nlmsg_len &= INT32_MAX;
		if (header.nlmsg_type == NLMSG_ERROR && at + sizeof(header) + sizeof(int) <= size)
			bound(datagram + at + sizeof(header));
		memcpy(datagram + at, &header, sizeof(header));
		if (header.nlmsg_len < sizeof(header) || header.nlmsg_len > size - at)
			break;
		at += NLMSG_ALIGN(header.nlmsg_len);
	}
}

ssize_t fake_mnl_socket_recvfrom(const struct mnl_socket *sock, void *buffer, size_t size)
    FAKE(mnl_socket_recvfrom);
ssize_t fake_mnl_socket_recvfrom(const struct mnl_socket *sock, void *buffer, size_t size)
{
	size_t wanted = input_byte(&kernel.in);

	wanted = wanted << 8 | input_byte(&kernel.in);
	if (kernel.in.left == 0 || ++kernel.datagrams > DATAGRAMS_MAX) {
		errno = EAGAIN;
		return -1;
	}
	/* libmnl itself says so of a datagram that does not fit. */
	if (wanted > size) {
		errno = ENOSPC;
		return -1;
	}
	wanted = input_bytes(&kernel.in, buffer, wanted);
	frame(sock, buffer, wanted);
	return (ssize_t)wanted;
}
