/* SPDX-License-Identifier: PostgreSQL */
/*
 * ICMP echo.  The socket is never connected: a connected one keeps the source address of its first
 * day, which may be a virtual IP that has moved away since.
 */
#include "net/probe_kinds.h"

#include <errno.h>
#include <linux/icmp.h>
#include <netinet/icmp6.h>
#include <netinet/ip.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The payload of a probe, which comes back; the header is the same in ICMP and ICMPv6. */
struct echo {
	uint8_t type;
	uint8_t code;
	uint16_t checksum;
	uint16_t id; /* the kernel puts its own in on an unprivileged socket */
	uint16_t sequence;
	int64_t sent_ms;
	uint32_t nonce;
	uint32_t filler; /* all bytes are sent, so none may be padding */
};
_Static_assert(sizeof(struct echo) == 24, "struct echo is a packet");

/* Answers read in one call; more wait for the next. On a raw socket everybody's answers arrive. */
enum { TAKE_MAX = 256 };

static bool is_ipv6(const struct probe *probe)
{
	return probe->family == AF_INET6;
}

/* A raw socket hears all ICMP of the host: let only echo replies through. */
static int only_replies(const struct probe *probe)
{
	struct icmp_filter blocked = { .data = ~(1U << ICMP_ECHOREPLY) };
	struct icmp6_filter passed;

	if (!is_ipv6(probe))
		return setsockopt(probe->fd, SOL_RAW, ICMP_FILTER, &blocked, sizeof(blocked));
	ICMP6_FILTER_SETBLOCKALL(&passed);
	ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &passed);
	return setsockopt(probe->fd, IPPROTO_ICMPV6, ICMP6_FILTER, &passed, sizeof(passed));
}

int probe_icmp_open(struct probe *probe)
{
	const int flags = SOCK_CLOEXEC | SOCK_NONBLOCK;
	const int protocol = is_ipv6(probe) ? (int)IPPROTO_ICMPV6 : (int)IPPROTO_ICMP;

	probe->raw = false;
	probe->fd = socket(probe->family, SOCK_DGRAM | flags, protocol);
	if (probe->fd >= 0)
		return 0;
	/* net.ipv4.ping_group_range does not hold our group, which it does not even for root. */
	probe->raw = true;
	probe->fd = socket(probe->family, SOCK_RAW | flags, protocol);
	if (probe->fd < 0)
		return -errno;
	if (only_replies(probe) != 0) {
		int rc = -errno;

		(void)close(probe->fd);
		probe->fd = -1;
		return rc;
	}
	return 0;
}

/* RFC 1071; the kernel does it for all but raw IPv4 sockets. */
uint16_t probe_checksum(const void *packet, size_t size)
{
	const unsigned char *bytes = packet;
	uint32_t sum = 0;

	for (size_t i = 0; i < size; i += 2) {
		uint16_t word = 0;

		memcpy(&word, bytes + i, size - i >= 2 ? 2 : 1);
		sum += word;
	}
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

int probe_icmp_send(const struct probe *probe, int64_t sent_ms)
{
	struct echo echo = { .type = is_ipv6(probe) ? ICMP6_ECHO_REQUEST : ICMP_ECHO,
			     .id = htons(probe->id),
			     .sequence = htons(probe->sequence),
			     .sent_ms = sent_ms,
			     .nonce = probe->nonce };
	struct sockaddr_storage target;
	socklen_t size = probe_target(probe, &target);

	echo.checksum = probe_checksum(&echo, sizeof(echo));
	if (sendto(probe->fd, &echo, sizeof(echo), MSG_NOSIGNAL, (const struct sockaddr *)&target,
		   size) == (ssize_t)sizeof(echo))
		return 0;
	return -errno;
}

/* The echo inside a packet as it was read; a raw IPv4 socket gives the IP header too. */
static bool unwrap(const struct probe *probe, const unsigned char *packet, size_t size,
		   struct echo *echo)
{
	size_t header = 0;

	if (probe->raw && !is_ipv6(probe))
		header = size == 0 ? 0 : (size_t)(packet[0] & 0x0f) * 4;
	if (size < header + sizeof(*echo))
		return false;
	memcpy(echo, packet + header, sizeof(*echo));
	return true;
}

static bool from_target(const struct probe *probe, const struct sockaddr_storage *from)
{
	struct sockaddr_storage target;
	struct addr asked, answered;

	(void)probe_target(probe, &target);
	return addr_from_sockaddr(&asked, &target) == 0 &&
	       addr_from_sockaddr(&answered, from) == 0 && addr_equal(&asked, &answered);
}

/* When the question that this answers left; 0 when it is none of ours, is too old, or was answered
 * before. */
static int64_t answers(struct probe *probe, const struct echo *echo)
{
	int64_t *sent_ms = probe_sent(probe, ntohs(echo->sequence));
	int64_t answered = *sent_ms;

	if (echo->type != (is_ipv6(probe) ? ICMP6_ECHO_REPLY : ICMP_ECHOREPLY) || echo->code != 0 ||
	    echo->nonce != probe->nonce || (probe->raw && echo->id != htons(probe->id)))
		return 0;
	/* The time tells a question from the one that had its place, or its number, before. */
	if (answered == 0 || echo->sent_ms != answered)
		return 0;
	*sent_ms = 0;
	return answered;
}

int64_t probe_icmp_take(struct probe *probe)
{
	unsigned char packet[128]; /* ours have 24 bytes, behind an IP header of 60 at the most */
	int64_t newest = 0;

	for (int i = 0; i < TAKE_MAX; i++) {
		struct sockaddr_storage from = { 0 };
		socklen_t from_size = sizeof(from);
		struct echo echo;
		ssize_t size = recvfrom(probe->fd, packet, sizeof(packet), MSG_DONTWAIT,
					(struct sockaddr *)&from, &from_size);

		if (size < 0 && errno == EINTR)
			continue;
		if (size < 0)
			return newest != 0 || errno == EAGAIN ? newest : -errno;
		if (!from_target(probe, &from) || !unwrap(probe, packet, (size_t)size, &echo))
			continue;
		int64_t sent = answers(probe, &echo);

		if (sent > newest)
			newest = sent;
	}
	return newest;
}
