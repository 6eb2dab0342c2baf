/* SPDX-License-Identifier: PostgreSQL */
/* The table for people. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "slots/slots_show.h"
#include "status/status.h"
#include "status/status_show.h"

const char *status_vip_word(enum status_vip vip, const struct cfg *cfg)
{
	switch (vip) {
	case VIP_HERE:
		return cfg_self(cfg)->name;
	case VIP_PEER:
		return cfg_peer(cfg)->name;
	case VIP_ELSEWHERE:
		return "elsewhere";
	case VIP_NOBODY:
		return "nowhere";
	case VIP_UNKNOWN:
	case VIP_WHERES:
	default:
		return "unknown";
	}
}

const char *status_kernel_word(enum status_kernel kernel)
{
	static const char *const words[KERNELS] = {
		[KERNEL_OFF] = "off",     [KERNEL_MISSING] = "missing", [KERNEL_SHUT] = "shut",
		[KERNEL_UNTIL] = "until", [KERNEL_OPEN] = "open",
	};

	return kernel < KERNELS ? words[kernel] : NULL;
}

/* Appends to text, with a comma between. */
static void note(char *text, size_t size, const char *what)
{
	const size_t used = strlen(text);

	(void)snprintf(text + used, size - used, "%s%s", used > 0 ? ", " : "", what);
}

static void notes_of(const struct server *server, const struct cfg *cfg, char *text, size_t size)
{
	text[0] = '\0';
	if (server->state == SERVER_PRIMARY) {
		if (server->read_only)
			note(text, size, "read-only");
		note(text, size,
		     !server->peer_streams ? "the standby does not stream"
		     : server->peer_sync   ? "the standby streams, synchronous"
					   : "the standby streams");
		if (cfg->mode == MODE_SYNC && server->sync_bypass > 0)
			note(text, size, "synchronous_commit is gone around");
	} else if (server->state == SERVER_STANDBY) {
		note(text, size, server->receiving ? "streams" : "does not stream");
		if (server->withdrawn)
			note(text, size, "vote withdrawn");
		if (server->replay_paused)
			note(text, size, "replay paused");
	} else {
		note(text, size, server->why);
	}
}

static void print_nodes(const struct status *status, const struct cfg *cfg, FILE *out)
{
	static const char *const heading[] = { "NODE",     "ADDRESS", "SERVER", "VERSION",
					       "TIMELINE", "WAL",     "LAG",    "NOTES" };
	struct table table = { .columns = ARRAY_COUNT(heading) };

	table_row(&table, heading);
	for (size_t i = 0; i < CFG_NODES; i++) {
		const struct server *server = &status->servers[i];
		const bool up = server->state == SERVER_PRIMARY || server->state == SERVER_STANDBY;
		char name[CFG_NAME_MAX + 2], version[24] = "", timeline[16] = "", lsn[32] = "",
					     lag[32] = "", notes[192];
		uint64_t bytes;
		const char *const cells[] = { name,
					      cfg->nodes[i].address,
					      server_state_word(server->state),
					      version,
					      timeline,
					      lsn,
					      lag,
					      notes };

		(void)snprintf(name, sizeof(name), "%s%s", cfg->nodes[i].name,
			       i == cfg->self ? "*" : "");
		if (up) {
			(void)snprintf(version, sizeof(version), "%" PRId64 ".%" PRId64,
				       server->version_num / 10000, server->version_num % 10000);
			(void)snprintf(timeline, sizeof(timeline), "%" PRIu32, server->timeline);
			lsn_format(server->state == SERVER_PRIMARY ? server->write_lsn
								   : server->received_lsn,
				   lsn, sizeof(lsn));
		}
		if (server->state == SERVER_STANDBY && status_lag(status, &bytes))
			report_bytes(bytes, lag, sizeof(lag));
		notes_of(server, cfg, notes, sizeof(notes));
		table_row(&table, cells);
	}
	table_print(&table, out);
}

/* How long a right still lasts, or since when something was not seen. */
static void print_stamp(FILE *out, const char *what, const struct status_stamp *stamp)
{
	const double seconds = (double)stamp->away_ms / 1000;

	if (!stamp->known)
		return;
	if (stamp->away_ms > 0)
		fprintf(out, "  %-13s %.1f s left%s%s\n", what, seconds,
			stamp->word[0] != '\0' ? ", by " : "", stamp->word);
	else
		fprintf(out, "  %-13s %.1f s ago\n", what, -seconds);
}

static void print_tracks(const struct status *status, FILE *out)
{
	const struct {
		const char *name;
		int value;
	} tracks[] = { { "serving", status->serving },
		       { "election", status->election },
		       { "priority", status->priority } };

	fprintf(out, "  %-13s", "track files");
	for (size_t i = 0; i < ARRAY_COUNT(tracks); i++) {
		fprintf(out, "%s %s ", i > 0 ? "," : "", tracks[i].name);
		if (tracks[i].value < 0)
			fprintf(out, "missing or garbage");
		else
			fprintf(out, "%d", tracks[i].value);
	}
	fprintf(out, "\n");
}

