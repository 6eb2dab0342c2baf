/* SPDX-License-Identifier: PostgreSQL */
/* Others on the network of an interface: who answers for an address, who speaks VRRP.  Only IPv4,
 * and only for root. */
#ifndef PGV_SEGMENT_H
#define PGV_SEGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/deadline.h"

#define SEGMENT_HOSTS_MAX 8

struct segment_hosts {
	size_t count;
	char lladdr[SEGMENT_HOSTS_MAX][32]; /* "aa:bb:..", each once */
};

/* Asks by ARP probes (RFC 5227), which change no table of anybody, and listens for wait_ms.  0,
 * -EAFNOSUPPORT (not IPv4), -EPERM, or -errno. */
int segment_answers(struct segment_hosts *hosts, const char *ifname, const char *address,
		    int64_t wait_ms, const struct deadline *dl) MUST_CHECK;

/* Listens for wait_ms for VRRP (RFC 5798) with the router id `first` or the next one, of hosts that
 * have neither of `known`.  1 with from[size] its address, 0, or as above. */
int segment_vrrp(const char *ifname, uint8_t first, const char *const known[2], char *from,
		 size_t size, const struct deadline *dl) MUST_CHECK;

#endif
