/* SPDX-License-Identifier: PostgreSQL */
/*
 * Does a host answer?  ICMP echo (RFC 792, RFC 4443) over an unprivileged ping socket
 * (net.ipv4.ping_group_range), a raw socket as fallback; or a TCP connection.  IPv4 and IPv6.  An
 * answer counts only to our own question: contact means acknowledgement, never merely hearing the
 * other.
 */
#ifndef PGV_PROBE_H
#define PGV_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/deadline.h"
#include "base/outcome.h"

/* A channel to one host that can be asked again and again without blocking: what the guard uses. */
struct probe {
	int fd;        /* ICMP: open for ever; TCP: the connection under way or -1 */
	uint16_t port; /* 0: ICMP, else TCP */
	int family;
	bool raw;
	uint16_t id;
	uint16_t sequence;
	uint32_t nonce; /* in every payload: an answer to another process or an earlier run is not
			   ours */
	int64_t sent_ms[16];      /* when each of the last 16 questions left, by sequence */
	unsigned char target[28]; /* struct sockaddr_in or _in6 */
};

/*
 * address: numeric, or a name (resolved here, once, bounded by dl; the guard re-opens when it
 * fails).  port 0: ICMP. Returns 0, -EHOSTUNREACH for a name that does not resolve, -ETIMEDOUT, or
 * -errno.
 */
int probe_open(struct probe *probe, const char *address, uint16_t port,
	       const struct deadline *dl) MUST_CHECK;
void probe_close(struct probe *probe);

/* Sends one question.  0, or -errno (ENETUNREACH and friends: an answer is not to be expected). */
int probe_send(struct probe *probe) MUST_CHECK;

/*
 * Takes every answer that has arrived.  Returns the time (CLOCK_BOOTTIME ms) at which the newest
 * *answered* question was SENT, 0 when none was answered since the last call, or -errno.  For TCP
 * an established connection is an answer; a refused one is not a witness but is a sign of life:
 * -ECONNREFUSED.
 */
int64_t probe_take(struct probe *probe) MUST_CHECK;

/* The descriptor to poll for and its events (POLLIN, or POLLOUT for TCP); fd -1 when there is
 * nothing to wait for. */
struct pollfd probe_pollfd(const struct probe *probe);

/*
 * Asks now, every interval_ms (TCP: twice at the most), until answered or the deadline.  YES:
 * answered.  NO: asked and nothing came (or refused, for TCP). UNKNOWN: could not even ask (no
 * socket, name not resolved). why[size] gets a phrase such as "no ICMP echo reply from 192.0.2.3 in
 * 300 ms".
 */
enum fact probe_once(const char *address, uint16_t port, int64_t interval_ms,
		     const struct deadline *dl, char *why, size_t size);

#define PROBE_NONE ((struct probe){ .fd = -1 })

#endif
