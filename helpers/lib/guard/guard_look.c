/* SPDX-License-Identifier: PostgreSQL */
#include "guard/guard_look.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/deadline.h"
#include "base/lock.h"
#include "base/log.h"
#include "config/timing.h"
#include "guard/guard_leased.h"
#include "node/contact.h"
#include "node/mark.h"
#include "node/path.h"
#include "node/stamp.h"
#include "postgres/pgdata.h"
#include "postgres/server.h"

/* A witness that is a name may have moved: look it up again when it has been silent for so long. */
#define WITNESS_STALE_MS 10000

/* The pidfd is readable when the postmaster has ended (pidfd_open(2)). */
static bool postmaster_ended(struct guard *g)
{
	struct pollfd fd = { .fd = g->pidfd, .events = POLLIN };
	const struct deadline passed = { .at_ms = 0 };

	return g->pidfd >= 0 && deadline_poll(&fd, 1, &passed) > 0;
}

/* For rejoin and the release, when this server has ended: the file came while a primary ran. */
static void note_stray(struct guard *g, const struct pgdata_running *is)
{
	enum fact stray = fact_of(g->server == GUARD_SERVER_PRIMARY && is->signal != NULL);

	if (stray == g->stray || g->server == GUARD_SERVER_UNKNOWN)
		return;
	if (stray == FACT_YES)
		log_warning("%s/%s is there, though this server is a primary: it changes nothing "
			    "now, but it would as the server starts; remove it",
			    g->cfg->data_dir, is->signal);
	if ((stray == FACT_YES ? stamp_write(g->cfg, STAMP_STRAY, now_ms(), is->signal)
			       : stamp_clear(g->cfg, STAMP_STRAY)) == 0)
		g->stray = stray;
}

/*
 * A server that was seen in production stays a primary until its postmaster has ended: a pg_control
 * that cannot be read, or is another's, gives it nothing.  PostgreSQL itself goes back into
 * recovery within one postmaster when a backend crashes while a signal file is there; that server
 * is ended (guard_decide), and the next one is looked at anew.
 */
static void look_at_role(struct guard *g)
{
	static const enum guard_server servers[] = {
		[PGDATA_IS_UNKNOWN] = GUARD_SERVER_UNKNOWN,
		[PGDATA_IS_PRIMARY] = GUARD_SERVER_PRIMARY,
		[PGDATA_IS_STANDBY] = GUARD_SERVER_STANDBY,
	};
	struct pgdata_running is;

	pgdata_running(&is, g->cfg);
	g->was_primary = g->was_primary || (is.role == PGDATA_IS_PRIMARY && !is.recovers);
	g->back_in_recovery = g->was_primary && is.role == PGDATA_IS_STANDBY;
	g->server = g->was_primary ? GUARD_SERVER_PRIMARY : servers[is.role];
	note_stray(g, &is);
}

void guard_forget_server(struct guard *g)
{
	if (g->pidfd >= 0)
		(void)close(g->pidfd);
	g->pidfd = -1;
	g->server = GUARD_SERVER_DOWN;
	g->was_primary = false;
	g->back_in_recovery = false;
	g->seen_down = true;
	g->down_ms = now_ms();
}

static void note_end(struct guard *g)
{
	log_warning("the server (pid %d) has ended%s", (int)g->postmaster,
		    g->server == GUARD_SERVER_PRIMARY ? " while it was the primary" : "");
	if (g->server == GUARD_SERVER_PRIMARY) {
		g->died_ms = now_ms();
		g->cleared_up = false;
		/* The grant of a server ends with it (end_with_server); the next one is granted
		 * anew. */
		if (cfg_has_record(g->cfg))
			log_failed("remove the grant file", stamp_clear(g->cfg, STAMP_GRANT));
	}
	guard_forget_server(g);
}

