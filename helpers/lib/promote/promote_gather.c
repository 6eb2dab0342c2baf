/* SPDX-License-Identifier: PostgreSQL */
#include "promote/promote_gather.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "net/witness.h"
#include "node/contact.h"
#include "node/election.h"
#include "node/mark.h"
#include "node/watchdog_stamp.h"
#include "postgres/wal_place.h"
#include "promote/promote_facts.h"
#include "record/record_learn.h"
#include "record/record_pause.h"

/* The local server answers in milliseconds, or it is not fit to be promoted. */
#define LOCAL_MS 1000
/* While waiting, the others are asked twice a second: a primary that comes back is seen at once. */
#define OTHERS_MS 500
/* An answer of at most this age is good enough at the last moment. */
#define LATEST_MS 1000
/* A primary that shuts down is gone in a moment, and the takeover waits for that. */
#define STARTING_MS 100
/* A record that the old primary never finished sending cannot be replayed; replay then stands
 * still, just short of it. */
#define REPLAY_STANDS_MS 250
#define UNFINISHED_BYTES (16 * 1024 * 1024)
/* The record is looked at in each round; where the witness is silent, less often. */
#define RECORD_MS 500

static void ask_local(struct promotion *p)
{
	struct deadline soon = deadline_sooner(&p->dl, LOCAL_MS);

	server_ask(&p->local, p->cfg, PG_LOCAL, &soon);
	p->facts.local = p->local.state;
	p->facts.replay_paused = FACT_UNKNOWN;
	if (p->local.state == SERVER_STANDBY)
		p->received_lsn = p->local.received_lsn;
	if (p->local.state == SERVER_STANDBY)
		p->facts.replay_paused = fact_of(p->local.replay_paused);
	p->replay = (struct server_replay){ .known = false };
	if (p->local.state == SERVER_STANDBY)
		server_replay_ask(&p->replay, p->cfg, PG_LOCAL, &soon);
	/* The vote counts as withdrawn only while the server itself says so. */
	p->facts.withdrawn =
	    fact_of(p->withdrawn_ms > 0 && p->local.state == SERVER_STANDBY && p->local.withdrawn);
}

/* Once: rights come only from a primary, and then the next run sees them. */
static void ask_rights(struct promotion *p)
{
	struct deadline soon = deadline_sooner(&p->dl, LOCAL_MS);
	struct server_rights rights;

	server_rights_ask(&rights, p->cfg, PG_LOCAL, &soon);
	p->facts.rights = rights.take_over;
}

static void facts_of_peer(struct promotion *p, const struct server *peer)
{
	(void)snprintf(p->peer_why, sizeof(p->peer_why), "%s",
		       peer->why[0] != '\0' ? peer->why : server_state_word(peer->state));
	p->facts.peer_is_primary = FACT_UNKNOWN;
	p->facts.peer_is_standby = FACT_UNKNOWN;
	p->facts.peer_is_starting = fact_of(peer->state == SERVER_STARTING);
	p->facts.peer_refuses = peer->state == SERVER_REFUSES;
	p->peer_late = peer->state == SERVER_UNKNOWN && peer->failure == PG_FAIL_LATE;
	if (peer->state == SERVER_PRIMARY || peer->state == SERVER_STANDBY) {
		bool ours = peer->system_identifier == p->local.system_identifier;

		/* Another cluster at the peer's address is a mistake to be mended, not a dead
		 * primary. */
		p->facts.peer_is_primary = fact_of(peer->state == SERVER_PRIMARY || !ours);
		p->facts.peer_is_standby = fact_of(peer->state == SERVER_STANDBY && ours);
	}
}

/* The standby waits for the longer one of both leases: its own, and that of the holder's
 * configuration. */
static int64_t longest_wait(const struct promotion *p)
{
	int64_t lease_ms = p->cfg->lease_ms;

	if (p->record.present == FACT_YES && p->record.lease_ms > lease_ms)
		lease_ms = p->record.lease_ms;
	return lease_ms + p->cfg->margin_ms;
}

static void facts_of_record(struct promotion *p)
{
	const struct record *r = &p->record;
	struct promote_facts *f = &p->facts;
	bool good = f->trust == RECORD_GOOD;

	promote_facts_of_record(f, f->trust, r, cfg_self(p->cfg)->name);
	f->record_still = fact_of(good && record_memory_still_ms(&p->memory) >= longest_wait(p));
	f->record_renewed = good && p->withdrawn_ms > 0 && r->version > p->withdrawn_version + 1;
}

/* A pause that cannot be asked for may run. */
static void ask_pause(struct promotion *p, const struct deadline *dl)
{
	p->pause = record_pause_look(&p->link, dl);
	if (p->pause.runs == FACT_YES)
		p->facts.paused = true;
	if (p->pause.runs != FACT_UNKNOWN)
		return;
	p->facts.trust = RECORD_SILENT;
	(void)snprintf(p->witness_why, sizeof(p->witness_why),
		       "it did not say whether takeovers are paused");
	facts_of_record(p);
}

