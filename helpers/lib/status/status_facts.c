/* SPDX-License-Identifier: PostgreSQL */
/* Draws the facts from what was seen: no clock, no file, no question. */
#include <inttypes.h>
#include <string.h>

#include "base/outcome.h"
#include "node/attempt.h"
#include "node/track.h"
#include "postgres/server_sync.h"
#include "status/status.h"

static bool speaks(const struct server *server)
{
	return server->state == SERVER_PRIMARY || server->state == SERVER_STANDBY;
}

/* Or it has said what it is. */
static bool late(const struct server *server)
{
	return server->state != SERVER_UNKNOWN || server->failure == PG_FAIL_LATE;
}

static const struct server *only(const struct status *status, enum server_state state)
{
	const struct server *a = &status->servers[0];
	const struct server *b = &status->servers[1];

	if ((a->state == state) == (b->state == state))
		return NULL;
	return a->state == state ? a : b;
}

int status_primary(const struct status *status)
{
	const struct server *primary = only(status, SERVER_PRIMARY);

	return primary == NULL ? -1 : (int)(primary - status->servers);
}

bool status_lag(const struct status *status, uint64_t *bytes)
{
	const struct server *primary = only(status, SERVER_PRIMARY);
	const struct server *standby = only(status, SERVER_STANDBY);

	*bytes = 0;
	if (primary == NULL || standby == NULL)
		return false;
	if (primary->write_lsn > standby->received_lsn)
		*bytes = primary->write_lsn - standby->received_lsn;
	return true;
}

/* Either side may know that it is over; both may believe for a moment that it goes on. */
static enum fact streaming(const struct server *primary, const struct server *standby)
{
	if ((primary != NULL && !primary->peer_streams) || (standby != NULL && !standby->receiving))
		return FACT_NO;
	return primary == NULL && standby == NULL ? FACT_UNKNOWN : FACT_YES;
}

static bool runs(const struct status_stamp *stamp)
{
	return stamp->known && stamp->away_ms > 0;
}

/* An element without an end is a standby's; on a primary it enforces nothing. */
static enum fact kernel_lease(const struct status *status, const struct server *local)
{
	if (status->kernel == KERNEL_UNKNOWN)
		return FACT_UNKNOWN;
	return fact_of(status->kernel != KERNEL_MISSING &&
		       !(status->kernel == KERNEL_OPEN && local->state == SERVER_PRIMARY));
}

/* Beside a primary that runs; of what is down, rejoin says what the file means. */
static enum fact signal_file(const struct status *status, const struct server *local)
{
	if (local->state != SERVER_PRIMARY)
		return FACT_NO;
	if (status->form == PGDATA_UNKNOWN || status->form == PGDATA_MISSING)
		return FACT_UNKNOWN;
	return fact_of(pgdata_signal(status->form) != NULL);
}

static enum fact undelayed(const struct server_replay *replay)
{
	return replay->known ? fact_of(replay->apply_delay[0] == '\0') : FACT_UNKNOWN;
}

/* One file with an error is enough; to know that there is none, both have to say so. */
static enum fact reloads(const struct status *status)
{
	bool known = true;

	for (size_t i = 0; i < CFG_NODES; i++) {
		if (status->config[i].ignored == FACT_YES)
			return FACT_NO;
		known = known && status->config[i].ignored == FACT_NO;
	}
	return known ? FACT_YES : FACT_UNKNOWN;
}

/* Both, because either may be started as the primary. */
static enum fact sync_late(const struct server *local, const struct server *peer)
{
	const bool late = (speaks(local) && server_sync_late(local->version_num)) ||
			  (speaks(peer) && server_sync_late(peer->version_num));

	if (!late && !(speaks(local) && speaks(peer)))
		return FACT_UNKNOWN;
	return fact_of(late);
}

static bool record_speaks(const struct status *status)
{
	return status->record.trust == RECORD_GOOD;
}

