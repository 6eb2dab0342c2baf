/* SPDX-License-Identifier: PostgreSQL */
#include "net/witness.h"

#include "net/probe.h"

/* A lost packet is asked again within the time of one question. */
#define ASK_EVERY_MS 80

enum fact witness_seen(const struct cfg *cfg, const struct deadline *dl, char *why, size_t size)
{
	struct deadline soon = deadline_sooner(dl, cfg->probe_timeout_ms);
	uint16_t port = cfg->witness_kind == WITNESS_TCP ? (uint16_t)cfg->witness_port : 0;

	return probe_once(cfg->witness_address, port, ASK_EVERY_MS, &soon, why, size);
}
