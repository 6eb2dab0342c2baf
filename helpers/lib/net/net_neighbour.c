/* SPDX-License-Identifier: PostgreSQL */
#include "net/net.h"

#include <errno.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <stdint.h>
#include <string.h>

#include "net/addr.h"
#include "net/net_ask.h"

struct route {
	uint32_t ifindex;
	bool direct; /* on the link, with no gateway between */
};

static int take_route(const struct nlmsghdr *header, void *what)
{
	struct nlattr *attributes[RTA_MAX + 1];
	const struct rtmsg *fixed = nlmsg_data(header);
	struct route *route = what;

	if (header->nlmsg_type != RTM_NEWROUTE ||
	    net_attributes(header, sizeof(*fixed), attributes, RTA_MAX) != 0 ||
	    attributes[RTA_OIF] == NULL || nla_len(attributes[RTA_OIF]) != sizeof(uint32_t))
		return -EBADMSG;
	route->ifindex = nla_get_u32(attributes[RTA_OIF]);
	route->direct = fixed->rtm_type == RTN_UNICAST && attributes[RTA_GATEWAY] == NULL &&
			attributes[RTA_VIA] == NULL;
	return 0;
}

/* The link on which the kernel would ask for this neighbour; -ENETUNREACH when it would not. */
static int link_of(const struct addr *address, uint32_t *ifindex)
{
	struct rtmsg fixed = { .rtm_family = (unsigned char)address->family,
			       .rtm_dst_len = (unsigned char)(addr_size(address) * 8) };
	struct nl_msg AUTO_MSG *request = net_request(RTM_GETROUTE, 0, &fixed, sizeof(fixed));
	struct route route = { 0 };
	int rc;

	if (request == NULL || nla_put(request, RTA_DST, addr_size(address), address->bytes) < 0 ||
	    (address->scope != 0 && nla_put_u32(request, RTA_OIF, address->scope) < 0))
		return -ENOMEM;
	rc = net_ask(request, take_route, &route);
	if (rc != 0)
		return rc;
	*ifindex = route.ifindex;
	return route.direct ? 0 : -ENETUNREACH;
}

struct neighbour {
	uint16_t state; /* NUD_NONE when the table has no such entry */
	size_t lladdr_size;
	unsigned char lladdr[32]; /* MAX_ADDR_LEN of the kernel */
};

static int take_neighbour(const struct nlmsghdr *header, void *what)
{
	struct nlattr *attributes[NDA_MAX + 1];
	const struct ndmsg *fixed = nlmsg_data(header);
	struct neighbour *neighbour = what;
	const struct nlattr *lladdr;

	if (header->nlmsg_type != RTM_NEWNEIGH ||
	    net_attributes(header, sizeof(*fixed), attributes, NDA_MAX) != 0)
		return -EBADMSG;
	neighbour->state = fixed->ndm_state;
	lladdr = attributes[NDA_LLADDR];
	if (lladdr == NULL || (size_t)nla_len(lladdr) > sizeof(neighbour->lladdr))
		return 0;
	neighbour->lladdr_size = (size_t)nla_len(lladdr);
	memcpy(neighbour->lladdr, nla_data(lladdr), neighbour->lladdr_size);
	return 0;
}

/* RTM_GETNEIGH or RTM_DELNEIGH of one entry.  0 also when there is none. */
static int neighbour_call(int type, const struct addr *address, uint32_t ifindex,
			  struct neighbour *neighbour)
{
	struct ndmsg fixed = { .ndm_family = (unsigned char)address->family,
			       .ndm_ifindex = (int)ifindex };
	struct nl_msg AUTO_MSG *request = net_request(type, 0, &fixed, sizeof(fixed));
	int rc;

	*neighbour = (struct neighbour){ .state = NUD_NONE };
	if (request == NULL || nla_put(request, NDA_DST, addr_size(address), address->bytes) < 0)
		return -ENOMEM;
	rc = net_ask(request, take_neighbour, neighbour);
	return rc == -ENOENT ? 0 : rc;
}

int net_neighbour_forget(const char *address)
{
	struct neighbour neighbour;
	struct addr wanted;
	uint32_t ifindex;
	int rc = addr_parse(&wanted, address);

	if (rc == 0)
		rc = link_of(&wanted, &ifindex);
	if (rc == 0)
		rc = neighbour_call(RTM_GETNEIGH, &wanted, ifindex, &neighbour);
	/* An entry that an operator made by hand is not ours to remove; net_neighbour makes
	 * nothing of it. */
	if (rc != 0 || neighbour.state == NUD_NONE || (neighbour.state & NUD_PERMANENT) != 0)
		return rc;
	rc = neighbour_call(RTM_DELNEIGH, &wanted, ifindex, &neighbour);
	if (rc == 0)
		rc = neighbour_call(RTM_GETNEIGH, &wanted, ifindex, &neighbour);
	/* The kernel marks an entry that somebody holds as failed and keeps it: that would read as
	 * "nobody answered" before anybody was asked. */
	if (rc == 0 && neighbour.state == NUD_FAILED)
		return -EBUSY;
	return rc;
}

static void format_lladdr(const struct neighbour *neighbour, char *text, size_t size)
{
	static const char digits[] = "0123456789abcdef";
	size_t at = 0;

	text[0] = '\0';
	if (size < neighbour->lladdr_size * 3 || neighbour->lladdr_size == 0)
		return;
	for (size_t i = 0; i < neighbour->lladdr_size; i++) {
		text[at++] = digits[neighbour->lladdr[i] >> 4];
		text[at++] = digits[neighbour->lladdr[i] & 0x0f];
		text[at++] = ':';
	}
	text[at - 1] = '\0';
}

enum fact net_neighbour(const char *address, char *lladdr, size_t size)
{
	struct neighbour neighbour;
	struct addr wanted;
	uint32_t ifindex;

	if (lladdr != NULL && size != 0)
		lladdr[0] = '\0';
	if (addr_parse(&wanted, address) != 0 || link_of(&wanted, &ifindex) != 0 ||
	    neighbour_call(RTM_GETNEIGH, &wanted, ifindex, &neighbour) != 0)
		return FACT_UNKNOWN;
	if (neighbour.state == NUD_FAILED)
		return FACT_NO;
	/* Asking again (NUD_PROBE) is not an answer, and neither is an entry made by hand. */
	if ((neighbour.state & (NUD_REACHABLE | NUD_STALE | NUD_DELAY)) == 0)
		return FACT_UNKNOWN;
	if (lladdr != NULL && size != 0)
		format_lladdr(&neighbour, lladdr, size);
	return FACT_YES;
}
