/* SPDX-License-Identifier: PostgreSQL */
/*
 * One question to rtnetlink and its answer, for net*.c.  Each question has a short-lived socket of
 * its own, so that nothing of an earlier answer can be taken for the next one, and a process that
 * runs for months holds no state here.  Messages are read one by one as they come: libnl's caches,
 * and libnl-route-3 with them, would cost the guard more memory than everything else in it.
 */
#ifndef PGV_NET_ASK_H
#define PGV_NET_ASK_H

#include <stddef.h>

#include <netlink/msg.h>

#include "base/auto.h"

/* Called with each message of an answer.  0, or -errno when it cannot be understood: then the whole
 * question has failed, because "not understood" is not "not there". */
typedef int net_message_fn(const struct nlmsghdr *header, void *what);

/* A request with its fixed part; attributes are added by the caller.  NULL without memory. */
struct nl_msg *net_request(int type, int flags, void *fixed, size_t size);

/* Sends it and hands every message of the answer to `take` (may be NULL).  0, -errno of the
 * kernel, -EAGAIN (the tables changed under a dump: ask again), -ETIMEDOUT. */
int net_ask(struct nl_msg *request, net_message_fn *take, void *what) MUST_CHECK;

/* Splits the attributes behind a fixed part of `size`.  0 or -EINVAL. */
int net_attributes(const struct nlmsghdr *header, size_t size, struct nlattr *attributes[],
		   int max) MUST_CHECK;

static inline void auto_msg_free(struct nl_msg **msg)
{
	nlmsg_free(*msg);
}
/* struct nl_msg AUTO_MSG *request = net_request(...); */
#define AUTO_MSG __attribute__((cleanup(auto_msg_free)))

#endif