static void note_begin(struct guard *g)
{
	log_info("watching the server, pid %d", (int)g->postmaster);
	g->died_ms = 0;
	g->release_due = false;
	/*
	 * A lease that ran out under an earlier server says nothing about this one.  But a server
	 * that was here when this guard began, with a lease that ran out meanwhile, had nobody to
	 * end it in time: it is fenced.
	 */
	if (g->seen_down && !lease_runs(&g->lease, now_ms()))
		g->lease = (struct lease){ 0 };
	g->unentitled_since = 0;
	g->standby_since_ms = 0;
}

static void look_at_server(struct guard *g)
{
	if (postmaster_ended(g))
		note_end(g);
	if (g->pidfd < 0) {
		int fd = pgdata_postmaster(g->cfg, &g->postmaster);

		if (fd < 0) {
			g->server = fd == -ENOENT ? GUARD_SERVER_DOWN : GUARD_SERVER_UNKNOWN;
			g->seen_down = g->seen_down || fd == -ENOENT;
			if (fd == -ENOENT)
				g->down_ms = now_ms();
			return;
		}
		g->pidfd = fd;
		note_begin(g);
	}
	look_at_role(g);
	if (g->server == GUARD_SERVER_STANDBY) {
		g->lease = (struct lease){ 0 };
		if (g->standby_since_ms == 0)
			g->standby_since_ms = now_ms();
	} else {
		g->standby_since_ms = 0;
	}
}

/*
 * With a record a server that ended may have been released, and then nobody waits for its lease: it
 * ends here, and what was said before is over.  Only a grant begins the next one.
 */
static void end_with_server(struct guard *g)
{
	if (cfg_has_record(g->cfg) && g->server == GUARD_SERVER_DOWN)
		g->lease = (struct lease){ 0 };
}

static void open_witness(struct guard *g, int64_t now)
{
	const struct cfg *cfg = g->cfg;
	struct deadline soon = deadline_in_ms(WITNESS_OPEN_MS);
	uint16_t port = cfg->witness_kind == WITNESS_TCP ? (uint16_t)cfg->witness_port : 0;

	probe_close(&g->witness);
	if (probe_open(&g->witness, cfg->witness_address, port, &soon) < 0)
		g->witness = PROBE_NONE;
	g->witness_answered_ms = now;
}

static void ask_witness(struct guard *g)
{
	int64_t now = now_ms();
	int64_t sent = g->witness.family != 0 ? probe_take(&g->witness) : 0;

	if (sent > 0 && g->fenced == FACT_NO && guard_watchdog_permits(g))
		lease_witness(&g->lease, sent, g->cfg->lease_ms, now);
	if (sent > 0)
		g->witness_answered_ms = now;
	if (now < g->next_question_ms)
		return;
	g->next_question_ms = now + g->cfg->renew_interval_ms;
	if (g->witness.family == 0 || now - g->witness_answered_ms > WITNESS_STALE_MS)
		open_witness(g, now);
	/* No route is the same as no answer: the lease runs on without it, or out. */
	if (g->witness.family != 0 && probe_send(&g->witness) < 0)
		log_debug("the witness cannot be asked now");
}

static void look_at_mark(struct guard *g)
{
	struct fenced_mark mark = fenced_read(g->cfg);

	if (mark.present == FACT_UNKNOWN && g->fenced != FACT_UNKNOWN)
		log_warning(
		    "it cannot be told whether this node is fenced, so no lease is renewed: %s",
		    mark.reason);
	g->fenced = mark.present;
	/* A vote given before the fence must not begin a lease after it. */
	if (g->fenced == FACT_YES)
		g->lease = (struct lease){ 0 };
}

/*
 * With a record a vote only prolongs, but for the first lease of all: a holder that had released,
 * and was started by hand, would else serve by the vote of a standby that no longer waits.  Both
 * are questions of before when the server was down since.
 */
