/* SPDX-License-Identifier: PostgreSQL */
/*
 * Ends TCP connections of others from inside the kernel: sock_diag(7), SOCK_DESTROY (Linux 4.5,
 * CONFIG_INET_DIAG_DESTROY). The client gets a reset at once, not a timeout.
 */
#ifndef PGV_SOCKDIAG_H
#define PGV_SOCKDIAG_H

#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/deadline.h"

/*
 * Destroys every TCP connection (not listening sockets) with local port `port` whose remote address
 * is none of `spare` (the peer's replication; eight at the most); IPv4, IPv6 and v4-mapped.
 * Clients that come back while it works are destroyed too, but not for ever.  Returns the number
 * destroyed, -EOPNOTSUPP when the kernel cannot, -EINVAL (a spared address that is none: nothing
 * was touched), -EPERM, -ETIMEDOUT, or another -errno.
 */
int sockdiag_destroy(uint16_t port, const char *const *spare, size_t spare_count,
		     const struct deadline *dl) MUST_CHECK;

#endif
