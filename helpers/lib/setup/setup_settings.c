/* SPDX-License-Identifier: PostgreSQL */
/* Checks of what the two servers are set to. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "postgres/server_limits.h"
#include "setup/setup_rules_internal.h"

/* A query on the standby may hold replay back so long. */
#define STREAMING_DELAY_MS (INT64_C(5) * 60 * 1000)
/* A standby, pg_basebackup's two, and one more. */
#define SENDERS 3

/* NULL: not known, of which servers_answer tells. */
static const char *value_of(const struct setup *s, size_t node, const char *name)
{
	const struct server_setting *setting = server_setting(&s->settings[node], name);

	return s->settings[node].known && setting != NULL && setting->now_known ? setting->now
										: NULL;
}

static void say_value(const struct setup *s, size_t node, const char *name, char *detail,
		      size_t size)
{
	setup_say(detail, size, "%s: %s = %.60s", s->cfg->nodes[node].name, name,
		  value_of(s, node, name));
}

/* No server has it so. */
static enum fact nowhere(const struct setup *s, const char *name, const char *bad, char *detail,
			 size_t size)
{
	enum fact fine = FACT_YES;

	for (size_t i = 0; i < CFG_NODES; i++) {
		const char *value = value_of(s, i, name);

		if (value == NULL || strcmp(value, bad) != 0)
			continue;
		say_value(s, i, name, detail, size);
		fine = FACT_NO;
	}
	return fine;
}

/* On each server the number is in the range. */
static enum fact within(const struct setup *s, const char *name, int64_t least, int64_t most,
			char *detail, size_t size)
{
	enum fact fine = FACT_YES;

	for (size_t i = 0; i < CFG_NODES; i++) {
		const char *value = value_of(s, i, name);
		int64_t number = value != NULL ? strtoll(value, NULL, 10) : least;

		if (number >= least && number <= most)
			continue;
		say_value(s, i, name, detail, size);
		fine = FACT_NO;
	}
	return fine;
}

static enum fact wal_level(const struct setup *s, char *detail, size_t size)
{
	return nowhere(s, "wal_level", "minimal", detail, size);
}

static enum fact fsync_on(const struct setup *s, char *detail, size_t size)
{
	return nowhere(s, "fsync", "off", detail, size);
}

static enum fact hot_standby(const struct setup *s, char *detail, size_t size)
{
	return nowhere(s, "hot_standby", "off", detail, size);
}

/* Either will do, on each server. */
static enum fact hints(const struct setup *s, char *detail, size_t size)
{
	enum fact fine = FACT_YES;

	for (size_t i = 0; i < CFG_NODES; i++) {
		const char *sums = value_of(s, i, "data_checksums");
		const char *hints = value_of(s, i, "wal_log_hints");

		if (sums == NULL || hints == NULL || strcmp(sums, "on") == 0 ||
		    strcmp(hints, "on") == 0)
			continue;
		say_value(s, i, "wal_log_hints", detail, size);
		fine = FACT_NO;
	}
	return fine;
}

static enum fact full_pages(const struct setup *s, char *detail, size_t size)
{
	return nowhere(s, "full_page_writes", "off", detail, size);
}

static enum fact senders(const struct setup *s, char *detail, size_t size)
{
	return within(s, "max_wal_senders", SENDERS, INT32_MAX, detail, size);
}

static enum fact slots(const struct setup *s, char *detail, size_t size)
{
	if (!s->cfg->slots)
		return FACT_YES;
	return within(s, "max_replication_slots", 2, INT32_MAX, detail, size);
}

static bool limits_of(const struct setup *s, size_t node, struct server_limits *limits)
{
	for (size_t i = 0; i < SERVER_LIMITS; i++) {
		const char *value = value_of(s, node, server_limit_names[i]);

		if (value == NULL)
			return false;
		limits->value[i] = strtoll(value, NULL, 10);
	}
	limits->known = true;
	return true;
}

/* Each will be the other's standby one day. */
static enum fact limits_alike(const struct setup *s, char *detail, size_t size)
{
	const struct server_settings *both = s->settings;
	const size_t standby = both[0].standby ? 0 : 1;
	struct server_limits below, above;
	char what[200];

