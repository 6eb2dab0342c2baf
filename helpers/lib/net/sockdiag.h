/* SPDX-License-Identifier: PostgreSQL */
/*
 * Ends TCP connections of others from inside the kernel: sock_diag(7), SOCK_DESTROY (Linux 4.5,
 * CONFIG_INET_DIAG_DESTROY). The client gets a reset at once, not a timeout.  And what the kernel
 * knows of the path of one of them.
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

/* The ends of one connection of this host. */
struct sockdiag_ends {
	const char *local;
	const char *remote; /* of the same family */
	uint16_t local_port;
	uint16_t remote_port;
};

/* How it fares (INET_DIAG_INFO). */
struct sockdiag_path {
	uint32_t mtu;         /* packets of so many bytes fit through, by what the kernel knows */
	uint32_t unacked;     /* packets that were sent and are not confirmed */
	uint32_t retransmits; /* how often in a row one of them was sent again in vain */
	uint32_t unread;      /* bytes that have arrived and that the program has not taken */
};

/* 0; -ENOENT: there is no such connection, or the kernel cannot say; -EINVAL: no address;
 * -ETIMEDOUT, or another -errno. */
int sockdiag_path(struct sockdiag_path *path, const struct sockdiag_ends *ends,
		  const struct deadline *dl) MUST_CHECK;

#endif
