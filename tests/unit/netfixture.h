/* SPDX-License-Identifier: PostgreSQL */
/*
 * Two hosts on one wire for unit tests: this process is the near one, in a network namespace of its
 * own, and a child holds the far one's namespace.  Both are gone when the test process is.  Needs
 * root.
 *
 *   near0  192.0.2.1/24  2001:db8::1/64  <-- veth -->  far0  192.0.2.2/24  2001:db8::2/64
 *          fe80::1/64                                        fe80::2/64
 *
 * ICMP echo sockets are closed to everybody at first (net.ipv4.ping_group_range = 1 0).
 */
#ifndef NETFIXTURE_H
#define NETFIXTURE_H

#include <stdint.h>
#include <sys/types.h>

#define NEAR  "192.0.2.1"
#define FAR   "192.0.2.2"
#define NEAR6 "2001:db8::1"
#define FAR6  "2001:db8::2"

struct netfixture {
	pid_t far; /* holds the far namespace and does nothing */
};

/* Moves this process into its own namespace and sets both hosts up.  0 or -errno. */
int netfixture_begin(struct netfixture *fixture);
void netfixture_end(struct netfixture *fixture);

/* Runs a command line, split at blanks, argv[0] an absolute path, on the near or the far host.
 * Returns its exit code or -errno; what it says goes to standard error. */
int netfixture_near(const char *command);
int netfixture_far(const struct netfixture *fixture, const char *command);

/* The far host hears nothing of one kind, an nft expression; "" again: it hears everything.  0 or
 * -errno. */
int netfixture_far_drops(const struct netfixture *fixture, const char *what);

/* Starts `serve` in the far namespace as a child of this process; it inherits open descriptors and
 * dies with us. Returns its pid or -errno. */
pid_t netfixture_serve(const struct netfixture *fixture, void (*serve)(void *arg), void *arg);
/* Ends such a child. */
void netfixture_stop(pid_t pid);

/* Writes a value below /proc/sys/net of the near namespace. */
int netfixture_sysctl(const char *name, const char *value);

/* A listening TCP socket on the far host, for IPv4 and IPv6.  Descriptor or -errno. */
int netfixture_far_listen(const struct netfixture *fixture, uint16_t port);

/* Descriptors that this process has open. */
int netfixture_descriptors(void);

/* Asks until it gives `wanted` or ten seconds have passed; returns the last answer. */
int netfixture_until(int (*ask)(const void *arg), const void *arg, int wanted);

#endif
