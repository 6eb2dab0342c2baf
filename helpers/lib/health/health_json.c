/* SPDX-License-Identifier: PostgreSQL */
/* The names in it are of [a-z0-9_-] (cfg_is_name), so that nothing has to be escaped. */
#include <inttypes.h>

#include "health/health_pages.h"
#include "health/health_rules.h"

static const char *state_of(const struct health *h)
{
	static const char *const words[] = {
		[HEALTH_SERVER_UNKNOWN] = "unknown",
		[HEALTH_SERVER_PRIMARY] = "running",
		[HEALTH_SERVER_STANDBY] = "running",
		[HEALTH_SERVER_OTHER] = "stopped",
	};

	return words[h->server];
}

/* The role by right, and not by what the server is: a primary that may not serve is none. */
static const char *role_of(const struct health *h)
{
	if (health_serves(h))
		return "primary";
	return health_standby(h) ? "replica" : "unknown";
}

static const char *truth(bool is)
{
	return is ? "true" : "false";
}

static void say_ms(struct http_reply *reply, const char *name, int64_t ms)
{
	if (ms != HEALTH_NEVER)
		http_say(reply, ", \"%s\": %" PRId64, name, ms);
}

static void say_xlog(struct http_reply *reply, const struct health *h)
{
	if (!health_standby(h) || !h->contact.known || h->contact.received_lsn == 0)
		return;
	http_say(reply,
		 ", \"xlog\": {\"received_location\": %" PRIu64 ", \"replayed_location\": %" PRIu64
		 "}",
		 h->contact.received_lsn, h->contact.replayed_lsn);
	if (health_streams(h))
		http_say(reply, ", \"replication_state\": \"streaming\"");
	say_ms(reply, "lag", h->lag_bytes);
	say_ms(reply, "lag_ms", h->lag_ms);
}

static void say_record(struct http_reply *reply, const struct health *h)
{
	if (h->record_known != FACT_YES)
		return;
	http_say(reply, ", \"term\": %" PRId64 ", \"paired\": %s", h->term, truth(h->paired));
	if (h->paused)
		http_say(reply, ", \"pause\": true");
	say_ms(reply, "record_age_ms", h->record_age_ms);
}

void health_page_node(struct http_reply *reply, const struct health *h, const struct cfg *cfg)
{
	reply->type = "application/json";
	http_say(reply, "{\"state\": \"%s\", \"role\": \"%s\"", state_of(h), role_of(h));
	if (health_standby(h) && h->contact.known && h->contact.timeline != 0)
		http_say(reply, ", \"timeline\": %" PRIu32, h->contact.timeline);
	if (health_sync(h) == FACT_YES)
		http_say(reply, ", \"sync_standby\": true");
	say_xlog(reply, h);
	say_record(reply, h);
	http_say(reply, ", \"fenced\": %s, \"serving\": %s",
		 h->fenced == FACT_UNKNOWN ? "null" : truth(h->fenced == FACT_YES),
		 truth(health_serves(h)));
	if (h->right_known && health_serves(h))
		http_say(reply, ", \"lease_left_ms\": %" PRId64, h->lease_left_ms);
	say_ms(reply, "answer_age_ms", h->answer_age_ms);
	http_say(reply,
		 ", \"pg_vrrp\": {\"version\": \"%s\", \"scope\": \"%s\", \"name\": \"%s\"}}\n",
		 PGV_VERSION, cfg->name, cfg_self(cfg)->name);
}

static void say_member(struct http_reply *reply, const struct cfg *cfg, const struct cfg_node *node,
		       const char *role, const char *state)
{
	http_say(reply,
		 "{\"name\": \"%s\", \"role\": \"%s\", \"state\": \"%s\", \"host\": \"%s\", "
		 "\"port\": %" PRId64,
		 node->name, role, state, node->address, cfg->port);
}

static bool fresh(const struct health *h, int64_t age_ms)
{
	return age_ms != HEALTH_NEVER && age_ms <= h->fresh_ms;
}

/* Of the other node only that it answered is known, and as what. */
static void say_peer(struct http_reply *reply, const struct health *h, const struct cfg *cfg)
{
	if (health_standby(h) && fresh(h, h->seen_age_ms))
		say_member(reply, cfg, cfg_peer(cfg), "leader", "running");
	else if (health_serves(h) && fresh(h, h->vote_age_ms))
		say_member(reply, cfg, cfg_peer(cfg), "replica", "running");
	else
		say_member(reply, cfg, cfg_peer(cfg), "unknown", "unknown");
	http_say(reply, "}");
}

static const char *role_in_cluster(const struct health *h)
{
	if (health_serves(h))
		return "leader";
	return health_sync(h) == FACT_YES ? "sync_standby" : role_of(h);
}

void health_page_cluster(struct http_reply *reply, const struct health *h, const struct cfg *cfg)
{
	const char *state = health_streams(h) ? "streaming" : state_of(h);

	reply->type = "application/json";
	http_say(reply, "{\"members\": [");
	say_member(reply, cfg, cfg_self(cfg), role_in_cluster(h), state);
	if (health_standby(h))
		say_ms(reply, "lag", h->lag_bytes);
	http_say(reply, "}, ");
	say_peer(reply, h, cfg);
	http_say(reply, "], \"scope\": \"%s\"%s}\n", cfg->name,
		 h->record_known == FACT_YES && h->paused ? ", \"pause\": true" : "");
}
