/* SPDX-License-Identifier: PostgreSQL */
/* The two ways to ask, for probe.c alone. */
#ifndef PGV_PROBE_KINDS_H
#define PGV_PROBE_KINDS_H

#include <netinet/in.h>
#include <string.h>

#include "base/auto.h"
#include "net/addr.h"
#include "net/probe.h"

/* A socket for ICMP echo to the target: fd and raw are set.  0 or -errno. */
int probe_icmp_open(struct probe *probe) MUST_CHECK;
/* Sends question probe->sequence, which left at sent_ms. */
int probe_icmp_send(const struct probe *probe, int64_t sent_ms) MUST_CHECK;
/* Answers, as probe_take. */
int64_t probe_icmp_take(struct probe *probe) MUST_CHECK;

/*
 * The Internet checksum (RFC 1071) of size bytes in which its own field is 0: what goes into that
 * field as it is, since the sum of words in the host's order has its bytes in that order too.
 */
uint16_t probe_checksum(const void *packet, size_t size);

/* Begins a connection; an earlier one is closed. */
int probe_tcp_send(struct probe *probe) MUST_CHECK;
int64_t probe_tcp_take(struct probe *probe) MUST_CHECK;

/* ---- what both need of it ---- */

/* When the question of this number left; 0 when it is too old or was answered. */
static inline int64_t *probe_sent(struct probe *probe, uint16_t sequence)
{
	return &probe->sent_ms[sequence % ARRAY_COUNT(probe->sent_ms)];
}

static inline socklen_t probe_target(const struct probe *probe, struct sockaddr_storage *target)
{
	memset(target, 0, sizeof(*target));
	memcpy(target, probe->target, sizeof(probe->target));
	return probe->family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
}

#endif