static void ask_record(struct promotion *p)
{
	struct deadline soon = deadline_sooner(&p->dl, 2 * p->cfg->probe_timeout_ms);
	bool silent = p->linked && p->facts.trust == RECORD_SILENT;

	pg_warm_end(&p->warm);
	if (!p->linked && p->local.system_identifier == 0)
		return;
	if (silent && now_ms() - p->asked_record_ms < RECORD_MS)
		return;
	if (!p->linked) {
		record_begin(&p->link, p->cfg, p->local.system_identifier);
		p->memory = record_memory_read(p->cfg);
		p->linked = true;
	}
	p->asked_record_ms = now_ms();
	p->facts.trust =
	    record_learn(p->cfg, &p->memory, &p->record, record_look(&p->link, &p->record, &soon));
	if (p->facts.trust == RECORD_GOOD) {
		record_words(&p->record, p->cfg, p->witness_why, sizeof(p->witness_why));
	} else {
		(void)snprintf(p->witness_why, sizeof(p->witness_why), "%s",
			       p->facts.trust == RECORD_SILENT ? p->link.why
							       : record_trust_word(p->facts.trust));
	}
	facts_of_record(p);
	if (p->facts.trust == RECORD_GOOD && !p->facts.record_ours)
		ask_pause(p, &soon);
}

static void ask_witness(struct promotion *p)
{
	if (cfg_has_record(p->cfg)) {
		ask_record(p);
		p->facts.witness_seen = fact_of(p->facts.trust != RECORD_SILENT);
		return;
	}
	p->pause = pause_read(p->cfg);
	p->facts.paused = p->pause.runs != FACT_NO;
	p->facts.witness_seen =
	    witness_seen(p->cfg, &p->dl, p->witness_why, sizeof(p->witness_why));
	p->asked_others_ms = now_ms();
}

/* Both at once: a peer that is gone costs the whole of patience_ms. */
static void ask_others(struct promotion *p, bool ask_peer, int64_t patience_ms)
{
	struct deadline soon = deadline_sooner(&p->dl, patience_ms);
	struct server peer;
	struct server_question to_peer = { &peer, p->cfg, PG_PEER, &soon, 0, false };

	if (ask_peer)
		server_ask_begin(&to_peer);
	ask_witness(p);
	if (!ask_peer)
		return;
	server_ask_end(&to_peer);
	p->asked_others_ms = now_ms();
	facts_of_peer(p, &peer);
}

static enum fact replayed(struct promotion *p)
{
	const struct server *s = &p->local;

	if (s->state != SERVER_STANDBY || !p->replay.known)
		return FACT_UNKNOWN;
	if (s->replayed_lsn != p->replay_seen || p->replay_since_ms == 0) {
		p->replay_seen = s->replayed_lsn;
		p->replay_since_ms = now_ms();
	}
	/* A promotion would wait for either, whatever had been received a moment before. */
	if (p->replay.restoring || p->replay.held)
		return FACT_NO;
	if (s->replayed_lsn >= s->received_lsn)
		return FACT_YES;
	/* The server's own word, or a query, a delay or a slow disk would be taken for it. */
	if (!p->replay.waits_for_wal)
		return FACT_NO;
	return fact_of(!s->receiving && s->received_lsn - s->replayed_lsn < UNFINISHED_BYTES &&
		       now_ms() - p->replay_since_ms >= REPLAY_STANDS_MS);
}

static void look_at_rest(struct promotion *p)
{
	struct contact contact = contact_read(p->cfg);
	struct promote_facts *f = &p->facts;

	f->accepted = p->accepts && p->local.state == SERVER_STANDBY &&
		      p->accepted_lsn == p->local.received_lsn;
	f->override = f->accepted && f->peer_down_by_operator;
	f->fenced = fenced_read(p->cfg).present;
	f->watchdog_missing = node_watchdog_missing(p->cfg);
	f->keepalived_alive = election_alive(p->cfg);
	f->election_master = election_master(p->cfg);
	f->fresh_enough =
	    f->accepted ? FACT_YES : promote_fresh_enough(p->cfg, &contact, &p->local, now_ms());
	f->peer_unleased =
	    !cfg_has_record(p->cfg) &&
	    (contact.leased_system == 0 || contact.leased_system != p->local.system_identifier);
	f->behind = p->cfg->mode == MODE_ASYNC && !f->accepted &&
		    promote_known_to_lag(p->cfg, &contact, &p->local);
	f->replayed = replayed(p);
	f->held = p->replay.held;
	f->restoring = p->replay.restoring;
	f->delayed = p->replay.apply_delay[0] != '\0';
	f->waited =
	    fact_of(f->withdrawn == FACT_YES && now_ms() - p->unasked_ms >= longest_wait(p));
	f->fence = p->fencing ? fence_verdict(&p->fence) : FENCE_UNKNOWN;
	/*
	 * A window that began long before the vote was gone ended long before the wait did: what
	 * the old primary got from the witness behind its end, nobody saw.
	 */
	if (f->fence == FENCE_ISOLATED && p->withdrawn_ms - p->observing_ms > p->cfg->margin_ms)
		f->fence = FENCE_UNKNOWN;
	/* A holder that was written about since may have come back since. */
	if (cfg_has_record(p->cfg) && f->fence == FENCE_FENCED &&
	    p->record.version != p->fence_version && !f->record_released)
		f->fence = FENCE_UNKNOWN;
	f->fence_over = !p->fencing || fence_over(&p->fence);
	f->power_left = p->fencing && !p->powered && cfg_power_ms(p->cfg) > 0;
}

