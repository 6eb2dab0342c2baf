/* SPDX-License-Identifier: PostgreSQL */
#include <inttypes.h>
#include <stdio.h>

#include "health/health_pages.h"
#include "health/health_rules.h"

struct metric {
	const char *name;
	const char *help;
	/* False: not known, or of no meaning here.  In thousandths where it is an age. */
	bool (*value_of)(const struct health *h, int64_t *value);
	bool of_ms; /* value is in milliseconds, and printed in seconds */
};

static bool known(int64_t is, int64_t *value)
{
	*value = is;
	return is != HEALTH_NEVER;
}

static bool fact_known(enum fact is, int64_t *value)
{
	*value = is == FACT_YES;
	return is != FACT_UNKNOWN;
}

static bool is(bool truth, int64_t *value)
{
	*value = truth;
	return true;
}

/* clang-format off */
#define READS(name, expression) \
	static bool name(const struct health *h, int64_t *value) { return (expression); }

READS(serving, is(health_serves(h), value))
READS(standby, is(health_standby(h), value))
READS(running, is(h->server == HEALTH_SERVER_PRIMARY || h->server == HEALTH_SERVER_STANDBY, value))
READS(streaming, is(health_streams(h), value))
READS(alive, is(health_alive(h), value))
READS(fenced, fact_known(h->fenced, value))
READS(withdrawn, is(h->withdrawn, value))
READS(disk_full, is(h->disk_full, value))
READS(watchdog, h->watchdog != WATCHDOG_SAYS_NOTHING && is(watchdog_usable(h->watchdog), value))
READS(fence_tested, fact_known(h->fence_tested, value))
READS(rejoin_ready, fact_known(h->rejoin_ready, value))
READS(lease_left, h->right_known && is(true, value) && known(h->lease_left_ms > 0 ? h->lease_left_ms : 0, value))
READS(answer_age, known(h->answer_age_ms, value))
READS(keepalived_age, known(h->keepalived_age_ms, value))
READS(vote_age, known(h->vote_age_ms, value))
READS(contact_age, known(h->seen_age_ms, value))
READS(streaming_age, known(h->streaming_age_ms, value))
READS(lag_bytes, health_standby(h) && known(h->lag_bytes, value))
READS(unsent_bytes, health_standby(h) && known(h->unsent_bytes, value))
READS(lag_seconds, health_standby(h) && known(h->lag_ms, value))
READS(record_age, h->record_known == FACT_YES && known(h->record_age_ms, value))
READS(term, h->record_known == FACT_YES && known(h->term, value))
READS(holder, h->record_known == FACT_YES && is(h->holder, value))
READS(paired, h->record_known == FACT_YES && is(h->paired, value))
READS(paused, h->record_known == FACT_YES && is(h->paused, value))
READS(solo, h->has_record && is(h->solo, value))

static const struct metric metrics[] = {
	{ "pg_vrrp_serving", "This node is the primary, by a right that has not nearly ended.", serving, false },
	{ "pg_vrrp_standby", "This node's server is a standby.", standby, false },
	{ "pg_vrrp_postgres_running", "The server answered in the last round.", running, false },
	{ "pg_vrrp_streaming", "This standby streamed a moment ago.", streaming, false },
	{ "pg_vrrp_alive", "The guard's rounds go on.", alive, false },
	{ "pg_vrrp_fenced", "This node is fenced.", fenced, false },
	{ "pg_vrrp_vote_withdrawn", "This standby's vote is withdrawn: it takes over, or has tried to.", withdrawn, false },
	{ "pg_vrrp_disk_full", "The server's disk is full.", disk_full, false },
	{ "pg_vrrp_watchdog_usable", "The hardware watchdog is there and can be used.", watchdog, false },
	{ "pg_vrrp_fence_test", "The last test of fencing the other node went well.", fence_tested, false },
	{ "pg_vrrp_rejoin_ready", "This node could be brought back after a failover, as last looked at.", rejoin_ready, false },
	{ "pg_vrrp_lease_left_seconds", "Until this node's right to serve ends.", lease_left, true },
	{ "pg_vrrp_answer_age_seconds", "Since the last round of check_primary began.", answer_age, true },
	{ "pg_vrrp_keepalived_age_seconds", "Since keepalived last asked.", keepalived_age, true },
	{ "pg_vrrp_vote_age_seconds", "Since the standby's last vote for this primary.", vote_age, true },
	{ "pg_vrrp_contact_age_seconds", "Since this standby last saw its primary.", contact_age, true },
	{ "pg_vrrp_streaming_age_seconds", "Since this standby was last seen to stream.", streaming_age, true },
	{ "pg_vrrp_lag_bytes", "WAL that the primary has written and this standby not replayed.", lag_bytes, false },
	{ "pg_vrrp_receive_lag_bytes", "WAL that the primary has written and this standby not received.", unsent_bytes, false },
	{ "pg_vrrp_lag_seconds", "The data here is at most so old; a round is 1 s.", lag_seconds, true },
	{ "pg_vrrp_witness_age_seconds", "Since the witness last answered for the record.", record_age, true },
	{ "pg_vrrp_term", "The record's term: it grows by each change of primary.", term, false },
	{ "pg_vrrp_holder", "This node holds the term.", holder, false },
	{ "pg_vrrp_paired", "The standby may take over.", paired, false },
	{ "pg_vrrp_paused", "An operator has paused takeovers.", paused, false },
	{ "pg_vrrp_solo", "This primary goes on without its standby.", solo, false },
};
/* clang-format on */

static void say_value(struct http_reply *reply, const struct metric *metric, int64_t value)
{
	if (metric->of_ms)
		http_say(reply, " %" PRId64 ".%03" PRId64 "\n", value / 1000, value % 1000);
	else
		http_say(reply, " %" PRId64 "\n", value);
}

void health_page_metrics(struct http_reply *reply, const struct health *h, const struct cfg *cfg)
{
	char labels[2 * CFG_NAME_MAX + 32];

	(void)snprintf(labels, sizeof(labels), "{cluster=\"%s\",node=\"%s\"", cfg->name,
		       cfg_self(cfg)->name);
	reply->type = "text/plain; version=0.0.4";
	http_say(reply,
		 "# HELP pg_vrrp_info The version of pg_vrrp.\n# TYPE pg_vrrp_info gauge\n"
		 "pg_vrrp_info%s,version=\"%s\"} 1\n",
		 labels, PGV_VERSION);
	for (size_t i = 0; i < ARRAY_COUNT(metrics); i++) {
		int64_t value = 0;

		if (!metrics[i].value_of(h, &value))
			continue;
		http_say(reply, "# HELP %s %s\n# TYPE %s gauge\n%s%s}", metrics[i].name,
			 metrics[i].help, metrics[i].name, metrics[i].name, labels);
		say_value(reply, &metrics[i], value);
	}
}