static void read_record(struct guard *g, int64_t now)
{
	const struct cfg *cfg = g->cfg;
	int64_t at_ms;

	/* The time was taken before the look: were we stopped in between, it gives nothing. */
	if (g->server == GUARD_SERVER_PRIMARY && stamp_read(cfg, STAMP_SOLO, &at_ms, NULL, 0) == 0)
		lease_grant(&g->lease, now + cfg->lease_ms, "solo", now_ms());
	if (stamp_read(cfg, STAMP_RENEWED, &at_ms, NULL, 0) == 0 && at_ms > g->down_ms)
		lease_grant(&g->lease, at_ms + cfg->lease_ms, "record", now_ms());
	if (stamp_read(cfg, STAMP_VOTE, &at_ms, NULL, 0) == 0 && at_ms > g->down_ms &&
	    (lease_runs(&g->lease, now_ms()) || guard_leased_spares(g)))
		lease_vote(&g->lease, at_ms, cfg->lease_ms, now_ms());
}

static void read_rights(struct guard *g)
{
	const struct lease before = g->lease;
	int64_t now = now_ms();
	int64_t at_ms;

	if (g->fenced != FACT_NO || !guard_watchdog_permits(g))
		return;
	if (stamp_read(g->cfg, STAMP_GRANT, &at_ms, NULL, 0) == 0)
		lease_grant(&g->lease, at_ms, "grant", now);
	if (cfg_has_record(g->cfg))
		read_record(g, now);
	else if (stamp_read(g->cfg, STAMP_VOTE, &at_ms, NULL, 0) == 0)
		lease_vote(&g->lease, at_ms, g->cfg->lease_ms, now);
	/* Nobody has seen it yet: the mark comes first.  One that runs is held to it already. */
	if (g->server == GUARD_SERVER_PRIMARY && before.until_ms == 0 && g->lease.until_ms > 0 &&
	    !guard_leased_begin(g))
		g->lease = before;
}

/*
 * A promote_safe that was killed half-way leaves its mark; the next one goes on or gives the vote
 * back.  One that runs, or that has won its grant, may promote at any moment.
 */
static void look_for_promotion(const struct cfg *cfg, struct guard_facts *f)
{
	char conninfo[SERVER_CONNINFO_MAX];
	enum fact withdrawn = withdrawn_read(cfg, conninfo, sizeof(conninfo));
	int held = lock_held(file_lock(cfg, LOCK_PROMOTE).text);
	int64_t until_ms;
	bool granted = stamp_read(cfg, STAMP_GRANT, &until_ms, NULL, 0) == 0 && until_ms > now_ms();

	f->vote_left = withdrawn == FACT_YES && held == 0;
	f->promoting = withdrawn != FACT_NO || held != 0 || granted;
}

struct guard_facts guard_facts(struct guard *g)
{
	struct guard_facts f = {
		.now = now_ms(),
		.server = g->server,
		.fenced = g->fenced,
		.died_as_primary = g->died_ms > 0 && !g->cleared_up,
		.handed_over = stamp_runs(g->cfg, STAMP_HANDOVER),
		.back_in_recovery = g->back_in_recovery,
		.spared = guard_leased_spares(g),
		.standby_since_ms = g->standby_since_ms,
		.auto_start = g->cfg->auto_start,
		.lease_ms = g->cfg->lease_ms,
		.fence_time_ms = cfg_fence_time_ms(g->cfg),
		.contact_lost_ms = TIMING_CONTACT_LOST_MS,
	};
	struct contact contact = contact_read(g->cfg);

	look_for_promotion(g->cfg, &f);
	if (contact.known)
		f.last_contact_ms = contact.seen_ms;
	if (contact.known)
		f.last_streaming_ms = contact.streaming_ms;
	if (g->server == GUARD_SERVER_PRIMARY && g->lease.until_ms == 0 && !f.spared) {
		if (g->unentitled_since == 0)
			g->unentitled_since = f.now;
	} else {
		g->unentitled_since = 0;
	}
	f.unentitled_since = g->unentitled_since;
	f.lease = g->lease;
	return f;
}

void guard_look(struct guard *g)
{
	look_at_server(g);
	look_at_mark(g);
	end_with_server(g);
	guard_leased_look(g);
	guard_watchdog_begin(g);
	read_rights(g);
	if (!cfg_has_record(g->cfg))
		ask_witness(g);
}
