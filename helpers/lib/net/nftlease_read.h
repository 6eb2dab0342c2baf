/* SPDX-License-Identifier: PostgreSQL */
/*
 * Reading what nftables answers.  Not by libnftnl: up to 1.2.4 at least, the kinds of attribute
 * that it takes for known in an element are more than its array of them has room for, so one that a
 * newer kernel adds is written over the stack.  And it ends the process when a size is not what it
 * expects.
 */
#ifndef PGV_NFTLEASE_READ_H
#define PGV_NFTLEASE_READ_H

#include <linux/netfilter/nfnetlink.h>
#include <stdint.h>

#include <libmnl/libmnl.h>

/* The first of its kind from `attr` on, or NULL; kinds that we do not know are passed over. */
static inline const struct nlattr *find_from(const struct nlattr *attr, const char *end,
					     uint16_t type)
{
	while (mnl_attr_ok(attr, (int)(end - (const char *)attr))) {
		if (mnl_attr_get_type(attr) == type)
			return attr;
		attr = mnl_attr_next(attr);
	}
	return NULL;
}

static inline const struct nlattr *find_in(const struct nlmsghdr *message, uint16_t type)
{
	return find_from(mnl_nlmsg_get_payload_offset(message, sizeof(struct nfgenmsg)),
			 mnl_nlmsg_get_payload_tail(message), type);
}

static inline const char *end_of(const struct nlattr *nest)
{
	return (const char *)mnl_attr_get_payload(nest) + mnl_attr_get_payload_len(nest);
}

/* In what is nested in `nest`, which may be NULL. */
static inline const struct nlattr *find(const struct nlattr *nest, uint16_t type)
{
	return nest == NULL ? NULL : find_from(mnl_attr_get_payload(nest), end_of(nest), type);
}

#endif
