/* SPDX-License-Identifier: PostgreSQL */
/* The first lines of cluster_status: the verdict, who is what, and what would come of a failure. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "status/status.h"
#include "status/status_show.h"

/* Appends to text, with a comma between. */
static void note(char *text, size_t size, const char *what)
{
	const size_t used = strlen(text);

	(void)snprintf(text + used, size - used, "%s%s", used > 0 ? ", " : "", what);
}

static void note_replay(const struct server_replay *replay, char *text, size_t size)
{
	if (replay->apply_delay[0] != '\0')
		note(text, size, "recovery_min_apply_delay");
	if (replay->held)
		note(text, size, "sessions hold up replay");
	if (replay->restoring)
		note(text, size, "restore_command at work");
}

static void notes_of(const struct status *status, size_t i, const struct cfg *cfg, char *text,
		     size_t size)
{
	const struct server *server = &status->servers[i];
	const struct server_replay *replay = &status->replay[i];
	const struct status_flow *flow = &status->flow;

	text[0] = '\0';
	/* Each server sees such a connection differently from one moment to the next. */
	if (flow->vanishes == FACT_YES && server->state == SERVER_STANDBY)
		status_flow_words(flow, text, size);
	else if (flow->vanishes == FACT_YES && server->state == SERVER_PRIMARY)
		note(text, size, "the standby receives nothing");
	if (server->state == SERVER_PRIMARY) {
		if (server->read_only)
			note(text, size, "read-only");
		if (flow->vanishes != FACT_YES)
			note(text, size,
			     !server->peer_streams ? "the standby does not stream"
			     : server->peer_sync   ? "the standby streams, synchronous"
						   : "the standby streams");
		if (cfg->mode == MODE_SYNC && server->sync_bypass > 0)
			note(text, size, "synchronous_commit overridden");
	} else if (server->state == SERVER_STANDBY) {
		if (server->withdrawn)
			note(text, size, "vote withdrawn");
		if (server->replay_paused)
			note(text, size, "replay paused");
		note_replay(replay, text, size);
	} else if (server->behind != SERVER_UNKNOWN) {
		note(text, size,
		     server->behind == SERVER_PRIMARY ? "a primary by its control file"
						      : "a standby by its control file");
	}
	if (status->config[i].pending[0] != '\0')
		note(text, size, "restart pending");
	if (server->why[0] != '\0')
		note(text, size, server->why);
}

/* As far as it is known: a server that is down is neither. */
static const char *role_word(const struct server *server)
{
	if (server->state == SERVER_PRIMARY || server->state == SERVER_STANDBY)
		return server_state_word(server->state);
	return "-";
}

static const char *state_word(const struct status *status, const struct server *server)
{
	if (server->state == SERVER_PRIMARY)
		return server->read_only ? "read-only" : "running";
	if (server->state != SERVER_STANDBY)
		return server_state_word(server->state);
	if (status->flow.vanishes == FACT_YES)
		return "stuck";
	return server->receiving ? "streaming" : "not streaming";
}

static const char *guard_word(enum fact guard)
{
	return guard == FACT_YES ? "ok" : guard == FACT_NO ? "GONE" : "unknown";
}

/* The lease and the guard of the other node cannot be seen from here. */
static void node_row(struct table *table, const struct status *status, size_t i,
		     const struct cfg *cfg)
{
	const struct server *server = &status->servers[i];
	const bool here = i == cfg->self;
	char name[CFG_NAME_MAX + 2], timeline[16] = "", lag[32] = "", lease[24] = "", notes[192];
	uint64_t bytes;
	const char *const cells[] = { name,
				      role_word(server),
				      state_word(status, server),
				      timeline,
				      lag,
				      lease,
				      here ? guard_word(status->guard) : "",
				      notes };

	(void)snprintf(name, sizeof(name), "%s%s", cfg->nodes[i].name, here ? "*" : "");
	if (server->state == SERVER_PRIMARY || server->state == SERVER_STANDBY)
		(void)snprintf(timeline, sizeof(timeline), "%" PRIu32, server->timeline);
	if (server->state == SERVER_STANDBY && status_lag(status, &bytes))
		report_bytes(bytes, lag, sizeof(lag));
	if (here && status->lease.known)
		(void)snprintf(lease, sizeof(lease), status->lease.away_ms > 0 ? "%.1f s" : "over",
			       (double)status->lease.away_ms / 1000);
	notes_of(status, i, cfg, notes, sizeof(notes));
	table_row(table, cells);
}

static void witness_row(struct table *table, const struct status *status, const struct cfg *cfg)
{
	const char *const cells[] = { "w",
				      "witness",
				      cfg_witness_word(cfg),
				      "",
				      "",
				      "",
				      "",
				      status->witness == FACT_YES      ? "seen from here"
				      : status->witness_why[0] != '\0' ? status->witness_why
								       : "not seen" };

	table_row(table, cells);
}

static void print_verdict(const struct cfg *cfg, const struct verdict *verdict, FILE *out)
{
	if (verdict->outcome == OUT_YES)
		fprintf(out, "%s: OK  %s\n", cfg->name, verdict->message);
	else
		fprintf(out, "%s: %s  %s [%s]\n", cfg->name,
			verdict->outcome == OUT_NO ? "NOT OK" : "UNKNOWN", verdict->message,
			verdict->rule);
}

void status_screen(const struct status *status, const struct cfg *cfg,
		   const struct verdict *verdict, FILE *out)
{
	static const char *const heading[] = { "NODE", "ROLE",  "STATE", "TL",
					       "LAG",  "LEASE", "GUARD", "NOTES" };
	const struct status_forecast forecast = status_forecast(status, cfg);
	const bool on_a_node = status->vip == VIP_HERE || status->vip == VIP_PEER;
	const int primary = status_primary(status);
	struct table table = { .columns = ARRAY_COUNT(heading) };
	char pause[PAUSE_BY_MAX + PAUSE_WHY_MAX + 48];

	print_verdict(cfg, verdict, out);
	table_row(&table, heading);
	for (size_t i = 0; i < CFG_NODES; i++)
		node_row(&table, status, i, cfg);
	witness_row(&table, status, cfg);
	table_print(&table, out);
	fprintf(out, "%s mode, address %s/%" PRId64 " %s%s%s%s\n",
		cfg->mode == MODE_SYNC ? "sync" : "async", cfg->vip, cfg->vip_prefix,
		on_a_node ? "on " : "", status_vip_word(status->vip, cfg),
		status->vip_why[0] != '\0' ? ": " : "", status->vip_why);
	pause_words(&status->pause, pause, sizeof(pause));
	if (status->pause.runs == FACT_YES)
		fprintf(out, "takeovers are paused: %s\n", pause);
	if (primary < 0)
		fprintf(out, "forecast: none, no node is known to be the one primary\n");
	else
		fprintf(out, "if %s died now: %s\n", cfg->nodes[primary].name, forecast.text);
}
