/* SPDX-License-Identifier: PostgreSQL */
#include "net/isolation.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "net/addr.h"
#include "net/nft.h"

#define TEXT_MAX 2048

/* The ARP of IPv6. */
#define NEIGHBOURS "icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert }"

/* A table has to be there to be deleted. */
static const char away[] = "table inet pg_vrrp_drill_%s\n"
			   "delete table inet pg_vrrp_drill_%s\n";

/* Before the chains of the lease, whose counters tell of refused clients. */
static const char lay[] =
    "table inet pg_vrrp_drill_%s {\n"
    "	set isolated {\n"
    "		type nf_proto\n"
    "		flags timeout\n"
    "		elements = { ipv4 timeout %" PRId64 "ms, ipv6 timeout %" PRId64 "ms }\n"
    "	}\n"
    "	chain input {\n"
    "		type filter hook input priority -10; policy accept;\n"
    "		iif \"lo\" accept\n"
    "		" NEIGHBOURS " accept\n"
    "		%s saddr %s tcp sport %d accept\n"
    "		meta nfproto @isolated counter drop\n"
    "	}\n"
    "	chain output {\n"
    "		type filter hook output priority -10; policy accept;\n"
    "		oif \"lo\" accept\n"
    "		" NEIGHBOURS " accept\n"
    "		%s daddr %s tcp dport %d accept\n"
    "		meta nfproto @isolated counter drop\n"
    "	}\n"
    "}\n";

int isolation_begin(const struct cfg *cfg, int64_t for_ms, const struct deadline *dl, char *why,
		    size_t size)
{
	char text[TEXT_MAX];
	const char *family;
	size_t at;
	struct addr addr;
	int rc = addr_parse(&addr, cfg->vip);

	if (rc == 0 && for_ms <= 0)
		rc = -EINVAL;
	if (rc < 0) {
		text_clean(why, size, strerror(-rc));
		return rc;
	}
	family = addr.family == AF_INET ? "ip" : "ip6";
	rc = snprintf(text, sizeof(text), away, cfg->name, cfg->name);
	at = (size_t)rc;
	rc = snprintf(text + at, sizeof(text) - at, lay, cfg->name, for_ms, for_ms, family,
		      cfg->vip, (int)cfg->port, family, cfg->vip, (int)cfg->port);
	if (rc >= (int)(sizeof(text) - at)) {
		text_clean(why, size, strerror(E2BIG));
		return -E2BIG;
	}
	return nft_run(text, dl, why, size);
}

int isolation_end(const struct cfg *cfg, const struct deadline *dl, char *why, size_t size)
{
	char text[TEXT_MAX];

	(void)snprintf(text, sizeof(text), away, cfg->name, cfg->name);
	return nft_run(text, dl, why, size);
}
