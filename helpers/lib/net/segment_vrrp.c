/* SPDX-License-Identifier: PostgreSQL */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "net/addr.h"
#include "net/segment.h"

#define VRRP_PROTOCOL 112
#define VRRP_GROUP    "224.0.0.18"

/* keepalived has joined the group where it speaks by multicast; ours speaks to one host. */
static int open_on(const char *ifname)
{
	struct ip_mreqn group = { .imr_ifindex = (int)if_nametoindex(ifname) };
	int fd;

	if (group.imr_ifindex == 0 || inet_pton(AF_INET, VRRP_GROUP, &group.imr_multiaddr) != 1)
		return -ENODEV;
	fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, VRRP_PROTOCOL);
	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, ifname, (socklen_t)strlen(ifname)) < 0 ||
	    setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &group, sizeof(group)) < 0) {
		int rc = -errno;

		(void)close(fd);
		return rc;
	}
	return fd;
}

static bool is_known(const struct in_addr *source, const char *const known[2])
{
	for (size_t i = 0; i < 2; i++) {
		struct in_addr one;

		if (inet_pton(AF_INET, known[i], &one) == 1 && one.s_addr == source->s_addr)
			return true;
	}
	return false;
}

/* Behind the IP header: version and type, then the router id. */
static bool is_another(const unsigned char *packet, size_t size, uint8_t first,
		       const char *const known[2])
{
	const size_t header = size > 0 ? (size_t)(packet[0] & 0x0f) * 4 : 0;
	struct ip ip;

	if (size < sizeof(ip) || header < sizeof(ip) || size < header + 2)
		return false;
	memcpy(&ip, packet, sizeof(ip));
	return (packet[header] & 0x0f) == 1 &&
	       (packet[header + 1] == first || packet[header + 1] == first + 1) &&
	       !is_known(&ip.ip_src, known);
}

int segment_vrrp(const char *ifname, uint8_t first, const char *const known[2], char *from,
		 size_t size, const struct deadline *dl)
{
	int AUTO_FD fd = open_on(ifname);
	int rc = fd < 0 ? fd : 0;

	while (rc >= 0 && !deadline_passed(dl)) {
		struct pollfd at = { .fd = fd, .events = POLLIN };
		unsigned char packet[512];
		struct ip ip;
		ssize_t got;

		rc = deadline_poll(&at, 1, dl);
		got = rc > 0 ? recv(fd, packet, sizeof(packet), MSG_DONTWAIT) : -1;
		if (got <= 0 || !is_another(packet, (size_t)got, first, known))
			continue;
		memcpy(&ip, packet, sizeof(ip));
		return inet_ntop(AF_INET, &ip.ip_src, from, (socklen_t)size) != NULL ? 1 : -errno;
	}
	return rc < 0 ? rc : 0;
}