	if (!both[0].known || !both[1].known || both[0].standby == both[1].standby ||
	    !limits_of(s, standby, &below) || !limits_of(s, 1 - standby, &above) ||
	    !server_limits_lower(&below, &above, what, sizeof(what)))
		return FACT_YES;
	setup_say(detail, size, "%s: %s", s->cfg->nodes[standby].name, what);
	return FACT_NO;
}

static enum fact limits_back(const struct setup *s, char *detail, size_t size)
{
	const struct server_settings *both = s->settings;
	const size_t primary = both[0].standby ? 1 : 0;
	struct server_limits below, above;
	char what[200];

	if (!both[0].known || !both[1].known || both[0].standby == both[1].standby ||
	    !limits_of(s, primary, &below) || !limits_of(s, 1 - primary, &above) ||
	    !server_limits_lower(&below, &above, what, sizeof(what)))
		return FACT_YES;
	/* The words are those of a standby beside its primary, as it would be then. */
	setup_say(detail, size, "%s: %s", s->cfg->nodes[primary].name, what);
	return FACT_NO;
}

static enum fact no_delay(const struct setup *s, char *detail, size_t size)
{
	return within(s, "recovery_min_apply_delay", 0, 0, detail, size);
}

static enum fact no_target(const struct setup *s, char *detail, size_t size)
{
	static const char *const targets[] = { "recovery_target", "recovery_target_lsn",
					       "recovery_target_name", "recovery_target_time",
					       "recovery_target_xid" };
	enum fact fine = FACT_YES;

	for (size_t i = 0; i < CFG_NODES; i++)
		for (size_t t = 0; t < ARRAY_COUNT(targets); t++) {
			const char *value = value_of(s, i, targets[t]);

			if (value == NULL || value[0] == '\0')
				continue;
			say_value(s, i, targets[t], detail, size);
			fine = FACT_NO;
		}
	return fine;
}

static enum fact streaming_delay(const struct setup *s, char *detail, size_t size)
{
	return within(s, "max_standby_streaming_delay", 0, STREAMING_DELAY_MS, detail, size);
}

/* PostgreSQL 18. */
static enum fact slots_kept(const struct setup *s, char *detail, size_t size)
{
	return within(s, "idle_replication_slot_timeout", 0, 0, detail, size);
}

static enum fact commits_waited_for(const struct setup *s, char *detail, size_t size)
{
	if (s->cfg->mode != MODE_SYNC)
		return FACT_YES;
	for (size_t i = 0; i < CFG_NODES; i++) {
		const char *value = value_of(s, i, "synchronous_commit");

		if (value != NULL && (strcmp(value, "off") == 0 || strcmp(value, "local") == 0 ||
				      strcmp(value, "remote_write") == 0))
			say_value(s, i, "synchronous_commit", detail, size);
	}
	/* Replicated: either server tells those of both. */
	for (size_t i = 0; i < CFG_NODES; i++)
		if (s->servers[i].known && s->servers[i].overrides[0] != '\0') {
			setup_say(detail, size, "%s", s->servers[i].overrides);
			break;
		}
	return fact_of(detail[0] == '\0');
}

static enum fact files_readable(const struct setup *s, char *detail, size_t size)
{
	enum fact fine = FACT_YES;

	for (size_t i = 0; i < CFG_NODES; i++) {
		const struct server_config *config = &s->status.config[i];

		/* Of a server that did not answer at all, servers_answer tells. */
		if (config->ignored == FACT_NO || !s->settings[i].known)
			continue;
		setup_say(detail, size, "%s: %.150s", s->cfg->nodes[i].name, config->why);
		fine = setup_both(fine, config->ignored == FACT_YES ? FACT_NO : FACT_UNKNOWN);
	}
	return fine;
}

static enum fact nothing_pending(const struct setup *s, char *detail, size_t size)
{
	enum fact fine = FACT_YES;

	for (size_t i = 0; i < CFG_NODES; i++) {
		if (!s->servers[i].known || s->servers[i].pending[0] == '\0')
			continue;
		setup_say(detail, size, "%s: %s", s->cfg->nodes[i].name, s->servers[i].pending);
		fine = FACT_NO;
	}
	return fine;
}

static enum fact restart_sound(const struct setup *s, char *detail, size_t size)
{
	const struct restart_finding *first = &s->restart.list[0];

