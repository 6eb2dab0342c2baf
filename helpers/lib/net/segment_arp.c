/* SPDX-License-Identifier: PostgreSQL */
#include <arpa/inet.h>
#include <errno.h>

#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "net/addr.h"
#include "net/segment.h"

/* Two, because one may be lost. */
#define QUESTIONS 2

/* RFC 826, of Ethernet and IPv4. */
struct arp {
	uint16_t hardware;
	uint16_t protocol;
	uint8_t hardware_size;
	uint8_t protocol_size;
	uint16_t operation;
	uint8_t sender[ETH_ALEN];
	uint8_t sender_ip[4];
	uint8_t target[ETH_ALEN];
	uint8_t target_ip[4];
};
_Static_assert(sizeof(struct arp) == 28, "struct arp is a packet");

static int open_on(const char *ifname, struct sockaddr_ll *at)
{
	socklen_t size = sizeof(*at);
	int fd;

	*at = (struct sockaddr_ll){ .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ARP) };
	at->sll_ifindex = (int)if_nametoindex(ifname);
	if (at->sll_ifindex == 0)
		return -errno;
	fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, htons(ETH_P_ARP));
	if (fd < 0)
		return -errno;
	/* Bound, it says what the interface's own address is. */
	if (bind(fd, (const struct sockaddr *)at, sizeof(*at)) < 0 ||
	    getsockname(fd, (struct sockaddr *)at, &size) < 0 || at->sll_halen != ETH_ALEN) {
		int rc = errno != 0 ? -errno : -EAFNOSUPPORT;

		(void)close(fd);
		return rc;
	}
	return fd;
}

static int ask(int fd, const struct sockaddr_ll *own, const struct addr *address)
{
	struct sockaddr_ll to = *own;
	struct arp arp = { .hardware = htons(ARPHRD_ETHER),
			   .protocol = htons(ETH_P_IP),
			   .hardware_size = ETH_ALEN,
			   .protocol_size = 4,
			   .operation = htons(ARPOP_REQUEST) };

	memcpy(arp.sender, own->sll_addr, ETH_ALEN);
	memcpy(arp.target_ip, address->bytes, sizeof(arp.target_ip));
	memset(to.sll_addr, 0xff, ETH_ALEN);
	if (sendto(fd, &arp, sizeof(arp), MSG_NOSIGNAL, (const struct sockaddr *)&to, sizeof(to)) <
	    0)
		return -errno;
	return 0;
}

static void note(struct segment_hosts *hosts, const uint8_t lladdr[ETH_ALEN])
{
	char text[32];

	(void)snprintf(text, sizeof(text), "%02x:%02x:%02x:%02x:%02x:%02x", lladdr[0], lladdr[1],
		       lladdr[2], lladdr[3], lladdr[4], lladdr[5]);
	for (size_t i = 0; i < hosts->count; i++)
		if (strcmp(hosts->lladdr[i], text) == 0)
			return;
	if (hosts->count < SEGMENT_HOSTS_MAX)
		memcpy(hosts->lladdr[hosts->count++], text, sizeof(text));
}

static void take(int fd, const struct addr *address, struct segment_hosts *hosts)
{
	struct arp arp;
	ssize_t got;

	while ((got = recv(fd, &arp, sizeof(arp), MSG_DONTWAIT)) >= 0)
		if (got == (ssize_t)sizeof(arp) && arp.operation == htons(ARPOP_REPLY) &&
		    arp.protocol == htons(ETH_P_IP) && arp.hardware_size == ETH_ALEN &&
		    memcmp(arp.sender_ip, address->bytes, sizeof(arp.sender_ip)) == 0)
			note(hosts, arp.sender);
}

int segment_answers(struct segment_hosts *hosts, const char *ifname, const char *address,
		    int64_t wait_ms, const struct deadline *dl)
{
	struct sockaddr_ll own;
	struct addr addr;
	int AUTO_FD fd = -1;
	int rc = addr_parse(&addr, address);

	*hosts = (struct segment_hosts){ .count = 0 };
	if (rc == 0 && addr.family != AF_INET)
		rc = -EAFNOSUPPORT;
	if (rc < 0)
		return rc;
	fd = open_on(ifname, &own);
	for (int i = 0; i < QUESTIONS && fd >= 0; i++) {
		const struct deadline soon = deadline_sooner(dl, wait_ms / QUESTIONS);

		rc = ask(fd, &own, &addr);
		while (rc >= 0 && !deadline_passed(&soon)) {
			struct pollfd at = { .fd = fd, .events = POLLIN };

			rc = deadline_poll(&at, 1, &soon);
			take(fd, &addr, hosts);
		}
		if (rc < 0)
			return rc;
	}
	return fd < 0 ? fd : 0;
}