/* A record that cannot be trusted says nothing; that much is known, unless nobody answered. */
static void take_record(struct status_facts *f, const struct status *status, const struct cfg *cfg)
{
	const struct record *record = &status->record.record;
	const int primary = status_primary(status);

	f->has_record = cfg_has_record(cfg);
	if (!f->has_record) {
		f->paused = status->pause.runs;
		return;
	}
	if (status->record.trust != RECORD_SILENT && status->record.trust != RECORD_UNPROVEN)
		f->record_trusted = fact_of(record_speaks(status));
	if (!record_speaks(status))
		return;
	f->record_paired = fact_of(record->paired);
	if (record->paused || status->pause.runs != FACT_UNKNOWN)
		f->paused = fact_of(record->paused || status->pause.runs == FACT_YES);
	if (primary >= 0)
		f->record_names_primary =
		    fact_of(strcmp(record->holder, cfg->nodes[primary].name) == 0);
}

/* The record says that only the primary may serve, and its server goes on waiting. */
static bool commits_wait(const struct status *status, const struct status_facts *f)
{
	const int primary = status_primary(status);

	return primary >= 0 && f->mode_sync && f->has_record && f->record_paired == FACT_NO &&
	       status->config[primary].ignored == FACT_YES &&
	       status->servers[primary].sync_names[0] != '\0' &&
	       !status->servers[primary].peer_sync;
}

struct status_facts status_facts_of(const struct status *status, const struct cfg *cfg)
{
	const struct server *local = &status->servers[cfg->self];
	const struct server *peer = &status->servers[1 - cfg->self];
	const struct server *primary = only(status, SERVER_PRIMARY);
	const struct server *standby = only(status, SERVER_STANDBY);
	struct status_facts f = {
		.local = local->state,
		.peer = peer->state,
		.only_late = late(local) && late(peer),
		.more_late = status->late,
		.witness_late = status->witness_late,
		.streaming = streaming(primary, standby),
		.vanishes = status->flow.vanishes,
		.rights = status->rights.take_over,
		.own_connect = status->rights.own_connect,
		.reloads = reloads(status),
		.mode_sync = cfg->mode == MODE_SYNC,
		.writable = status->writable,
		.sync_late = sync_late(local, peer),
		.signal_file = signal_file(status, local),
		.disk_full = status->room.full,
		.fenced = status->fenced.present,
		.lease_runs = fact_of(runs(&status->lease) || runs(&status->grant)),
		.leased = status->leased,
		.says_serving = fact_of(status->serving == TRACK_YES),
		.keepalived = status->keepalived,
		.guard = status->guard,
		.kernel_lease = kernel_lease(status, local),
		.watchdog = fact_of(!status->watchdog_missing),
		/* Not tested yet, or no way is configured: it says nothing. */
		.could_fence = status->attempts[ATTEMPT_FENCE_TEST].answer,
		.could_return = status->attempts[ATTEMPT_REJOIN_CHECK].answer,
		.witness = status->witness,
		.vip = status->vip,
	};
	uint64_t lag;

	if (speaks(local) && speaks(peer))
		f.same_system = fact_of(local->system_identifier == peer->system_identifier);
	if (primary != NULL) {
		f.read_only = fact_of(primary->read_only);
		f.sync_held = fact_of(primary->peer_sync);
		f.sync_bypass = fact_of(primary->sync_bypass > 0);
	}
	if (standby != NULL) {
		f.withdrawn = fact_of(standby->withdrawn);
		f.replay_paused = fact_of(standby->replay_paused);
		f.undelayed = undelayed(&status->replay[standby - status->servers]);
	}
	take_record(&f, status, cfg);
	f.commits_wait = commits_wait(status, &f);
	status_slots_facts(&f, status, cfg, status_primary(status));
	if (status_lag(status, &lag))
		f.fresh = fact_of(f.mode_sync || lag <= (uint64_t)cfg->max_lag_bytes);
	return f;
}
