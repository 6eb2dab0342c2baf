/* SPDX-License-Identifier: PostgreSQL */
#include "node/election.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/deadline.h"
#include "config/timing.h"
#include "net/net.h"
#include "node/stamp.h"

void election_address(const struct cfg *cfg, char *text, size_t size)
{
	if (strchr(cfg->vip, ':') != NULL)
		(void)snprintf(text, size, "fd51::%" PRIx64, (uint64_t)cfg->virtual_router_id);
	else
		(void)snprintf(text, size, "127.0.%" PRId64 ".1", cfg->virtual_router_id);
}

enum fact election_master(const struct cfg *cfg)
{
	char address[CFG_ADDR_MAX];
	int rc;

	election_address(cfg, address, sizeof(address));
	rc = net_has_address(address, "lo");
	return rc < 0 ? FACT_UNKNOWN : fact_of(rc);
}

enum fact election_alive(const struct cfg *cfg)
{
	int64_t called_ms;
	char word[16];
	int rc = stamp_read(cfg, STAMP_KEEPALIVED, &called_ms, word, sizeof(word));

	if (rc == -ENOENT)
		return FACT_NO;
	if (rc < 0)
		return FACT_UNKNOWN;
	return fact_of(now_ms() - called_ms <= TIMING_CALLED_WITHIN_MS);
}
