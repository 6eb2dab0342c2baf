/* SPDX-License-Identifier: PostgreSQL */
/*
 * Cuts this host off from its network for a time, as a broken cable would, for a drill.  The kernel
 * ends it: the rule drops what is in a set whose elements have a timeout (nft(8)), so nobody who is
 * killed or frozen leaves a host behind that cannot be reached.
 *
 * One table, "inet pg_vrrp_drill_NAME", beside whatever firewall there is.  It drops all IPv4 and
 * IPv6 that leaves or comes in, except within this host, and except this host's own connections to
 * the cluster's address, by which the drill sees when the other node answers there.  Neighbours are
 * found: by ARP, and what IPv6 has in its place.
 */
#ifndef PGV_ISOLATION_H
#define PGV_ISOLATION_H

#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/deadline.h"
#include "config/cfg.h"

/* Both: 0, or an error of nft_run with its `why`.  for_ms begins when the kernel has the table. */
int isolation_begin(const struct cfg *cfg, int64_t for_ms, const struct deadline *dl, char *why,
		    size_t size) MUST_CHECK;
/* Takes the table away, before its time or after; also when there is none. */
int isolation_end(const struct cfg *cfg, const struct deadline *dl, char *why,
		  size_t size) MUST_CHECK;

#endif
