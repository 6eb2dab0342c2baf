/* SPDX-License-Identifier: PostgreSQL */
/* The same for scripts.  Keys are an interface: they are added to, never renamed.  What is not
 * known is null. */
#include <inttypes.h>
#include <stdio.h>

#include "slots/slots_show.h"
#include "status/status.h"
#include "status/status_show.h"

static void put_fact(struct json *json, const char *key, enum fact fact)
{
	if (fact == FACT_UNKNOWN)
		json_null(json, key);
	else
		json_bool(json, key, fact == FACT_YES);
}

static void put_lsn(struct json *json, const char *key, uint64_t lsn)
{
	char text[32];

	lsn_format(lsn, text, sizeof(text));
	json_text(json, key, lsn != 0 ? text : NULL);
}

static void put_text(struct json *json, const char *key, const char *text)
{
	json_text(json, key, text[0] != '\0' ? text : NULL);
}

static void put_primary(struct json *json, const struct server *server)
{
	put_lsn(json, "write_lsn", server->write_lsn);
	json_bool(json, "read_only", server->read_only);
	json_bool(json, "standby_streams", server->peer_streams);
	json_bool(json, "standby_sync", server->peer_sync);
	put_lsn(json, "standby_flush_lsn", server->peer_flush_lsn);
	json_text(json, "synchronous_standby_names", server->sync_names);
	json_number(json, "synchronous_commit_bypassed", server->sync_bypass);
}

static void put_replay(struct json *json, const struct server_replay *replay)
{
	if (!replay->known)
		return;
	put_text(json, "recovery_min_apply_delay", replay->apply_delay);
	json_bool(json, "replay_held_by_sessions", replay->held);
	json_bool(json, "restore_command_at_work", replay->restoring);
}

static void put_standby(struct json *json, const struct status *status, const struct server *server)
{
	uint64_t lag;

	put_lsn(json, "received_lsn", server->received_lsn);
	put_lsn(json, "replayed_lsn", server->replayed_lsn);
	if (status_lag(status, &lag))
		json_number(json, "lag_bytes", (int64_t)lag);
	else
		json_null(json, "lag_bytes");
	json_bool(json, "receiving", server->receiving);
	put_fact(json, "sent_wal_vanishes", status->flow.vanishes);
	if (status->flow.path_known)
		json_number(json, "path_mtu", status->flow.path.mtu);
	else
		json_null(json, "path_mtu");
	json_bool(json, "replay_paused", server->replay_paused);
	json_bool(json, "vote_withdrawn", server->withdrawn);
	put_replay(json, &status->replay[server - status->servers]);
}

static void put_node(struct json *json, const struct status *status, const struct cfg *cfg,
		     size_t i)
{
	const struct server *server = &status->servers[i];
	char identifier[24];

	json_object(json, NULL);
	json_text(json, "name", cfg->nodes[i].name);
	json_text(json, "address", cfg->nodes[i].address);
	json_bool(json, "self", i == cfg->self);
	json_text(json, "state", server_state_word(server->state));
	put_text(json, "why", server->why);
	if (server->state == SERVER_PRIMARY || server->state == SERVER_STANDBY) {
		/* Too large for a number in JSON. */
		(void)snprintf(identifier, sizeof(identifier), "%" PRIu64,
			       server->system_identifier);
		json_text(json, "system_identifier", identifier);
		json_number(json, "version_num", server->version_num);
		json_text(json, "data_directory", server->data_dir);
		json_number(json, "timeline", server->timeline);
	}
	if (server->state == SERVER_PRIMARY)
		put_primary(json, server);
	if (server->state == SERVER_STANDBY)
		put_standby(json, status, server);
	put_fact(json, "configuration_error", status->config[i].ignored);
	put_text(json, "configuration_why", status->config[i].why);
	put_text(json, "pending_restart", status->config[i].pending);
	slots_print_json(json, &status->slots[i], cfg, i);
	json_close_object(json);
}

static void put_stamp(struct json *json, const char *key, const struct status_stamp *stamp,
		      bool ahead)
{
	if (stamp->known)
		json_number(json, key, ahead ? stamp->away_ms : -stamp->away_ms);
	else
		json_null(json, key);
}

static void put_track(struct json *json, const char *key, int value)
{
	if (value >= 0)
		json_number(json, key, value);
	else
		json_null(json, key);
}

static void put_salvage(struct json *json, const struct salvage *salvage)
{
	if (salvage->path.text[0] == '\0') {
		json_null(json, "last_salvage");
		return;
	}
	json_object(json, "last_salvage");
	json_text(json, "path", salvage->path.text);
	json_number(json, "transactions", salvage->transactions);
	json_number(json, "prepared", salvage->prepared);
	json_number(json, "bytes", salvage->bytes);
	put_lsn(json, "fork_lsn", salvage->fork);
	json_bool(json, "complete", salvage->whole);
	json_close_object(json);
}

