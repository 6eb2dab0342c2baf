/* SPDX-License-Identifier: PostgreSQL */
/*
 * The data directory and the processes in it, in place of pgdata*.c and pgctl*.c; and what brings a
 * diverged directory back, which here always does.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "node/path.h"
#include "postgres/pgctl.h"
#include "postgres/pgdata.h"
#include "postgres/pgdata_room.h"
#include "postgres/recovery_target.h"
#include "postgres/server_log.h"
#include "postgres/server_sync.h"
#include "postgres/wal_place.h"
#include "rebuild/rebuild.h"
#include "rejoin/rejoin_peer.h"
#include "rejoin/rejoin_steps.h"
#include "rewind/rewind.h"
#include "sim.h"

FAKES(pgdata_forget_signals);
FAKES(pgdata_control);
FAKES(pgdata_postmaster);
FAKES(pgdata_started_ms);
FAKES(pgdata_single_user);
FAKES(pgdata_process);
FAKES(pgdata_processes);
FAKES(pgdata_make_standby);
FAKES(pgdata_take_restore_settings);
FAKES(pgdata_room);
FAKES(pgctl_stop);
FAKES(pgctl_start);
FAKES(wal_place_writable);
FAKES(recovery_target_of_files);
FAKES(recovery_target_of_local);
FAKES(server_log_mark);
FAKES(server_log_why);
FAKES(server_sync_settled);
FAKES(rewind_wal_kept);
FAKES(rewind_has_archive);
FAKES(rebuild_swapping);
FAKES(rebuild_tidy);
FAKES(rejoin_rewind);
FAKES(our_history);
FAKES(peer_history);

static struct fake_server *server_of(const struct cfg *cfg)
{
	return &servers[node_of(cfg)];
}

/* ---- files of the directory ---- */

int FAKE(pgdata_forget_signals)(const struct cfg *cfg)
{
	sim_effect("signal file");
	file_forget(file_data(cfg, "standby.signal").text);
	return 0;
}

void FAKE(pgdata_control)(struct pgdata_control *control, const struct cfg *cfg,
			  const struct deadline *dl)
{
	static const char *const words[] = { "starting up",           "shut down",
					     "shut down in recovery", "shutting down",
					     "in crash recovery",     "in archive recovery",
					     "in production" };
	const struct fake_server *s = server_of(cfg);
	const int state = server_state_of(node_of(cfg));
	const struct line *last = &s->wal.lines[s->wal.count - 1];

	(void)dl;
	sim_pass(chance_between(MS(2), MS(20)));
	*control = (struct pgdata_control){
		.known = true,
		.system_identifier = SYSTEM,
		.shut_down = state == 1 || state == 2,
		.recovering = state == 2,
		.in_production = state == 6,
		.in_recovery = state == 5,
		.timeline = last->number,
		.checkpoint_lsn = s->checkpoint,
		.checksums = true,
	};
	(void)snprintf(control->state, sizeof(control->state), "%s", words[state]);
	if (state == 2 || state == 5) {
		control->min_recovery_lsn = last->end;
		control->min_recovery_timeline = last->number;
	}
}

int FAKE(pgdata_make_standby)(const struct cfg *cfg, const char *conninfo, bool overrule)
{
	struct fake_server *s = server_of(cfg);

	(void)overrule;
	sim_effect("make standby");
	(void)snprintf(s->conninfo_file, sizeof(s->conninfo_file), "%s", conninfo);
	file_put(file_data(cfg, "standby.signal").text, "");
	return 0;
}

int FAKE(pgdata_take_restore_settings)(const struct cfg *cfg, char *taken, size_t size)
{
	(void)cfg;
	(void)size;
	taken[0] = '\0';
	return 0;
}

struct pgdata_room FAKE(pgdata_room)(const struct cfg *cfg)
{
	(void)cfg;
	return (struct pgdata_room){ .full = FACT_NO, .free_bytes = -1 };
}

/* ---- processes ---- */

int FAKE(pgdata_postmaster)(const struct cfg *cfg, pid_t *pid)
{
	const struct fake_server *s = server_of(cfg);

	if (s->phase == SERVER_IS_DOWN)
		return -ENOENT;
	*pid = s->pid;
	return fd_open(FD_PIDFD, node_of(cfg), s->incarnation, NULL, 0);
}

int64_t FAKE(pgdata_started_ms)(const struct cfg *cfg)
{
	const struct fake_server *s = server_of(cfg);

	if (s->phase == SERVER_IS_DOWN)
		return -ENOENT;
	return (s->started_us - nodes[node_of(cfg)].booted_us) / 1000 + 10;
}

int FAKE(pgdata_single_user)(const struct cfg *cfg)
{
	(void)cfg;
	return 0;
}

int FAKE(pgdata_process)(const struct cfg *cfg, pid_t pid)
{
	(void)cfg;
	(void)pid;
	return -ENOENT;
}

int FAKE(pgdata_processes)(const struct cfg *cfg, pid_t *pids, size_t max)
{
	const struct fake_server *s = server_of(cfg);

	sim_pass(500);
	if (s->phase == SERVER_IS_DOWN)
		return 0;
	if (max > 0)
		pids[0] = s->pid;
	return 1;
}

