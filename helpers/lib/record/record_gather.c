/* SPDX-License-Identifier: PostgreSQL */
#include "record/record_gather.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/lock.h"
#include "node/path.h"
#include "node/stamp.h"
#include "postgres/server.h"

/* rejoin holds start.lock for as long as a server starts: too long to wait for. */
#define START_LOCK_MS 100

/*
 * The gate of rejoin gives a right and ends; whoever asked it, systemd or a script of the
 * distribution, starts the server a moment later.  A server that comes after the grant has ended
 * finds no right to serve, nor one whose grant a release took away.
 */
static enum fact let_through(const struct cfg *cfg)
{
	char word[32];
	int64_t until_ms;

	if (stamp_read(cfg, STAMP_GRANT, &until_ms, word, sizeof(word)) < 0)
		return FACT_NO;
	/* A grant of a promotion belongs to a server that ran, and starts none. */
	return fact_of(now_ms() < until_ms && strcmp(word, GRANT_OF_PROMOTION) != 0);
}

/*
 * Is the server down, and does nobody start it?  Looked at under start.lock, after the record was:
 * who starts a primary takes that lock, writes the record and starts, all under it.  So a start
 * that we cannot see here has changed the version that our write is for.
 */
static void look_at_server(struct record_task *t)
{
	struct deadline soon = deadline_sooner(&t->dl, START_LOCK_MS);
	struct record_facts *f = &t->facts;
	int AUTO_FD lock = -1;
	int locked = lock_take(&lock, file_lock(t->cfg, LOCK_START).text, &soon);
	int count = pgdata_processes(t->cfg, NULL, 0);

	f->starting = locked == -ETIMEDOUT ? FACT_YES : FACT_UNKNOWN;
	if (locked == 0)
		f->starting = let_through(t->cfg);
	if (count >= 0)
		f->runs = fact_of(count > 0);
	if (count < 0 || (locked < 0 && locked != -ETIMEDOUT))
		(void)snprintf(t->why, sizeof(t->why), "%s",
			       strerror(count < 0 ? -count : -locked));
}

static void gather_local(struct record_task *t)
{
	enum pgdata_state state;
	int64_t noted_ms;

	look_at_server(t);
	t->facts.form = pgdata_form(t->cfg);
	/* A file that came while its primary ran does not make a standby of it. */
	if ((t->facts.form == PGDATA_STANDBY || t->facts.form == PGDATA_RECOVERY) &&
	    stamp_read(t->cfg, STAMP_STRAY, &noted_ms, NULL, 0) == 0)
		t->facts.form = PGDATA_PRIMARY;
	/* Once more: only that of a server that is down says where the WAL ends.  After a crash
	 * nothing does, and no process need be started to hear it. */
	t->control.known = false;
	if (pgdata_state(t->cfg, &state) < 0 || state != PGDATA_STATE_PRODUCTION)
		pgdata_control(&t->control, t->cfg, &t->dl);
}

/* By the directory, server up or down; by the server where the directory is not to be read. */
static uint64_t system_identifier(struct record_task *t)
{
	struct deadline soon = deadline_sooner(&t->dl, RECORD_QUESTION_MS);
	struct server server;

	pgdata_control(&t->control, t->cfg, &t->dl);
	if (t->control.known)
		return t->control.system_identifier;
	(void)snprintf(t->why, sizeof(t->why), "%s", t->control.why);
	if (t->facts.ask == RECORD_RELEASE)
		return 0;
	server_ask(&server, t->cfg, PG_LOCAL, &soon);
	return server.system_identifier;
}

void record_taken(struct record_task *t)
{
	const struct record *record = &t->view.record;
	struct record_facts *f = &t->facts;

	f->trust = t->view.trust;
	if (f->trust != RECORD_GOOD)
		return;
	f->holds = strcmp(record->holder, cfg_self(t->cfg)->name) == 0;
	f->paired = record->paired;
	f->released = record->released;
	f->paused = record->paused;
}

void record_gather(struct record_task *t)
{
	struct deadline soon;

	t->facts =
	    (struct record_facts){ .ask = t->facts.ask, .keeps_record = cfg_has_record(t->cfg) };
	if (!t->facts.keeps_record)
		return;
	if (t->link.cfg == NULL) {
		uint64_t identifier = system_identifier(t);

		if (identifier == 0)
			return;
		record_begin(&t->link, t->cfg, identifier);
	}
	t->facts.system = FACT_YES;
	soon = deadline_sooner(&t->dl, RECORD_QUESTION_MS);
	record_view_look(&t->view, &t->link, &soon);
	record_taken(t);
	if (t->facts.ask == RECORD_RELEASE && t->facts.holds && !t->facts.released)
		gather_local(t);
}

void record_describe(const struct record_task *t, struct verdict *verdict)
{
	if (t->view.why[0] != '\0')
		(void)snprintf(verdict->detail, sizeof(verdict->detail), "%s", t->view.why);
	else if (t->why[0] != '\0')
		(void)snprintf(verdict->detail, sizeof(verdict->detail), "%s", t->why);
	else if (t->facts.trust == RECORD_GOOD)
		record_meaning(&t->view.record, t->cfg, verdict->detail, sizeof(verdict->detail));
}