static void put_drill(struct json *json, const struct history_event *drill)
{
	if (drill->at[0] == '\0') {
		json_null(json, "last_drill");
		return;
	}
	json_object(json, "last_drill");
	json_text(json, "at", drill->at);
	json_text(json, "detail", drill->detail);
	json_close_object(json);
}

static void put_self(struct json *json, const struct status *status, const struct cfg *cfg)
{
	json_object(json, "this_node");
	json_text(json, "name", cfg_self(cfg)->name);
	put_fact(json, "guard_alive", status->guard);
	put_fact(json, "keepalived_alive", status->keepalived);
	put_stamp(json, "keepalived_asked_ago_ms", &status->called, false);
	put_fact(json, "election_master", status->election_master);
	put_track(json, "serving", status->serving);
	put_track(json, "election", status->election);
	put_track(json, "priority", status->priority);
	put_stamp(json, "lease_left_ms", &status->lease, true);
	put_text(json, "lease_by", status->lease.word);
	put_stamp(json, "grant_left_ms", &status->grant, true);
	json_text(json, "kernel_lease", status_kernel_word(status->kernel));
	if (status->kernel == KERNEL_UNTIL)
		json_number(json, "kernel_lease_left_ms", status->kernel_left_ms);
	else
		json_null(json, "kernel_lease_left_ms");
	put_text(json, "watchdog", status->watchdog);
	put_stamp(json, "primary_seen_ago_ms", &status->seen, false);
	put_stamp(json, "streamed_ago_ms", &status->streaming, false);
	put_text(json, "signal_file",
		 pgdata_signal(status->form) != NULL ? pgdata_signal(status->form) : "");
	put_fact(json, "disk_full", status->room.full);
	if (status->room.free_bytes >= 0)
		json_number(json, "disk_free_bytes", status->room.free_bytes);
	else
		json_null(json, "disk_free_bytes");
	put_fact(json, "fenced", status->fenced.present);
	put_text(json, "fenced_by",
		 status->fenced.present == FACT_YES ? fenced_by_word(status->fenced.by) : "");
	put_text(json, "fenced_reason", status->fenced.reason);
	put_fact(json, "writable", status->writable);
	put_fact(json, "fenced_lasts",
		 status->fenced.present == FACT_YES ? fact_of(status->fenced.lasts) : FACT_UNKNOWN);
	put_fact(json, "withdrawn_mark", status->withdrawn_mark);
	put_fact(json, "witness_host_knew_peer", status->baseline);
	put_salvage(json, &status->salvage);
	put_drill(json, &status->drill);
	json_object(json, "last_attempts");
	for (int i = 0; i < ATTEMPTS_SHOWN; i++)
		put_text(json, attempt_word((enum attempt)i), status->attempts[i].text);
	json_close_object(json);
	json_close_object(json);
}

static void put_pause(struct json *json, const struct pause *pause)
{
	json_object(json, "pause");
	put_fact(json, "runs", pause->runs);
	if (pause->runs == FACT_YES)
		json_number(json, "left_ms", pause->left_ms);
	else
		json_null(json, "left_ms");
	put_text(json, "by", pause->runs == FACT_YES ? pause->by : "");
	put_text(json, "why", pause->runs == FACT_YES ? pause->why : "");
	json_close_object(json);
}

void status_print_json(const struct status *status, const struct cfg *cfg,
		       const struct verdict *verdict, FILE *out)
{
	const struct status_forecast forecast = status_forecast(status, cfg);
	struct json json;

	json_begin(&json, out);
	json_text(&json, "cluster", cfg->name);
	json_text(&json, "mode", cfg->mode == MODE_SYNC ? "sync" : "async");
	json_text(&json, "outcome", outcome_word(verdict->outcome));
	json_text(&json, "rule", verdict->rule);
	json_text(&json, "message", verdict->message);
	json_text(&json, "hint", verdict->hint);
	json_object(&json, "vip");
	json_text(&json, "address", cfg->vip);
	json_text(&json, "on",
		  status->vip == VIP_UNKNOWN ? NULL : status_vip_word(status->vip, cfg));
	put_text(&json, "why", status->vip_why);
	json_close_object(&json);
	json_object(&json, "witness");
	json_text(&json, "kind", cfg_witness_word(cfg));
	json_text(&json, "address", cfg->witness_address);
	put_fact(&json, "seen", status->witness);
	put_text(&json, "why", status->witness == FACT_YES ? "" : status->witness_why);
	json_close_object(&json);
	if (cfg_has_record(cfg))
		record_print_json(&json, &status->record, cfg);
	else
		json_null(&json, "record");
	put_pause(&json, &status->pause);
	json_array(&json, "nodes");
	for (size_t i = 0; i < CFG_NODES; i++)
		put_node(&json, status, cfg, i);
	json_close_array(&json);
	put_self(&json, status, cfg);
	json_object(&json, "forecast");
	put_fact(&json, "takes_over", forecast.takes_over);
	json_text(&json, "text", forecast.text);
	json_close_object(&json);
	json_end(&json);
}