	if (s->restart.count > 0)
		setup_say(detail, size, "%s (%s)", first->message, first->detail);
	return fact_of(s->restart.count == 0);
}

static const struct setup_check checks[] = {
	{ SETUP_ERROR, wal_level,
	  NO("wal-level", "wal_level = minimal writes too little for a standby",
	     "set wal_level = replica and restart"),
	  "no standby can follow" },
	{ SETUP_ERROR, fsync_on, NO("fsync-off", "fsync is off", "set fsync = on and reload"),
	  "a host that loses its power loses acknowledged commits" },
	{ SETUP_ERROR, hot_standby,
	  NO("hot-standby-off", "hot_standby is off", "set hot_standby = on and restart"),
	  "nothing takes over from a standby that cannot be asked" },
	{ SETUP_ERROR, limits_alike,
	  NO("standby-limits", "the standby has less of a setting than its primary",
	     "raise it as \"cluster_config postgresql\" prints it, and restart the standby"),
	  "the standby pauses its replay, or does not start again" },
	{ SETUP_WARNING, limits_back,
	  NO("primary-limits", "the primary has less of a setting than its standby",
	     "raise it as \"cluster_config postgresql\" prints it; it takes a restart"),
	  "after a failover the old primary could not follow the new one" },
	{ SETUP_ERROR, files_readable,
	  NO("config-error", "a configuration file has an error, so its server takes no reload",
	     "mend the line, then SELECT pg_reload_conf()"),
	  "no vote is withdrawn by a reload, and the server would not start again" },
	{ SETUP_ERROR, no_target,
	  NO("recovery-target", "a recovery target was left behind",
	     "ALTER SYSTEM RESET it, or take it out of its file, and restart the standby"),
	  "a standby stops its replay there and does not take over" },
	{ SETUP_ERROR, no_delay,
	  NO("apply-delay", "recovery_min_apply_delay holds replay back",
	     "ALTER SYSTEM RESET recovery_min_apply_delay, or take it out of its file; reload"),
	  "the standby is not promoted before it has caught up" },
	{ SETUP_WARNING, hints,
	  NO("ready-hints", "neither data checksums nor wal_log_hints",
	     "set wal_log_hints = on and restart, the standby first"),
	  "the old primary cannot be rewound and needs a new copy" },
	{ SETUP_WARNING, full_pages,
	  NO("full-page-writes", "full_page_writes is off", "set it to on and reload"),
	  "the old primary cannot be rewound and needs a new copy" },
	{ SETUP_WARNING, senders,
	  NO("few-senders", "max_wal_senders leaves no room",
	     "set max_wal_senders as \"cluster_config postgresql\" prints it"),
	  "a new copy and a standby together may find no walsender" },
	{ SETUP_WARNING, slots,
	  NO("few-slots", "max_replication_slots leaves no room",
	     "set max_replication_slots as \"cluster_config postgresql\" prints it"),
	  "no WAL is held for the node that is away, which may need a new copy" },
	{ SETUP_WARNING, slots_kept,
	  NO("slots-time-out", "idle_replication_slot_timeout drops the slots of a node away",
	     "set it to 0: max_slot_wal_keep_size bounds what a slot may hold"),
	  "the old primary may need a new copy" },
	{ SETUP_WARNING, streaming_delay,
	  NO("streaming-delay", "a query on the standby may hold replay back for long",
	     "set max_standby_streaming_delay to 30s, say, and reload"),
	  "the standby takes over only when that query is over" },
	{ SETUP_ERROR, commits_waited_for,
	  NO("sync-bypassed", "some commits do not wait for the standby, though mode is sync",
	     "reset synchronous_commit of these roles and databases"),
	  "such commits may be lost" },
	{ SETUP_ERROR, restart_sound,
	  NO("restart-breaks", "a restart would break the server of this node",
	     "\"cluster_config check\" says what, and what mends it"),
	  "the server does not come back after its host has" },
	{ SETUP_WARNING, nothing_pending,
	  NO("restart-pending", "settings wait for a restart of the server",
	     "\"pg_vrrp restart\" on that node"),
	  "they change at the next start, which a failover may be" },
};

const struct setup_checks setup_setting_checks = { checks, ARRAY_COUNT(checks) };
