/* SPDX-License-Identifier: PostgreSQL */
#include "net/probe_large.h"

#include <errno.h>
#include <linux/icmp.h>
#include <netinet/icmp6.h>
#include <netinet/ip.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/probe.h"
#include "net/probe_kinds.h"

#define MTU_MAX    9000
#define HEADER     8 /* of an echo, in both protocols */
#define SMALL      32
#define TRIES      3
#define TRY_MS     400
#define PATH_TRIES 3 /* the kernel learns of a narrower path by the answer to a packet */

struct large {
	struct probe probe;
	size_t sizes[2]; /* small, large: of an echo with its header */
	bool came[2];
};

static bool is_ipv6(const struct probe *probe)
{
	return probe->family == AF_INET6;
}

/* The MTU as far as the kernel knows the path; 0: not at all. */
static int64_t path_mtu(const struct probe *probe)
{
	const bool six = is_ipv6(probe);
	struct sockaddr_storage target;
	struct probe copy = *probe;
	socklen_t size = probe_target(&copy, &target), length = sizeof(int);
	int AUTO_FD fd = socket(probe->family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int mtu = 0;

	/* Connecting sends nothing, but a port is needed. */
	if (six)
		((struct sockaddr_in6 *)&target)->sin6_port = htons(9);
	else
		((struct sockaddr_in *)&target)->sin_port = htons(9);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&target, size) < 0 ||
	    getsockopt(fd, six ? IPPROTO_IPV6 : IPPROTO_IP, six ? IPV6_MTU : IP_MTU, &mtu,
		       &length) < 0)
		return 0;
	return mtu > MTU_MAX ? MTU_MAX : mtu;
}

static bool undivided(const struct probe *probe)
{
	const bool six = is_ipv6(probe);
	const int how = IP_PMTUDISC_DO; /* IPV6_PMTUDISC_DO is the same number (ipv6(7)) */

	return setsockopt(probe->fd, six ? IPPROTO_IPV6 : IPPROTO_IP,
			  six ? IPV6_MTU_DISCOVER : IP_MTU_DISCOVER, &how, sizeof(how)) == 0;
}

/* The payload begins with our number and the size, which tell an answer to us from others. */
static int send_one(const struct large *large, size_t which)
{
	const struct probe *probe = &large->probe;
	const uint16_t id = htons(probe->id);
	const uint32_t tag[2] = { probe->nonce, (uint32_t)large->sizes[which] };
	unsigned char packet[MTU_MAX] = { 0 };
	struct sockaddr_storage target;
	struct probe copy = *probe;
	socklen_t size = probe_target(&copy, &target);
	uint16_t sum;

	packet[0] = is_ipv6(probe) ? ICMP6_ECHO_REQUEST : ICMP_ECHO;
	memcpy(packet + 4, &id, sizeof(id));
	memcpy(packet + HEADER, tag, sizeof(tag));
	sum = probe_checksum(packet, large->sizes[which]);
	memcpy(packet + 2, &sum, sizeof(sum));
	if (sendto(probe->fd, packet, large->sizes[which], MSG_NOSIGNAL,
		   (const struct sockaddr *)&target, size) < 0)
		return -errno;
	return 0;
}

static void take(struct large *large)
{
	const struct probe *probe = &large->probe;
	unsigned char packet[MTU_MAX + 64];
	ssize_t got;

	while ((got = recv(probe->fd, packet, sizeof(packet), MSG_DONTWAIT)) > 0) {
		size_t header = probe->raw && !is_ipv6(probe) ? (size_t)(packet[0] & 0x0f) * 4 : 0;
		uint32_t tag[2];

		if ((size_t)got < header + HEADER + sizeof(tag) ||
		    packet[header] != (is_ipv6(probe) ? ICMP6_ECHO_REPLY : ICMP_ECHOREPLY))
			continue;
		memcpy(tag, packet + header + HEADER, sizeof(tag));
		for (size_t i = 0; i < 2; i++)
			if (tag[0] == probe->nonce && tag[1] == large->sizes[i] &&
			    (size_t)got == header + large->sizes[i])
				large->came[i] = true;
	}
}

static int try_once(struct large *large, const struct deadline *dl)
{
	const struct deadline soon = deadline_sooner(dl, TRY_MS);
	int rc = send_one(large, 0);

	if (rc == 0)
		rc = send_one(large, 1);
	while (rc == 0 && !(large->came[0] && large->came[1]) && !deadline_passed(&soon)) {
		struct pollfd at = { .fd = large->probe.fd, .events = POLLIN };

		rc = deadline_poll(&at, 1, &soon);
		rc = rc > 0 ? 0 : rc;
		take(large);
	}
	return rc;
}

enum fact probe_large(const char *address, int64_t *mtu, const struct deadline *dl)
{
	struct large large = { .probe = PROBE_NONE };
	int narrowed = 0;

	*mtu = 0;
	if (probe_open(&large.probe, address, 0, dl) < 0)
		return FACT_UNKNOWN;
	for (int i = 0; i < TRIES && !large.came[1] && undivided(&large.probe); i++) {
		const size_t headers = (is_ipv6(&large.probe) ? 40 : sizeof(struct ip));

		*mtu = path_mtu(&large.probe);
		if (*mtu < (int64_t)(headers + SMALL * 2))
			break;
		large.sizes[0] = SMALL;
		large.sizes[1] = (size_t)*mtu - headers;
		/* The kernel has learned of a narrower path. */
		if (try_once(&large, dl) == -EMSGSIZE && narrowed++ < PATH_TRIES)
			i--;
	}
	probe_close(&large.probe);
	if (large.came[1])
		return FACT_YES;
	return large.came[0] ? FACT_NO : FACT_UNKNOWN;
}
