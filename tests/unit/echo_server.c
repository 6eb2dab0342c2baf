/* SPDX-License-Identifier: PostgreSQL */
#include "echo_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/icmp.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { REQUESTS_MAX = 64, PACKET_MAX = 128, HEADER = 20, ICMP_HEADER = 8 };
#define OTHER_SOURCE "192.0.2.22"

struct order {
	int request;
	enum echo_twist twist;
};

struct request {
	unsigned char icmp[PACKET_MAX];
	size_t size;
	struct sockaddr_in from;
};

static uint16_t checksum(const unsigned char *bytes, size_t size)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < size; i += 2)
		sum += (uint32_t)bytes[i] << 8 | (i + 1 < size ? bytes[i + 1] : 0U);
	while (sum >> 16 != 0)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

/* The next echo request that arrives. */
static bool receive(int fd, struct request *request)
{
	unsigned char packet[HEADER + PACKET_MAX];
	socklen_t from_size = sizeof(request->from);

	for (;;) {
		ssize_t size = recvfrom(fd, packet, sizeof(packet), 0,
					(struct sockaddr *)&request->from, &from_size);

		if (size < HEADER + ICMP_HEADER)
			return false;
		if (packet[HEADER] != ICMP_ECHO)
			continue;
		request->size = (size_t)size - HEADER;
		memcpy(request->icmp, packet + HEADER, request->size);
		return true;
	}
}

static bool answer(int fd, const struct request *request, enum echo_twist twist)
{
	struct request reply = *request;
	uint16_t sum;

	reply.icmp[0] = ICMP_ECHOREPLY;
	if (twist == ECHO_OTHER_NONCE)
		reply.icmp[16] ^= 0x01;
	if (twist == ECHO_OTHER_TIME)
		reply.icmp[8] ^= 0x01;
	if (twist == ECHO_OTHER_SEQUENCE)
		reply.icmp[7]++;
	if (twist == ECHO_SHORT)
		reply.size -= 4;
	memset(reply.icmp + 2, 0, sizeof(sum));
	sum = checksum(reply.icmp, reply.size);
	memcpy(reply.icmp + 2, &sum, sizeof(sum));
	return sendto(fd, reply.icmp, reply.size, 0, (const struct sockaddr *)&reply.from,
		      sizeof(reply.from)) == (ssize_t)reply.size;
}

/* Raw sockets bound to the far host's two addresses: what they send comes from these. */
static int bound_socket(const char *address)
{
	struct sockaddr_in here = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP);

	if (inet_pton(AF_INET, address, &here.sin_addr) != 1 ||
	    bind(fd, (const struct sockaddr *)&here, sizeof(here)) != 0)
		return -1;
	return fd;
}

static void serve(void *arg)
{
	static struct request requests[REQUESTS_MAX];
	const int *orders = arg;
	int usual = bound_socket(FAR);
	int other = bound_socket(OTHER_SOURCE);
	int count = 0;
	struct order order;

	if (usual < 0 || other < 0 || write(*orders, "", 1) != 1)
		return;
	while (read(*orders, &order, sizeof(order)) == (ssize_t)sizeof(order)) {
		while (count <= order.request && count < REQUESTS_MAX)
			count += receive(usual, &requests[count]);
		if (!answer(order.twist == ECHO_OTHER_SOURCE ? other : usual,
			    &requests[order.request], order.twist) ||
		    write(*orders, "", 1) != 1)
			return;
	}
}

int echo_server_begin(struct echo_server *server, const struct netfixture *fixture)
{
	int pair[2];
	char byte;

	if (netfixture_far(fixture, "/usr/sbin/sysctl -q -w net.ipv4.icmp_echo_ignore_all=1") !=
		0 ||
	    netfixture_far(fixture, "/usr/sbin/ip addr add " OTHER_SOURCE "/24 dev far0") != 0)
		return -EPERM;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		return -errno;
	server->orders = pair[0];
	server->pid = netfixture_serve(fixture, serve, &pair[1]);
	(void)close(pair[1]);
	if (server->pid < 0)
		return server->pid;
	return read(server->orders, &byte, 1) == 1 ? 0 : -EPROTO;
}

void echo_server_end(struct echo_server *server, const struct netfixture *fixture)
{
	netfixture_stop(server->pid);
	(void)close(server->orders);
	(void)netfixture_far(fixture, "/usr/sbin/ip addr del " OTHER_SOURCE "/24 dev far0");
	(void)netfixture_far(fixture, "/usr/sbin/sysctl -q -w net.ipv4.icmp_echo_ignore_all=0");
}

int echo_server_answer(const struct echo_server *server, int request, enum echo_twist twist)
{
	struct order order = { .request = request, .twist = twist };
	char byte;

	if (write(server->orders, &order, sizeof(order)) != (ssize_t)sizeof(order))
		return -errno;
	return read(server->orders, &byte, 1) == 1 ? 0 : -EPROTO;
}