static void look_at_place(struct promotion *p)
{
	const enum fact writable = wal_place_writable(p->cfg, p->hindrance, sizeof(p->hindrance));

	p->facts.unwritable = writable != FACT_YES;
}

void promote_try_restore(struct promotion *p)
{
	struct deadline local = deadline_sooner(&p->dl, LOCAL_MS);
	struct deadline soon = deadline_sooner(&p->dl, SERVER_RESTORE_MS);

	server_replay_ask(&p->replay, p->cfg, PG_LOCAL, &local);
	if (p->replay.has_restore)
		p->facts.restore_hangs = server_replay_try_restore(p->cfg, &soon) == -ETIMEDOUT;
}

/*
 * The first look at the peer is a quick one: nearly always it is gone.  A server that has taken the
 * connection and says nothing hangs, or is busy.  A busy one would be fenced while it serves, so it
 * gets more time; a takeover from one that hangs is later by as much.
 */
void promote_gather(struct promotion *p)
{
	ask_local(p);
	if (p->facts.local == SERVER_STANDBY) {
		ask_rights(p);
		ask_others(p, true, p->cfg->probe_timeout_ms * 2 / 5);
		if (p->peer_late)
			ask_others(p, true, 2 * p->cfg->probe_timeout_ms);
		look_at_place(p);
	}
	look_at_rest(p);
}

int64_t promote_wait_left_ms(const struct promotion *p)
{
	int64_t since_ms = p->unasked_ms;
	int64_t left_ms;

	if (p->facts.record_paired && p->memory.first_ms > since_ms)
		since_ms = p->memory.first_ms;
	left_ms = since_ms + longest_wait(p) - now_ms();
	return p->withdrawn_ms > 0 && left_ms > 0 ? left_ms : 0;
}

void promote_refresh(struct promotion *p, bool last)
{
	/* A fenced primary does not answer; asking it again would only take the time of the
	 * failover. */
	bool proven = p->fencing && fence_verdict(&p->fence) == FENCE_FENCED;
	bool starting = p->facts.peer_is_starting == FACT_YES;
	bool due = now_ms() - p->asked_others_ms >= (starting ? STARTING_MS : OTHERS_MS);
	int64_t left_ms = promote_wait_left_ms(p);

	if (last)
		p->settled_ms = now_ms();
	/* To be asked just before the wait ends, or behind it, would only make it longer. */
	if (last || (p->withdrawn_ms > 0 && left_ms <= p->cfg->probe_timeout_ms))
		due = due && now_ms() - p->asked_others_ms >= LATEST_MS;

	ask_local(p);
	if (last)
		look_at_place(p);
	if (due || last || cfg_has_record(p->cfg))
		ask_others(p, due && !proven, p->cfg->probe_timeout_ms);
	look_at_rest(p);
}

/*
 * Silent at the end of the wait is not enough: one that lived until just before, and was cut off
 * then, has a lease left.  So it is watched from the withdrawal on.
 */
void promote_probe(struct promotion *p)
{
	enum fact seen = life_watch_end(&p->life);

	p->facts.no_sign_of_life = seen == FACT_UNKNOWN ? FACT_NO : fact_of(seen == FACT_NO);
}

void promote_detail(const struct promotion *p, char *text, size_t size)
{
	char fencing[200] = "not tried";
	char have[32] = "?", pause[PAUSE_BY_MAX + PAUSE_WHY_MAX + 48];

	if (p->received_lsn != 0)
		lsn_format(p->received_lsn, have, sizeof(have));
	if (p->fencing)
		fence_summary(&p->fence, fencing, sizeof(fencing));
	pause_words(&p->pause, pause, sizeof(pause));
	(void)snprintf(
	    text, size, "%.120s%sreceived up to %s; peer: %.80s; witness: %.60s; fencing: %.100s",
	    p->facts.paused ? pause : "", p->facts.paused && pause[0] != '\0' ? "; " : "", have,
	    p->peer_why[0] != '\0' ? p->peer_why : "not asked",
	    p->witness_why[0] != '\0'           ? p->witness_why
	    : p->facts.witness_seen == FACT_YES ? "seen"
						: "not asked",
	    fencing);
}
