/* SPDX-License-Identifier: PostgreSQL */
/* The values that follow from a configuration that was read. */
#include <string.h>

#include "config/cfg.h"
#include "config/timing.h"

/* The SIGKILL that ends a fence, and the look that nothing of the server is left. */
#define KILL_AND_VERIFY_MS 200

int64_t cfg_fence_time_ms(const struct cfg *cfg)
{
	return cfg->stop_fast_ms + cfg->stop_immediate_ms + KILL_AND_VERIFY_MS;
}

/* An answer is used one tick after it came, and counts from when it was asked for. */
static int64_t answer_late_ms(const struct cfg *cfg)
{
	return cfg->probe_timeout_ms + CFG_TICK_MS;
}

int64_t cfg_margin_derived(const struct cfg *cfg)
{
	const int64_t drift_ms = (cfg->lease_ms + TIMING_DRIFT_PART - 1) / TIMING_DRIFT_PART;
	const int64_t least_s = cfg_watchdog(cfg).least_s;
	int64_t margin_ms = drift_ms + TIMING_WAKE_LATE_MS;
	int64_t seconds_ms;

	if (!cfg_has_record(cfg) || !cfg->kernel_lease)
		margin_ms += TIMING_WITHDRAWAL_MS;
	seconds_ms = least_s * 1000 - cfg->lease_ms + drift_ms + answer_late_ms(cfg);
	return cfg->watchdog != WATCHDOG_OFF && seconds_ms > margin_ms ? seconds_ms : margin_ms;
}

struct cfg_watchdog cfg_watchdog(const struct cfg *cfg)
{
	const int64_t fence_ms = cfg_fence_time_ms(cfg);
	const int64_t stall_ms = cfg->lease_ms - fence_ms;
	const int64_t busy_ms = fence_ms + CFG_TICK_MS;
	const int64_t after_ms = cfg->margin_ms - cfg->lease_ms / TIMING_DRIFT_PART;
	const int64_t late_ms = answer_late_ms(cfg);
	const int64_t least_ms = stall_ms > busy_ms ? stall_ms : busy_ms;

	return (struct cfg_watchdog){ .least_s = (int)((least_ms + 999) / 1000),
				      .most_s = (int)((cfg->lease_ms + after_ms - late_ms) / 1000),
				      .after_ms = after_ms };
}

bool cfg_has_record(const struct cfg *cfg)
{
	return cfg->witness_kind == WITNESS_POSTGRES;
}

bool cfg_has_method(const struct cfg *cfg, enum fencing_method method)
{
	for (size_t i = 0; i < cfg->method_count; i++)
		if (cfg->methods[i] == method)
			return true;
	return false;
}

int64_t cfg_power_ms(const struct cfg *cfg)
{
	return cfg->power_timeout_ms *
	       (cfg_has_method(cfg, FENCING_AGENT) + cfg_has_method(cfg, FENCING_HOOK));
}

const char *cfg_witness_word(const struct cfg *cfg)
{
	static const char *const words[] = {
		[WITNESS_PING] = "ping", [WITNESS_TCP] = "tcp", [WITNESS_POSTGRES] = "postgres"
	};

	return words[cfg->witness_kind];
}

const struct cfg_node *cfg_self(const struct cfg *cfg)
{
	return &cfg->nodes[cfg->self];
}

const struct cfg_node *cfg_peer(const struct cfg *cfg)
{
	return &cfg->nodes[1 - cfg->self];
}

const struct cfg_node *cfg_node(const struct cfg *cfg, const char *name)
{
	for (size_t i = 0; i < CFG_NODES; i++) {
		if (strcmp(cfg->nodes[i].name, name) == 0)
			return &cfg->nodes[i];
	}
	return NULL;
}
