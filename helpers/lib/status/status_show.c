/* SPDX-License-Identifier: PostgreSQL */
/* The table for people. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "node/attempt.h"
#include "slots/slots_show.h"
#include "status/status.h"
#include "status/status_show.h"

static void print_config(const struct status *status, const struct cfg *cfg, FILE *out)
{
	for (size_t i = 0; i < CFG_NODES; i++) {
		if (status->config[i].ignored == FACT_YES)
			fprintf(out, "%s takes no reload: %s\n", cfg->nodes[i].name,
				status->config[i].why);
		if (status->config[i].pending[0] != '\0')
			fprintf(out, "%s has settings that wait for a restart: %s\n",
				cfg->nodes[i].name, status->config[i].pending);
	}
}

/* Prints what has no column on the screen. */
static void print_servers(const struct status *status, const struct cfg *cfg, FILE *out)
{
	for (size_t i = 0; i < CFG_NODES; i++) {
		const struct server *server = &status->servers[i];
		char refusal[320], lsn[32];

		fprintf(out, "  %-13s %s", cfg->nodes[i].name, cfg->nodes[i].address);
		if (server->state == SERVER_PRIMARY || server->state == SERVER_STANDBY) {
			lsn_format(server->state == SERVER_PRIMARY ? server->write_lsn
								   : server->received_lsn,
				   lsn, sizeof(lsn));
			fprintf(out, ", PostgreSQL %" PRId64 ".%" PRId64 ", WAL %s %s",
				server->version_num / 10000, server->version_num % 10000,
				server->state == SERVER_PRIMARY ? "written to" : "received to",
				lsn);
		}
		fprintf(out, "\n");
		if (server->state != SERVER_REFUSES)
			continue;
		server_refusal(server->failure, server->why, cfg, refusal, sizeof(refusal));
		fprintf(out, "  %-13s refuses role %s: %s\n", "", cfg->role, refusal);
	}
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

static const char *yes_or_no(int track)
{
	return fact_word(track < 0 ? FACT_UNKNOWN : fact_of(track));
}

/* Prints what keepalived reads of this node. */
static void print_tracks(const struct status *status, const struct cfg *cfg, FILE *out)
{
	fprintf(out, "  %-13s ", "tells VRRP");
	if (status->serving < 0 && status->election < 0 && status->priority < 0) {
		fprintf(out, "nothing: no track files in %s\n", cfg->run_dir);
		return;
	}
	fprintf(out, "serving %s, stands for election %s, priority ", yes_or_no(status->serving),
		yes_or_no(status->election));
	if (status->priority < 0)
		fprintf(out, "unknown\n");
	else
		fprintf(out, "%d\n", status->priority);
}

static void print_kernel(const struct status *status, FILE *out)
{
	static const char *const words[KERNELS] = {
		[KERNEL_UNKNOWN] = "unknown",
		[KERNEL_OFF] = "not asked to, kernel_lease = no",
		[KERNEL_MISSING] = "does not enforce the lease: no table in nftables",
		[KERNEL_SHUT] = "lets no client in",
		[KERNEL_UNTIL] = "lets clients in",
		[KERNEL_OPEN] = "lets clients in without a time limit, as on a standby",
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

static void print_drill(const struct history_event *drill, FILE *out)
{
	if (drill->at[0] != '\0')
		fprintf(out, "  %-13s %s: %s\n", "last drill", drill->at, drill->detail);
}

static void age_words(int64_t age_ms, char *text, size_t size)
{
	int64_t seconds = age_ms / 1000;

	if (age_ms < 0)
		(void)snprintf(text, size, "some time");
	else if (seconds < 120)
		(void)snprintf(text, size, "%" PRId64 " s", seconds);
	else if (seconds < 7200)
		(void)snprintf(text, size, "%" PRId64 " min", seconds / 60);
	else
		(void)snprintf(text, size, "%" PRId64 " h", seconds / 3600);
}

static void print_attempt(const struct status *status, enum attempt attempt, FILE *out)
{
	char age[32];

	if (status->attempts[attempt].text[0] == '\0')
		return;
	age_words(status->attempts[attempt].age_ms, age, sizeof(age));
	fprintf(out, "  %-13s %s ago: %s\n", attempt_word(attempt), age,
		status->attempts[attempt].text);
}

void status_last_rejoin(const struct status *status, char *text, size_t size)
{
	const struct attempt_last *said = &status->attempts[ATTEMPT_REJOIN];
	char age[32];

	text[0] = '\0';
	if (said->text[0] == '\0' || said->answer == FACT_YES)
		return;
	age_words(said->age_ms, age, sizeof(age));
	(void)snprintf(text, size, "rejoin, %s ago: %.220s", age, said->text);
}

static void print_self(const struct status *status, const struct cfg *cfg, FILE *out)
{
	const struct server *local = &status->servers[cfg->self];
	char room[32];

	fprintf(out, "\nthis node, %s\n", cfg_self(cfg)->name);
	fprintf(out, "  %-13s %s\n", "guard", status_alive_word(status->guard));
	fprintf(out, "  %-13s %s", "keepalived", status_alive_word(status->keepalived));
	if (status->keepalived == FACT_NO && status->called.known)
		fprintf(out, ", or stands still: asked last %.1f s ago",
			-(double)status->called.away_ms / 1000);
	fprintf(out, ", election MASTER: %s\n", fact_word(status->election_master));
	print_tracks(status, cfg, out);
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
	if (local->state == SERVER_PRIMARY && pgdata_signal(status->form) != NULL)
		fprintf(out, "  %-13s %s/%s\n", "signal file", cfg->data_dir,
			pgdata_signal(status->form));
	if (status->room.full == FACT_YES) {
		report_bytes((uint64_t)status->room.free_bytes, room, sizeof(room));
		fprintf(out, "  %-13s full: %s free for the server\n", "disk", room);
	}
	fprintf(out, "  %-13s %s", "fenced", fact_word(status->fenced.present));
	if (status->fenced.present == FACT_YES)
		fprintf(out, ", by %s: %s%s", fenced_by_word(status->fenced.by),
			status->fenced.reason,
			status->fenced.lasts ? "" : "; only until this host is rebooted");
	fprintf(out, "\n");
	if (status->writable == FACT_NO)
		fprintf(out, "  %-13s %s\n", "unwritable", status->writable_why);
	if (status->withdrawn_mark != FACT_NO)
		fprintf(out, "  %-13s %s\n", "vote withdrawn", fact_word(status->withdrawn_mark));
	print_salvage(&status->salvage, out);
	print_drill(&status->drill, out);
	for (int i = 0; i < ATTEMPTS_SHOWN; i++)
		print_attempt(status, (enum attempt)i, out);
}

void status_print(const struct status *status, const struct cfg *cfg, const struct verdict *verdict,
		  FILE *out)
{
	status_screen(status, cfg, verdict, out);
	fprintf(out, "\nservers\n");
	print_servers(status, cfg, out);
	print_config(status, cfg, out);
	if (status->slots[0].known || status->slots[1].known) {
		fprintf(out, "\n");
		slots_print(status->slots, cfg, out);
	}
	if (cfg_has_record(cfg)) {
		fprintf(out, "\nrecord at the witness\n");
		record_print(&status->record, cfg, out);
	}
	print_self(status, cfg, out);
}
