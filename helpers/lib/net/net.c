/* SPDX-License-Identifier: PostgreSQL */
#include "net/net.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdint.h>

/* After net/if.h, which it completes (IFF_LOWER_UP). */
#include <linux/if.h>

#include "net/addr.h"
#include "net/net_ask.h"

/* Places that one dump can report; what does not fit is found in the next round. */
enum { PLACES_MAX = 8 };
/* A dump that the tables changed under is asked again; also the rounds of removing what somebody
 * else keeps putting back. */
enum { ROUNDS = 8 };

/* Where an address is configured. */
struct place {
	uint32_t ifindex;
	uint8_t prefix;
};

struct search {
	struct addr address;
	uint32_t ifindex; /* 0: every interface */
	struct place places[PLACES_MAX];
	size_t found; /* may exceed PLACES_MAX */
};

static int take_address(const struct nlmsghdr *header, void *what)
{
	struct nlattr *attributes[IFA_MAX + 1];
	struct search *search = what;
	const struct ifaddrmsg *fixed = nlmsg_data(header);
	const struct nlattr *local;
	struct addr address;

	if (header->nlmsg_type != RTM_NEWADDR ||
	    net_attributes(header, sizeof(*fixed), attributes, IFA_MAX) != 0)
		return -EBADMSG;
	/* On a point-to-point link IFA_ADDRESS is the other end; IFA_LOCAL is always ours, but
	 * IPv6 leaves it out elsewhere. */
	local = attributes[IFA_LOCAL] != NULL ? attributes[IFA_LOCAL] : attributes[IFA_ADDRESS];
	if (fixed->ifa_family != search->address.family)
		return 0;
	if (local == NULL || addr_from_bytes(&address, fixed->ifa_family, nla_data(local),
					     (size_t)nla_len(local)) != 0)
		return -EBADMSG;
	if (address.family == AF_INET6)
		address.scope = fixed->ifa_index;
	if (!addr_equal(&address, &search->address) ||
	    (search->ifindex != 0 && search->ifindex != fixed->ifa_index))
		return 0;
	if (search->found < PLACES_MAX)
		search->places[search->found] =
		    (struct place){ .ifindex = fixed->ifa_index, .prefix = fixed->ifa_prefixlen };
	search->found++;
	return 0;
}

/* Fills places and found. */
static int find_address(struct search *search)
{
	int rc = -EAGAIN;

	for (int round = 0; rc == -EAGAIN && round < ROUNDS; round++) {
		struct ifaddrmsg fixed = { .ifa_family = (unsigned char)search->address.family };
		struct nl_msg AUTO_MSG *request =
		    net_request(RTM_GETADDR, NLM_F_DUMP, &fixed, sizeof(fixed));

		if (request == NULL)
			return -ENOMEM;
		search->found = 0;
		rc = net_ask(request, take_address, search);
	}
	return rc;
}

int net_has_address(const char *address, const char *ifname)
{
	struct search search = { 0 };
	int rc = addr_parse(&search.address, address);

	if (rc == 0 && ifname != NULL) {
		search.ifindex = if_nametoindex(ifname);
		rc = search.ifindex == 0 ? -errno : 0;
	}
	if (rc == 0)
		rc = find_address(&search);
	return rc != 0 ? rc : search.found != 0;
}

/* 1 when removed, 0 when somebody else was quicker, or -errno. */
static int remove_one(const struct addr *address, const struct place *place)
{
	struct ifaddrmsg fixed = { .ifa_family = (unsigned char)address->family,
				   .ifa_prefixlen = place->prefix,
				   .ifa_index = place->ifindex };
	struct nl_msg AUTO_MSG *request = net_request(RTM_DELADDR, 0, &fixed, sizeof(fixed));
	int rc;

	if (request == NULL || nla_put(request, IFA_LOCAL, addr_size(address), address->bytes) < 0)
		return -ENOMEM;
	rc = net_ask(request, NULL, NULL);
	if (rc == -EADDRNOTAVAIL || rc == -ENODEV)
		return 0;
	return rc != 0 ? rc : 1;
}

int net_remove_address(const char *address)
{
	struct search search = { 0 };
	int removed = 0;
	int rc = addr_parse(&search.address, address);

	/* Looks again after each round: what was removed is gone only when it is not seen. */
	for (int round = 0; rc == 0 && round < ROUNDS; round++) {
		rc = find_address(&search);
		if (rc != 0 || search.found == 0)
			return rc != 0 ? rc : removed;
		for (size_t i = 0; i < search.found && i < PLACES_MAX; i++) {
			rc = remove_one(&search.address, &search.places[i]);
			if (rc < 0)
				return rc;
			removed += rc;
		}
		rc = 0;
	}
	return rc != 0 ? rc : -EBUSY;
}

static int take_link(const struct nlmsghdr *header, void *what)
{
	const struct ifinfomsg *fixed = nlmsg_data(header);
	unsigned int *flags = what;

	if (header->nlmsg_type != RTM_NEWLINK || !nlmsg_valid_hdr(header, sizeof(*fixed)))
		return -EBADMSG;
	*flags = fixed->ifi_flags;
	return 0;
}

int net_link_up(const char *ifname)
{
	struct ifinfomsg fixed = { .ifi_index = (int)if_nametoindex(ifname) };
	unsigned int flags = 0;
	int rc;

	if (fixed.ifi_index == 0)
		return -errno;

	struct nl_msg AUTO_MSG *request = net_request(RTM_GETLINK, 0, &fixed, sizeof(fixed));

	if (request == NULL)
		return -ENOMEM;
	rc = net_ask(request, take_link, &flags);
	if (rc != 0)
		return rc;
	/* The kernel shows this flag only on an interface that is up as well. */
	return (flags & IFF_LOWER_UP) != 0;
}
