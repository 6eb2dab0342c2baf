/* SPDX-License-Identifier: PostgreSQL */
#include "render/restart_rules.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "postgres/server_limits.h"

static void found(struct restart_findings *findings, const char *message, const char *hint,
		  const char *fmt, ...) PRINTF_LIKE(4, 5);
static void found(struct restart_findings *findings, const char *message, const char *hint,
		  const char *fmt, ...)
{
	struct restart_finding *finding = &findings->list[findings->count];
	va_list args;

	if (findings->count == RESTART_FINDINGS_MAX)
		return;
	findings->count++;
	*finding = (struct restart_finding){ .message = message, .hint = hint };
	va_start(args, fmt);
	(void)vsnprintf(finding->detail, sizeof(finding->detail), fmt, args);
	va_end(args);
}

/* No file changes what was given on the command line. */
const char *restart_value(const struct server_settings *server, const char *name)
{
	const struct server_setting *setting = server_setting(server, name);

	if (setting == NULL)
		return NULL;
	if (setting->by_call)
		return setting->now_known ? setting->now : NULL;
	return setting->next_known ? setting->next : NULL;
}

static bool would_be(const struct restart_facts *facts, const char *name, const char *value)
{
	const char *then = restart_value(facts->here, name);

	return then != NULL && strcmp(then, value) == 0;
}

/* -1: not known. */
static int64_t number_then(const struct restart_facts *facts, const char *name)
{
	const char *then = restart_value(facts->here, name);

	return then != NULL ? strtoll(then, NULL, 10) : -1;
}

/* ---- what the server itself refuses ---- */

static void look_at_files(struct restart_findings *findings, const struct restart_facts *facts)
{
	if (facts->here->files_unusable)
		found(findings, "the server would not start: it does not take its files",
		      "mend the file before anybody restarts the server", "%s",
		      facts->here->files_why);
	if (facts->libraries == FACT_NO)
		found(findings, "the server would not start: a library that it loads is missing",
		      "install it, or take it out of shared_preload_libraries", "%s",
		      facts->libraries_why);
}

/* PostgreSQL's RestoreSlotFromDisk: each of these is FATAL. */
static void look_at_slots(struct restart_findings *findings, const struct restart_facts *facts)
{
	const struct server_settings *here = facts->here;
	const char *level = restart_value(here, "wal_level");
	int64_t room = number_then(facts, "max_replication_slots");

	if (!here->known)
		return;
	if (level != NULL && here->logical_slots > 0 && strcmp(level, "logical") != 0)
		found(findings,
		      "the server would not start: a logical slot needs wal_level = logical",
		      "set wal_level = logical, or drop the slot if nobody needs it",
		      "%" PRId64 " logical slot(s), and wal_level would be %s", here->logical_slots,
		      level);
	else if (level != NULL && here->slots > 0 && strcmp(level, "minimal") == 0)
		found(findings, "the server would not start: a slot needs wal_level = replica",
		      "set wal_level = replica or logical",
		      "%" PRId64 " slot(s), and wal_level would be minimal", here->slots);
	if (room >= 0 && here->slots > room)
		found(findings, "the server would not start: it has more slots than it would take",
		      "raise max_replication_slots, or drop a slot",
		      "%" PRId64 " slots, and max_replication_slots would be %" PRId64, here->slots,
		      room);
}

/* PostmasterMain: it looks at these after "postgres -C" has ended. */
static void look_at_pairs(struct restart_findings *findings, const struct restart_facts *facts)
{
	int64_t senders = number_then(facts, "max_wal_senders");
	int64_t connections = number_then(facts, "max_connections");
	int64_t reserved = number_then(facts, "superuser_reserved_connections");

	if (would_be(facts, "wal_level", "minimal") &&
	    (senders > 0 || would_be(facts, "archive_mode", "on") ||
	     would_be(facts, "archive_mode", "always")))
		found(findings, "the server would not start: wal_level = minimal is too little",
		      "set wal_level = replica or logical",
		      "max_wal_senders would be %" PRId64 ", archive_mode %s", senders,
		      would_be(facts, "archive_mode", "off") ? "off" : "on");
	if (connections >= 0 && reserved >= connections)
		found(findings, "the server would not start: no connection is left for anybody",
		      "raise max_connections",
		      "superuser_reserved_connections would be %" PRId64
		      ", max_connections %" PRId64,
		      reserved, connections);
}

/* ---- what the cluster needs ---- */

static bool limits_of(struct server_limits *limits, const struct server_settings *server, bool then)
{
	limits->known = true;
	for (size_t i = 0; i < SERVER_LIMITS; i++) {
		const struct server_setting *setting =
		    server_setting(server, server_limit_names[i]);
		const char *value = then ? restart_value(server, server_limit_names[i]) : NULL;

		if (!then && setting != NULL && setting->now_known)
			value = setting->now;
		if (value == NULL)
			limits->known = false;
		else
			limits->value[i] = strtoll(value, NULL, 10);
	}
	return limits->known;
}

static void look_at_limits(struct restart_findings *findings, const struct restart_facts *facts)
{
	struct server_limits here, peer;
	char what[200];

	if (!facts->peer->known || !limits_of(&here, facts->here, true) ||
	    !limits_of(&peer, facts->peer, false))
		return;
	if (facts->standby == FACT_YES && !facts->peer->standby &&
	    server_limits_lower(&here, &peer, what, sizeof(what)))
		found(findings, "this standby would not start, or not replay: the primary has more",
		      "raise it here, as \"cluster_config postgresql\" prints it", "%s", what);
	if (facts->standby == FACT_NO && facts->peer->standby &&
	    server_limits_lower(&peer, &here, what, sizeof(what)))
		found(findings, "the standby would stop to replay: this primary would have more",
		      "raise it on the standby first, and restart that", "%s", what);
}

static void look_at_cluster(struct restart_findings *findings, const struct restart_facts *facts)
{
	int64_t port = number_then(facts, "port");

	if (would_be(facts, "hot_standby", "off"))
		found(
		    findings, "as a standby this server would answer nobody",
		    "set hot_standby = on: nothing takes over from a standby that cannot be asked",
		    "hot_standby would be off");
	if (port >= 0 && port != facts->port)
		found(findings, "the server would listen where nobody looks for it",
		      "the same port in both files, postgresql.conf and the cluster's",
		      "port would be %" PRId64 ", the configuration says %" PRId64, port,
		      facts->port);
}

void restart_decide(struct restart_findings *findings, const struct restart_facts *facts)
{
	*findings = (struct restart_findings){ .count = 0 };
	look_at_files(findings, facts);
	look_at_slots(findings, facts);
	look_at_pairs(findings, facts);
	look_at_limits(findings, facts);
	look_at_cluster(findings, facts);
}