static void print_kernel(const struct status *status, FILE *out)
{
	static const char *const words[KERNELS] = {
		[KERNEL_UNKNOWN] = "unknown",
		[KERNEL_OFF] = "not asked to, kernel_lease = no",
		[KERNEL_MISSING] = "does not enforce the lease: no table in nftables",
		[KERNEL_SHUT] = "lets no client in",
		[KERNEL_UNTIL] = "lets clients in",
		[KERNEL_OPEN] = "lets clients in, without an end",
	};

	fprintf(out, "  %-13s %s", "kernel", status->kernel < KERNELS ? words[status->kernel] : "");
	if (status->kernel == KERNEL_UNTIL)
		fprintf(out, " for %.1f s", (double)status->kernel_left_ms / 1000);
	fprintf(out, "\n");
}

static void print_salvage(const struct salvage *salvage, FILE *out)
{
	if (salvage->path.text[0] != '\0')
		fprintf(out, "  %-13s %" PRId64 " transactions at %s%s\n", "salvaged",
			salvage->transactions, salvage->path.text,
			salvage->whole ? "" : ", not all could be read");
}

static void print_self(const struct status *status, const struct cfg *cfg, FILE *out)
{
	const struct server *local = &status->servers[cfg->self];

	fprintf(out, "\nthis node, %s\n", cfg_self(cfg)->name);
	fprintf(out, "  %-13s %s\n", "guard", status_alive_word(status->guard));
	fprintf(out, "  %-13s %s, election MASTER: %s\n", "keepalived",
		status_alive_word(status->keepalived), fact_word(status->election_master));
	print_tracks(status, out);
	print_stamp(out, status->lease.away_ms > 0 ? "lease" : "lease ended", &status->lease);
	if (status->grant.away_ms > 0)
		print_stamp(out, "grant", &status->grant);
	print_kernel(status, out);
	fprintf(out, "  %-13s %s\n", "watchdog",
		status->watchdog[0] != '\0' ? status->watchdog : "unknown");
	if (local->state != SERVER_PRIMARY) {
		print_stamp(out, "primary seen", &status->seen);
		print_stamp(out, "streamed", &status->streaming);
	}
	fprintf(out, "  %-13s %s", "fenced", fact_word(status->fenced.present));
	if (status->fenced.present == FACT_YES)
		fprintf(out, ", by %s: %s", status->fenced.by[0] != '\0' ? status->fenced.by : "-",
			status->fenced.reason);
	fprintf(out, "\n");
	if (status->withdrawn_mark != FACT_NO)
		fprintf(out, "  %-13s %s\n", "vote withdrawn", fact_word(status->withdrawn_mark));
	print_salvage(&status->salvage, out);
	for (int i = 0; i < ATTEMPTS; i++) {
		if (status->attempts[i][0] != '\0')
			fprintf(out, "  %-13s %s\n", status_attempt_word((enum status_attempt)i),
				status->attempts[i]);
	}
}

static void print_heading(const struct status *status, const struct cfg *cfg, FILE *out)
{
	const bool on_a_node = status->vip == VIP_HERE || status->vip == VIP_PEER;

	fprintf(out, "cluster %s, mode %s\n", cfg->name, cfg->mode == MODE_SYNC ? "sync" : "async");
	fprintf(out, "  %-13s %s/%" PRId64 " %s%s%s%s\n", "address", cfg->vip, cfg->vip_prefix,
		on_a_node ? "on " : "", status_vip_word(status->vip, cfg),
		status->vip_why[0] != '\0' ? ": " : "", status->vip_why);
	fprintf(out, "  %-13s %s %s: %s\n\n", "witness", cfg_witness_word(cfg),
		cfg->witness_address,
		status->witness == FACT_YES ? "seen from here" : status->witness_why);
}

void status_print(const struct status *status, const struct cfg *cfg, FILE *out)
{
	const struct status_forecast forecast = status_forecast(status, cfg);
	const int primary = status_primary(status);

	print_heading(status, cfg, out);
	print_nodes(status, cfg, out);
	if (status->slots[0].known || status->slots[1].known) {
		fprintf(out, "\n");
		slots_print(status->slots, cfg, out);
	}
	if (cfg_has_record(cfg)) {
		fprintf(out, "\nrecord at the witness\n");
		record_print(&status->record, cfg, out);
	}
	print_self(status, cfg, out);
	fprintf(out, "\nif %s died now: %s\n",
		primary < 0 ? "the primary" : cfg->nodes[primary].name, forecast.text);
}
