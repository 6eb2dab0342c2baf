/* SPDX-License-Identifier: PostgreSQL */
#include "serve/check_leave.h"

#include <string.h>

#include "base/log.h"
#include "node/files.h"
#include "postgres/pgdata.h"

void check_leave_vote(const struct cfg *cfg, const struct check_facts *f, const struct server *peer)
{
	if (f->peer_votes != FACT_YES)
		return;
	log_failed("write the vote file", stamp_write(cfg, "vote", peer->asked_ms, "vote"));
}

void check_leave_contact(const struct cfg *cfg, const struct server *local,
			 const struct server *peer)
{
	struct contact contact = contact_read(cfg);

	if (!contact.known)
		contact = (struct contact){ .known = true };
	if (peer->state == SERVER_PRIMARY && peer->system_identifier == local->system_identifier) {
		contact.seen_ms = peer->asked_ms;
		contact.primary_lsn = peer->write_lsn;
		contact.timeline = peer->timeline;
		/* A walreceiver whose history diverged says for a moment that it streams. */
		if (local->receiving && peer->peer_streams) {
			contact.streaming_ms = local->asked_ms;
			contact.received_lsn = local->received_lsn;
		}
	} else if (contact.seen_ms != 0) {
		return; /* nothing new: what was known stays known, with its time */
	}
	log_failed("write the contact file", contact_write(cfg, &contact));
}

/* The priority only moves when it must: each change is an event for keepalived. */
static void leave_priority(const struct cfg *cfg, const struct check_facts *f)
{
	int is = -1;
	int wanted;

	/* It is being promoted: promote_safe has raised it a moment ago, and the server shows a
	 * standby until it is done. */
	if (f->local == SERVER_STANDBY && stamp_runs(cfg, "grant"))
		return;
	if (track_read(cfg, "priority", &is) < 0)
		is = -1;
	if (f->local == SERVER_PRIMARY)
		/* Just promoted stays above a settled primary until the old one is seen as a
		 * standby. */
		wanted = f->peer_votes == FACT_YES || is <= 0 ? PRIORITY_SETTLED : is;
	else
		wanted = PRIORITY_STANDBY;
	if (wanted != is)
		log_failed("write the priority file", track_write(cfg, "priority", wanted));
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
	int AUTO_FD postmaster = -1;
	pid_t pid;

	if (local == SERVER_STANDBY)
		return pgdata_form(cfg) != PGDATA_PRIMARY;
	if (local != SERVER_PRIMARY)
		return true;
	postmaster = pgdata_postmaster(cfg, &pid);
	return postmaster >= 0 && pgdata_form(cfg) == PGDATA_PRIMARY;
}

void check_leave_tracks(const struct cfg *cfg, const struct check_facts *f,
			const struct verdict *verdict)
{
	if (!still_so(cfg, f->local))
		return;
	if (f->local != SERVER_UNKNOWN)
		leave_priority(cfg, f);
	leave_serving(cfg, f, verdict);
}
