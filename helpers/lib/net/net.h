/* SPDX-License-Identifier: PostgreSQL */
/*
 * Addresses and neighbours by rtnetlink (libnl-3; rtnetlink(7)).  IPv4 and IPv6.  Only net*.c use
 * libnl.  Addresses are text without prefix ("192.0.2.1", "2001:db8::1", "fe80::1%eth0");
 * comparison is by value, not by spelling.
 */
#ifndef PGV_NET_H
#define PGV_NET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/auto.h"
#include "base/outcome.h"

/* Is `address` configured on this host (on any interface when ifname is NULL)?  1, 0, or -errno. */
int net_has_address(const char *address, const char *ifname) MUST_CHECK;

/* Removes `address` wherever it is configured.  Returns the number of removals (0: it was not
 * there) or -errno. */
int net_remove_address(const char *address) MUST_CHECK;

/* Is the interface there, up and with carrier?  1, 0 (down, no carrier), -ENODEV, or -errno. */
int net_link_up(const char *ifname) MUST_CHECK;

/*
 * Forgets what the neighbour table says of `address`, so that the next packet asks anew (ARP or
 * neighbour discovery). 0 also when nothing was known; -ENETUNREACH when it is not on a link of
 * ours; else -errno.
 */
int net_neighbour_forget(const char *address) MUST_CHECK;

/* Did anybody answer ARP/ND for `address`?  YES with its link-layer address in lladdr ("aa:bb:..",
 * may be NULL), NO (resolution failed), UNKNOWN (not asked, still asking, not on link, error). */
enum fact net_neighbour(const char *address, char *lladdr, size_t size);

#endif
