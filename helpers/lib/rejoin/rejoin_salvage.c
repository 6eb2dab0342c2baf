/* SPDX-License-Identifier: PostgreSQL */
/* The step of rejoin before anything that diverged is overwritten: it is kept. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/state.h"
#include "node/history.h"
#include "node/path.h"
#include "postgres/pg.h"
#include "rejoin/rejoin_steps.h"
#include "rejoin/rejoin_tries.h"
#include "salvage/salvage.h"

/*
 * With mode = sync a primary acknowledged nothing that its standby did not have, so what diverged
 * there is nobody's; a standby may hold what another primary acknowledged.
 */
static enum salvage_policy policy(const struct rejoin *r)
{
	bool standby = r->facts.form != PGDATA_PRIMARY || r->facts.local == LOCAL_STANDBY;

	if (r->cfg->salvage == SALVAGE_NO)
		return SALVAGE_NO;
	if (r->without_salvage)
		return SALVAGE_TRY;
	if (r->cfg->salvage != SALVAGE_AUTO)
		return r->cfg->salvage;
	return r->cfg->mode == MODE_SYNC && !standby ? SALVAGE_TRY : SALVAGE_REQUIRE;
}

/* ---- what is known of it ---- */

static struct salvage_job job_of(const struct rejoin *r, struct history_file *alone)
{
	bool runs = r->facts.local == LOCAL_STANDBY;
	uint32_t timeline = rejoin_our_timeline(r);
	struct salvage_job job = { .cfg = r->cfg,
				   .dl = &r->dl,
				   .ours = &r->ours,
				   .standby = r->facts.form != PGDATA_PRIMARY,
				   .checkpoint = r->control.checkpoint_lsn,
				   .system_identifier = runs ? r->local.system_identifier
							     : r->control.system_identifier };

	/* Where they part is only known when one history branches off the other. */
	if (r->facts.past == PAST_DIVERGED && r->fork != HISTORY_FILE_OPEN)
		job.fork = r->fork;
	job.reached = runs ? r->local.replayed_lsn : r->control.min_recovery_lsn;
	if (r->peer.state == SERVER_PRIMARY)
		job.their_timeline = r->peer.timeline;
	if (r->ours.count > 0 && r->ours.entries[r->ours.count - 1].timeline == timeline)
		return job;
	alone->count = timeline != 0 ? 1 : 0;
	alone->entries[0] =
	    (struct history_entry){ .timeline = timeline, .end = HISTORY_FILE_OPEN };
	job.ours = alone;
	return job;
}

/* ---- what is said of it ---- */

/* Once for each salvage, also when whoever made it was killed before this. */
static void tell(const struct rejoin *r)
{
	const struct salvage *s = &r->salvage;
	char told[sizeof(s->path.text) + 8], detail[sizeof(s->path.text) + 160], fork[32];

	(void)snprintf(told, sizeof(told), "%s/told", s->path.text);
	if (state_exists(told) == 1)
		return;
	lsn_format(s->fork, fork, sizeof(fork));
	(void)snprintf(detail, sizeof(detail),
		       "%" PRId64 " transactions after %s of timeline %" PRIu32 ", %" PRId64
		       " bytes of WAL%s: %s",
		       s->transactions, fork, s->timeline, s->bytes,
		       s->wal_kept ? "" : " (not kept)", s->path.text);
	log_warning("kept what diverged: %s", detail);
	if (history_add_salvaged(r->cfg, detail, s->path.text, s->transactions, s->bytes) < 0 ||
	    state_write(told, "", 0600, false) < 0)
		log_warning("could not write the history");
}

void rejoin_salvage_detail(const struct rejoin *r, struct verdict *verdict)
{
	char text[64 + sizeof(r->salvage.path.text) + sizeof(verdict->detail)];

	if (r->salvage.path.text[0] == '\0')
		return;
	(void)snprintf(text, sizeof(text), "salvaged %" PRId64 " transactions at %s; %s",
		       r->salvage.transactions, r->salvage.path.text, verdict->detail);
	(void)snprintf(verdict->detail, sizeof(verdict->detail), "%.*s",
		       (int)sizeof(verdict->detail) - 1, text);
}

static bool go_without(struct rejoin *r, const char *why)
{
	char detail[400], fork[32];

	lsn_format(r->fork, fork, sizeof(fork));
	(void)snprintf(detail, sizeof(detail), "what diverged after %s is overwritten: %.300s",
		       fork, why);
	log_warning("%s", detail);
	rejoin_event(r, "not-salvaged", detail);
	r->salvaged = true;
	return true;
}

static bool refuse(const struct rejoin *r, struct verdict *verdict, const char *why)
{
	*verdict = (struct verdict)REFUSED(
	    "salvage-failed",
	    "what diverged here may have been acknowledged and could not be kept, so "
	    "it is not overwritten",
	    "put right what the detail names; or give it up: \"rejoin "
	    "--without-salvage\"");
	(void)snprintf(verdict->detail, sizeof(verdict->detail), "%s", why);
	/* With --auto it is not tried again at once. */
	if (tries_note(r->cfg, DEED_REWIND, verdict) < 0)
		log_warning("could not note that the salvage failed");
	return false;
}

/* ---- the step ---- */

/* With the mark, what is there is no longer what was; it was kept before the mark came. */
static bool nothing_to_keep(const struct rejoin *r)
{
	return r->facts.past == PAST_SHARED || r->facts.rewinding == FACT_YES;
}

void rejoin_salvage_plan(const struct rejoin *r, FILE *out)
{
	static const char *const words[] = {
		[SALVAGE_TRY] = "; where that cannot be, it goes on without",
		[SALVAGE_REQUIRE] = "; where that cannot be, nothing is overwritten",
	};
	enum salvage_policy how = policy(r);
	char fork[32] = "the fork";

	if (nothing_to_keep(r))
		return;
	if (r->fork != 0 && r->fork != HISTORY_FILE_OPEN)
		lsn_format(r->fork, fork, sizeof(fork));
	if (how == SALVAGE_NO)
		(void)fprintf(out, "  not kept   what diverged after %s (salvage = no)\n", fork);
	else
		(void)fprintf(out, "  kept first what diverged after %s, in %s%s\n", fork,
			      file_state(r->cfg, "salvage").text, words[how]);
}

bool rejoin_salvage(struct rejoin *r, struct verdict *verdict)
{
	enum salvage_policy how = policy(r);
	struct history_file alone;
	struct salvage_job job;
	char why[300];

	if (r->salvaged || nothing_to_keep(r))
		return true;
	if (how == SALVAGE_NO)
		return go_without(r, "[replication] salvage = no");
	job = job_of(r, &alone);
	job.wal_optional = how == SALVAGE_TRY;
	log_info("keeping what diverged before it is overwritten");
	if (salvage_make(&r->salvage, &job, why, sizeof(why)) < 0) {
		r->salvage = (struct salvage){ 0 };
		return how == SALVAGE_TRY ? go_without(r, why) : refuse(r, verdict, why);
	}
	r->salvaged = true;
	tell(r);
	return true;
}
