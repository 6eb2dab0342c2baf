/* SPDX-License-Identifier: PostgreSQL */
/* Numeric addresses, compared by value.  An IPv4 address inside IPv6 (::ffff:192.0.2.1) is that
 * IPv4 address. */
#ifndef PGV_ADDR_H
#define PGV_ADDR_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"

struct addr {
	int family;              /* AF_INET or AF_INET6 */
	uint32_t scope;          /* interface index of fe80::1%eth0; 0: none given */
	unsigned char bytes[16]; /* network order; IPv4 uses the first four, the rest are zero */
};

/* Takes an address as text, IPv6 with an optional %interface.  0, -EINVAL (not numeric), -ENODEV
 * (no such interface). */
int addr_parse(struct addr *addr, const char *text) MUST_CHECK;

/* Takes the bytes of a netlink attribute or a socket address.  0, or -EINVAL when `size` is wrong
 * for the family. */
int addr_from_bytes(struct addr *addr, int family, const void *bytes, size_t size) MUST_CHECK;

/* Bytes that count: 4 or 16. */
uint8_t addr_size(const struct addr *addr);

/* The same address?  A scope that is not given matches every scope. */
bool addr_equal(const struct addr *one, const struct addr *other);

/* Fills a socket address; returns its length. */
socklen_t addr_to_sockaddr(const struct addr *addr, uint16_t port, struct sockaddr_storage *out);

/* Takes the address out of a socket address.  0 or -EINVAL (another family). */
int addr_from_sockaddr(struct addr *addr, const struct sockaddr_storage *from) MUST_CHECK;

#endif
