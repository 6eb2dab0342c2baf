/* SPDX-License-Identifier: PostgreSQL */
#include "health/health_rules.h"

bool health_serves(const struct health *h)
{
	return h->fenced == FACT_NO && h->says_serving == FACT_YES && h->right_known &&
	       h->lease_left_ms > h->fence_time_ms;
}

bool health_standby(const struct health *h)
{
	return h->server == HEALTH_SERVER_STANDBY;
}

bool health_streams(const struct health *h)
{
	return health_standby(h) && h->streaming_age_ms != HEALTH_NEVER &&
	       h->streaming_age_ms <= h->fresh_ms;
}

enum fact health_sync(const struct health *h)
{
	if (!health_standby(h))
		return FACT_NO;
	/* Without a record sync mode is never given up. */
	if (!h->has_record)
		return fact_of(h->mode_sync && health_streams(h));
	if (h->record_known != FACT_YES || h->record_age_ms == HEALTH_NEVER ||
	    h->record_age_ms > h->fresh_ms)
		return FACT_UNKNOWN;
	return fact_of(h->paired && h->record_sync && !h->holder && health_streams(h));
}

bool health_alive(const struct health *h)
{
	/* As Patroni: a standby has twice the time. */
	const int64_t limit_ms =
	    h->server == HEALTH_SERVER_PRIMARY || health_serves(h) ? h->fresh_ms : 2 * h->fresh_ms;

	return h->answer_age_ms != HEALTH_NEVER && h->answer_age_ms <= limit_ms;
}

static bool close_enough(const struct health *h, const struct health_ask *ask)
{
	const int64_t bytes = ask->received ? h->unsent_bytes : h->lag_bytes;

	if (ask->lag_bytes != HEALTH_NEVER && (bytes == HEALTH_NEVER || bytes > ask->lag_bytes))
		return false;
	return ask->lag_ms == HEALTH_NEVER ||
	       (h->lag_ms != HEALTH_NEVER && h->lag_ms <= ask->lag_ms);
}

static bool replica(const struct health *h, const struct health_ask *ask)
{
	return health_standby(h) && close_enough(h, ask) &&
	       (!ask->streaming || health_streams(h)) && !ask->tagged;
}

static bool ready(const struct health *h, const struct health_ask *ask)
{
	struct health_ask limit = *ask;

	if (health_serves(h))
		return true;
	if (limit.lag_bytes == HEALTH_NEVER && limit.lag_ms == HEALTH_NEVER)
		limit.lag_bytes = h->max_lag_bytes;
	return health_streams(h) && close_enough(h, &limit);
}

static bool holds(const struct health *h, const struct health_ask *ask)
{
	const bool serves = health_serves(h);

	switch (ask->page) {
	case HEALTH_PAGE_PRIMARY:
		return serves;
	case HEALTH_PAGE_REPLICA:
		return replica(h, ask);
	case HEALTH_PAGE_READ_ONLY:
		return (serves && !ask->tagged) || replica(h, ask);
	case HEALTH_PAGE_SYNC:
		return health_sync(h) == FACT_YES && replica(h, ask);
	case HEALTH_PAGE_ASYNC:
		return health_sync(h) == FACT_NO && replica(h, ask);
	case HEALTH_PAGE_READ_ONLY_SYNC:
		return (serves && !ask->tagged) || (health_sync(h) == FACT_YES && replica(h, ask));
	case HEALTH_PAGE_HEALTH:
		return h->server == HEALTH_SERVER_PRIMARY || h->server == HEALTH_SERVER_STANDBY;
	case HEALTH_PAGE_LIVENESS:
		return health_alive(h);
	case HEALTH_PAGE_READINESS:
		return ready(h, ask);
	case HEALTH_PAGE_STATUS:
	case HEALTH_PAGE_CLUSTER:
	case HEALTH_PAGE_METRICS:
		return true;
	case HEALTH_PAGE_NONE:
	case HEALTH_PAGE_NEVER:
		break;
	}
	return false;
}

int health_code(const struct health *h, const struct health_ask *ask)
{
	return holds(h, ask) ? 200 : 503;
}
