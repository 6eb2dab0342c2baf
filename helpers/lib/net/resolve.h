/* SPDX-License-Identifier: PostgreSQL */
/*
 * Names to addresses within a deadline.  getaddrinfo(3) has none, and it loads its modules into the
 * calling process for good, which the guard has no room for; so getent(1) is asked in a child.  A
 * numeric address needs neither.
 */
#ifndef PGV_RESOLVE_H
#define PGV_RESOLVE_H

#include "base/auto.h"
#include "base/deadline.h"
#include "net/addr.h"

/* The first address of a host, in the order the system prefers.  0, -EHOSTUNREACH (no such name),
 * -EINVAL (neither an address nor a name), -ENODEV (fe80::1%interface that is not there),
 * -ETIMEDOUT, or -errno. */
int resolve_host(struct addr *addr, const char *host, const struct deadline *dl) MUST_CHECK;

#endif
