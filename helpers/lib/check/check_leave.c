/* SPDX-License-Identifier: PostgreSQL */
#include "check/check_leave.h"

#include <string.h>

#include "base/log.h"
#include "node/contact.h"
#include "node/stamp.h"
#include "node/track.h"
#include "postgres/pgdata.h"
#include "postgres/server_leased.h"

void check_leave_vote(const struct cfg *cfg, const struct check_facts *f, const struct server *peer)
{
	if (f->peer_votes != FACT_YES)
		return;
	log_failed("write the vote file", stamp_write(cfg, STAMP_VOTE, peer->asked_ms, "vote"));
}

/*
 * Its guard ends it with its lease (guard_leased.h).  Asked in each round, since a host may have
 * got another directory; an answer that is missing changes nothing.  With a record its row tells
 * that.
 */
static enum fact ask_leased(const struct cfg *cfg, const struct deadline *dl)
{
	const struct deadline soon = deadline_sooner(dl, cfg->probe_timeout_ms);

	return cfg_has_record(cfg) ? FACT_UNKNOWN : server_leased(cfg, PG_PEER, &soon);
}

static void note_leased(struct contact *contact, enum fact leased, uint64_t system)
{
	if (leased != FACT_UNKNOWN || contact->leased_system != system)
		contact->leased_system = leased == FACT_YES ? system : 0;
}

/*
 * Two rounds may be at work at once, the guard's and one that a person called, and the one that
 * asked first may be the last to write.  What it knows is older than what the file says, so it
 * writes nothing.  Without news of the primary the file stays as it is, with its times.
 */
void check_leave_contact(const struct cfg *cfg, const struct server *local,
			 const struct server *peer, const struct deadline *dl)
{
	struct contact contact;
	enum fact leased;

	if (peer->state != SERVER_PRIMARY || peer->system_identifier != local->system_identifier)
		return;
	/* Before the file is read: the question takes time, and another round writes meanwhile. */
	leased = ask_leased(cfg, dl);
	contact = contact_read(cfg);
	if (peer->asked_ms < contact.seen_ms)
		return;
	contact.seen_ms = peer->asked_ms;
	contact.primary_lsn = peer->write_lsn;
	/* Positions of two timelines do not compare. */
	if (contact.timeline != peer->timeline)
		contact.mark_ms = contact.reached_ms = 0;
	contact.timeline = peer->timeline;
	note_leased(&contact, leased, peer->system_identifier);
	if (server_receives(local, peer) && peer->peer_streams) {
		contact.streaming_ms = local->asked_ms;
		contact.received_lsn = local->received_lsn;
		contact_note_replay(&contact, local->replayed_lsn, peer->write_lsn, peer->asked_ms);
	}
	log_failed("write the contact file", contact_write(cfg, &contact));
}

/* The priority only moves when it must: each change is an event for keepalived. */
static void leave_priority(const struct cfg *cfg, const struct check_facts *f)
{
	int is = -1;
	int wanted;

	/* The server is being promoted: promote_safe has raised it a moment ago, and the server
	 * shows a standby until it is done. */
	if (f->local == SERVER_STANDBY && stamp_runs(cfg, STAMP_GRANT))
		return;
	if (track_read(cfg, TRACK_PRIORITY, &is) < 0)
		is = -1;
	if (f->local == SERVER_PRIMARY)
		/* Just promoted stays above a settled primary until the old one is seen as a
		 * standby. */
		wanted = f->peer_votes == FACT_YES || is <= 0 ? PRIORITY_SETTLED : is;
	else
		wanted = PRIORITY_STANDBY;
	if (wanted != is)
		log_failed("write the priority file", track_write(cfg, TRACK_PRIORITY, wanted));
}

static void leave_serving(const struct cfg *cfg, const struct check_facts *f,
			  const struct verdict *verdict)
{
	bool serves = f->local == SERVER_PRIMARY && verdict->outcome == OUT_YES;
	int rc = 0;

	if (serves && f->says_serving != FACT_YES)
		rc = serving_begin(cfg);
	else if (!serves && f->says_serving != FACT_NO)
		rc = serving_end(cfg);
	if (rc < 0)
		log_warning("could not write the serving file: %s", strerror(-rc));
}

/*
 * Up to a second lies between the server's answer and this moment: a promotion or a crash in
 * between has told keepalived more than we know.
 */
static bool still_so(const struct cfg *cfg, enum server_state local)
{
	struct pgdata_running is;
	int AUTO_FD postmaster = -1;
	pid_t pid;

	if (local != SERVER_STANDBY && local != SERVER_PRIMARY)
		return true;
	pgdata_running(&is, cfg);
	if (local == SERVER_STANDBY)
		return is.role != PGDATA_IS_PRIMARY;
	postmaster = pgdata_postmaster(cfg, &pid);
	return postmaster >= 0 && is.role != PGDATA_IS_STANDBY;
}

void check_leave_tracks(const struct cfg *cfg, const struct check_facts *f,
			const struct verdict *verdict)
{
	if (!still_so(cfg, f->local))
		return;
	if (f->local != SERVER_UNKNOWN && f->local != SERVER_REFUSES)
		leave_priority(cfg, f);
	leave_serving(cfg, f, verdict);
}