int FAKE(pgctl_stop)(const struct cfg *cfg, const struct pgctl_stop *stop,
		     const struct deadline *dl, const char **how)
{
	struct fake_server *s = server_of(cfg);
	const char *way = stop->immediate_ms > 0 ? "immediate" : "killed";
	int64_t ms = chance_between(1, 60);

	(void)dl;
	sim_effect("stop");
	*how = "not running";
	if (s->phase == SERVER_IS_DOWN)
		return 0;
	if (stop->fast_ms > 0) {
		way = "fast";
		ms = chance_between(20, 200);
	}
	sim_pass(MS(ms));
	*how = way;
	server_end(node_of(cfg), way);
	return 0;
}

int FAKE(pgctl_start)(const struct cfg *cfg, const struct deadline *dl)
{
	struct fake_server *s = server_of(cfg);

	sim_effect("start");
	server_start(node_of(cfg));
	while (s->phase == SERVER_BEGINS) {
		if (deadline_passed(dl))
			return 0;
		sim_pass(MS(20));
	}
	return s->phase == SERVER_RUNS ? 0 : -ECHILD;
}

enum fact FAKE(wal_place_writable)(const struct cfg *cfg, char *why, size_t size)
{
	(void)cfg;
	(void)size;
	why[0] = '\0';
	return FACT_YES;
}

enum fact FAKE(recovery_target_of_files)(char *what, size_t size, const struct cfg *cfg,
					 const struct deadline *dl)
{
	(void)size;
	(void)cfg;
	(void)dl;
	what[0] = '\0';
	return FACT_NO;
}

enum fact FAKE(recovery_target_of_local)(char *what, size_t size, const struct cfg *cfg,
					 const struct deadline *dl)
{
	return FAKE(recovery_target_of_files)(what, size, cfg, dl);
}

void FAKE(server_log_mark)(struct server_log *log, const struct cfg *cfg)
{
	(void)cfg;
	memset(log, 0, sizeof(*log));
}

void FAKE(server_log_why)(const struct server_log *log, const struct cfg *cfg, char *why,
			  size_t size)
{
	(void)log;
	(void)cfg;
	(void)size;
	why[0] = '\0';
}

/* The real one finds this out by three looks at the checkpointer. */
enum fact FAKE(server_sync_settled)(const struct cfg *cfg, const char *names,
				    const struct deadline *dl)
{
	const struct fake_server *s = server_of(cfg);

	(void)dl;
	sim_effect("ask whether sync is settled");
	if (s->phase != SERVER_RUNS)
		return FACT_UNKNOWN;
	if (strcmp(s->names, names) != 0)
		return FACT_NO;
	return s->sync ? FACT_YES : FACT_UNKNOWN;
}

/* ---- a directory that diverged ---- */

enum fact FAKE(rewind_wal_kept)(const struct cfg *cfg)
{
	(void)cfg;
	return FACT_NO;
}

bool FAKE(rewind_has_archive)(const struct cfg *cfg, const struct deadline *dl)
{
	(void)cfg;
	(void)dl;
	return false;
}

enum fact FAKE(rebuild_swapping)(const struct cfg *cfg)
{
	(void)cfg;
	return FACT_NO;
}

void FAKE(rebuild_tidy)(const struct cfg *cfg, const struct deadline *dl)
{
	(void)cfg;
	(void)dl;
}

/* Stops a standby; takes the other node's data; makes a standby of it. */
bool FAKE(rejoin_rewind)(struct rejoin *r, struct verdict *verdict)
{
	const int node = node_of(r->cfg);

	if (servers[node].phase != SERVER_IS_DOWN) {
		server_end(node, "fast");
		return true;
	}
	sim_effect("rewind");
	sim_pass(MS(chance_between(100, 800)));
	if (!server_is_primary(1 - node) || !link_up[node][1 - node] || !link_up[1 - node][node])
		return rejoin_fail(verdict, OUT_INCOMPLETE, "rewind-failed", "pg_rewind failed",
				   -EIO);
	server_rewind(node);
	told(node, "rejoin", "rewinds to %s", node_name(1 - node));
	return rejoin_follow(r, verdict);
}

static int history_of(struct history_file *history, const struct wal *wal)
{
	history->count = 0;
	for (int i = 0; i < wal->count; i++)
		history->entries[history->count++] = (struct history_entry){
			.timeline = wal->lines[i].number,
			.begin = i > 0 ? wal->lines[i - 1].end : 0,
			.end = i + 1 < wal->count ? wal->lines[i].end : HISTORY_FILE_OPEN,
		};
	return 0;
}

int FAKE(our_history)(struct history_file *history, const struct cfg *cfg, uint32_t timeline)
{
	(void)timeline;
	return history_of(history, &server_of(cfg)->wal);
}

int FAKE(peer_history)(struct history_file *history, const struct cfg *cfg, uint32_t timeline,
		       const struct deadline *dl)
{
	const int node = node_of(cfg), peer = 1 - node;

	(void)timeline;
	(void)dl;
	history->count = 0;
	sim_pass(MS(chance_between(1, 20)));
	if (servers[peer].phase != SERVER_RUNS || !link_up[node][peer] || !link_up[peer][node])
		return -ETIMEDOUT;
	return history_of(history, &servers[peer].wal);
}
