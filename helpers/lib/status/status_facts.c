/* SPDX-License-Identifier: PostgreSQL */
/* What follows from what was seen; no clock, no file, no question. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "status/status.h"

static bool speaks(const struct server *server)
{
	return server->state == SERVER_PRIMARY || server->state == SERVER_STANDBY;
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

static bool record_speaks(const struct status *status)
{
	return status->record.trust == RECORD_GOOD;
}

/* What cannot be trusted says nothing; that it cannot is known, unless nobody answered. */
static void take_record(struct status_facts *f, const struct status *status, const struct cfg *cfg)
{
	const struct record *record = &status->record.record;
	const int primary = status_primary(status);

	f->has_record = cfg_has_record(cfg);
	if (!f->has_record)
		return;
	if (status->record.trust != RECORD_SILENT && status->record.trust != RECORD_UNPROVEN)
		f->record_trusted = fact_of(record_speaks(status));
	if (!record_speaks(status))
		return;
	f->record_paired = fact_of(record->paired);
	f->record_paused = fact_of(record->paused);
	if (primary >= 0)
		f->record_names_primary =
		    fact_of(strcmp(record->holder, cfg->nodes[primary].name) == 0);
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
		.streaming = streaming(primary, standby),
		.rights = status->rights,
		.mode_sync = cfg->mode == MODE_SYNC,
		.fenced = status->fenced.present,
		.lease_runs = fact_of(runs(&status->lease) || runs(&status->grant)),
		.says_serving = fact_of(status->serving == TRACK_YES),
		.keepalived = status->keepalived,
		.guard = status->guard,
		.kernel_lease = kernel_lease(status, local),
		.watchdog = fact_of(!status->watchdog_missing),
		.could_return = attempt_fact(status->attempts[ATTEMPT_REJOIN_CHECK]),
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
	}
	take_record(&f, status, cfg);
	status_slots_facts(&f, status, cfg);
	if (status_lag(status, &lag))
		f.fresh = fact_of(f.mode_sync || lag <= (uint64_t)cfg->max_lag_bytes);
	return f;
}

/* ---- the forecast ---- */

static struct status_forecast forecast(enum fact takes_over, const char *fmt, ...)
    PRINTF_LIKE(2, 3);

static struct status_forecast forecast(enum fact takes_over, const char *fmt, ...)
{
	struct status_forecast made = { .takes_over = takes_over };
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(made.text, sizeof(made.text), fmt, args);
	va_end(args);
	return made;
}

/*
 * Why the standby would refuse, by the rules of promote_safe, or NULL.  What only its own node
 * knows is taken into account when that node is this one.
 */
static const char *refusal(const struct status_facts *f, bool standby_here)
{
	if (f->same_system == FACT_NO)
		return "it is not of the same cluster";
	if (f->replay_paused == FACT_YES)
		return "replay is paused on it";
	if (f->rights == FACT_NO)
		return "the role lacks a right that a takeover needs";
	/* With a record its holder says which standby is good enough. */
	if (!f->has_record && f->fresh == FACT_NO)
		return "it lags by more than max_lag";
	/* Seen from here; the standby has to see it from where it is. */
	if (f->witness == FACT_NO)
		return standby_here ? "the witness is not seen from here"
				    : "the witness is down, unless only this node cannot see it";
	if (f->has_record && f->record_trusted == FACT_NO)
		return "the record at the witness is not to be trusted";
	if (f->has_record && f->record_names_primary == FACT_NO)
		return "the record at the witness does not name this primary";
	if (f->has_record && f->record_paired == FACT_NO)
		return f->record_paused == FACT_YES
			   ? "an operator has paused takeovers"
			   : "the record says that only the primary may serve";
	if (standby_here && f->fenced == FACT_YES)
		return "it is fenced";
	if (standby_here && f->keepalived == FACT_NO)
		return "keepalived does not run there, so the address could not follow";
	if (standby_here && f->guard == FACT_NO)
		return "the guard does not run there, so nobody would try again after a refusal";
	return NULL;
}

/* What is believed when the host of the primary is gone, so that it cannot answer itself. */
static void proof_of_a_lost_host(const struct status *status, const struct cfg *cfg,
				 bool standby_here, char *text, size_t size)
{
	const int64_t theirs_ms = status->record.record.lease_ms;
	const int64_t lease_ms = theirs_ms > cfg->lease_ms ? theirs_ms : cfg->lease_ms;
	const double wait_s = (double)(lease_ms + cfg->margin_ms) / 1000;

	if (cfg_has_record(cfg)) {
		(void)snprintf(text, size, "or after %.1f s if it renews the record no more",
			       wait_s);
		return;
	}
	if (cfg->witness_ssh && (!standby_here || status->baseline == FACT_YES))
		(void)snprintf(
		    text, size,
		    "or after %.1f s if the witness host cannot reach its host either%s", wait_s,
		    cfg->unproven == UNPROVEN_PROMOTE ? ", or nothing shows any life" : "");
	else if (cfg->unproven == UNPROVEN_PROMOTE)
		(void)snprintf(text, size, "or after %.1f s if nothing shows any life", wait_s);
	else
		(void)snprintf(text, size,
			       "but would refuse if its host were lost: nothing could prove that");
}

struct status_forecast status_forecast(const struct status *status, const struct cfg *cfg)
{
	const struct status_facts f = status_facts_of(status, cfg);
	const int primary = status_primary(status);
	const struct server *server;
	const char *from;
	const char *to;
	const char *why;
	char proof[160];
	bool here;

	if (primary < 0)
		return forecast(FACT_UNKNOWN,
				"there is no one primary now, so nothing can be said");
	from = cfg->nodes[primary].name;
	to = cfg->nodes[1 - primary].name;
	server = &status->servers[1 - primary];
	here = (size_t)primary != cfg->self;
	if (server->state == SERVER_UNKNOWN)
		return forecast(FACT_UNKNOWN, "%s does not say whether it could take over (%s)", to,
				server->why);
	if (server->state != SERVER_STANDBY)
		return forecast(FACT_NO, "nobody would take over: %s is %s", to,
				server_state_word(server->state));
	why = refusal(&f, here);
	if (why != NULL)
		return forecast(FACT_NO, "%s would refuse to take over: %s", to, why);
	/* With a record a fence only shortens the wait. */
	if (!f.has_record && here &&
	    strncmp(status->attempts[ATTEMPT_FENCE_TEST], "refused", 7) == 0)
		return forecast(FACT_UNKNOWN,
				"%s might refuse: the last test of fencing failed (%s)", to,
				status->attempts[ATTEMPT_FENCE_TEST]);
	if (f.has_record && f.record_paired == FACT_UNKNOWN)
		return forecast(FACT_UNKNOWN,
				"what the record at the witness permits %s is not known", to);
	if (f.fresh == FACT_UNKNOWN || f.replay_paused == FACT_UNKNOWN ||
	    f.rights == FACT_UNKNOWN || f.witness == FACT_UNKNOWN)
		return forecast(FACT_UNKNOWN,
				"not enough is known to say whether %s would take over", to);
	proof_of_a_lost_host(status, cfg, here, proof, sizeof(proof));
	return forecast(FACT_YES, "%s would promote itself as soon as %s %sis proven fenced, %s",
			to, from, f.has_record ? "says that it is down or " : "", proof);
}
