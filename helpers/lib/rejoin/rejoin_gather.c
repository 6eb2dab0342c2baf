/* SPDX-License-Identifier: PostgreSQL */
#include "rejoin/rejoin_gather.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/lock.h"
#include "base/state.h"
#include "node/mark.h"
#include "node/path.h"
#include "node/stamp.h"
#include "node/watchdog_stamp.h"
#include "rebuild/rebuild.h"
#include "rejoin/rejoin_peer.h"
#include "rejoin/rejoin_right.h"
#include "rejoin/rejoin_tries.h"
#include "rewind/rewind.h"

/* Both are asked at the same time; a server that lives answers in milliseconds. */
#define ASK_MS 1000
/* A postmaster that has just been started has no postmaster.pid for an instant. */
#define LOOK_TWICE_MS 100
/* A walreceiver that is turned away ends within milliseconds. */
#define STEADY_MS 1500
/* Whether the primary has the WAL still is asked of a standby that has not streamed for so long. */
#define AWAY_MS 2000
/* Between a shutdown checkpoint and the end of WAL lies at most its record and a page header. */
#define LAST_RECORD_BYTES 512

/* ---- the local server ---- */

static bool other_directory(const struct server *server, const struct cfg *cfg)
{
	struct stat theirs, ours;

	if (server->data_dir[0] == '\0' || strcmp(server->data_dir, cfg->data_dir) == 0)
		return false;
	return stat(server->data_dir, &theirs) < 0 || stat(cfg->data_dir, &ours) < 0 ||
	       theirs.st_dev != ours.st_dev || theirs.st_ino != ours.st_ino;
}

static enum rejoin_local what_answers(const struct server *server, const struct cfg *cfg)
{
	switch (server->state) {
	case SERVER_PRIMARY:
	case SERVER_STANDBY:
		if (other_directory(server, cfg))
			return LOCAL_OTHER;
		return server->state == SERVER_PRIMARY ? LOCAL_PRIMARY : LOCAL_STANDBY;
	case SERVER_DOWN: /* the postmaster is there, its socket is not yet, or no longer */
	case SERVER_STARTING:
		return LOCAL_STARTING;
	case SERVER_REFUSES:
		return LOCAL_REFUSES;
	case SERVER_UNKNOWN:
		break;
	}
	return LOCAL_UNKNOWN;
}

/* By the processes of the directory first: only they can prove that it is down. */
static enum rejoin_local look_at_processes(const struct rejoin *r)
{
	int count = pgdata_processes(r->cfg, NULL, 0);
	pid_t pid;
	int fd;

	if (count == -ENODEV)
		return LOCAL_DOWN; /* no directory, no server: its form says so */
	if (count < 0)
		return LOCAL_UNKNOWN;
	if (count == 0)
		return r->local.state == SERVER_DOWN ? LOCAL_DOWN : LOCAL_OTHER;
	fd = pgdata_postmaster(r->cfg, &pid);
	if (fd == -ENOENT)
		return pgdata_single_user(r->cfg) == 1 ? LOCAL_SINGLE : LOCAL_ORPHANS;
	if (fd < 0)
		return LOCAL_UNKNOWN;
	(void)close(fd);
	return what_answers(&r->local, r->cfg);
}

/*
 * A walreceiver says "streaming" from the moment that it is connected, also when the primary is
 * about to tell it that what it asks for is gone.  So it counts when the primary says so too, or
 * when it has been so for a while.
 */
static enum fact streams(struct rejoin *r)
{
	if (!r->local.receiving || r->facts.follows != FACT_YES) {
		r->receiving_since_ms = 0;
		return FACT_NO;
	}
	if (r->receiving_since_ms == 0)
		r->receiving_since_ms = now_ms();
	if (r->peer.state == SERVER_UNKNOWN || r->peer.state == SERVER_REFUSES)
		return FACT_UNKNOWN;
	return fact_of(server_receives(&r->local, &r->peer) &&
		       (r->peer.peer_streams || now_ms() - r->receiving_since_ms >= STEADY_MS));
}

static void look_at_local(struct rejoin *r)
{
	struct deadline pause = deadline_sooner(&r->dl, LOOK_TWICE_MS);
	struct rejoin_facts *f = &r->facts;

	f->local = look_at_processes(r);
	if (f->local == LOCAL_ORPHANS || f->local == LOCAL_OTHER) {
		struct deadline soon = deadline_sooner(&r->dl, ASK_MS);

		deadline_sleep(&pause);
		server_ask(&r->local, r->cfg, PG_LOCAL, &soon);
		f->local = look_at_processes(r);
	}
	if (f->local != LOCAL_STANDBY)
		return;
	f->withdrawn = fact_of(r->local.withdrawn);
	f->follows = server_votes_for(&r->local, cfg_peer(r->cfg)->address,
				      r->local.system_identifier, UINT32_MAX);
	f->replay_paused = fact_of(r->local.replay_paused);
	f->streaming = streams(r);
}

/* ---- directory and files ---- */

/*
 * A crash recovery that was stopped (fast) leaves "shut down in recovery" as a standby does, with
 * the checkpoint of before the crash.  The WAL goes on behind that, nobody knows how far.
 */
static bool ended(const struct rejoin *r)
{
	bool standby = r->facts.form == PGDATA_STANDBY && r->control.min_recovery_lsn != 0;

	return r->control.shut_down && (!r->control.recovering || standby);
}

/*
 * standby.signal or recovery.signal came while a primary ran from this directory (the guard has
 * seen that, and a standby that was made since has taken its note away), and pg_control is still as
 * that primary left it.  Then the file says nothing: the directory is a primary's.
 */
static bool is_stray(const struct rejoin *r)
{
	const struct pgdata_control *control = &r->control;
	char path[CFG_PATH_MAX + 16];
	int64_t noted_ms;

	if (r->facts.form != PGDATA_STANDBY && r->facts.form != PGDATA_RECOVERY)
		return false;
	if (r->facts.local == LOCAL_PRIMARY)
		return true;
	/* With a backup_label it is a copy, which has the state of what it was taken of. */
	(void)snprintf(path, sizeof(path), "%s/backup_label", r->cfg->data_dir);
	return r->facts.local != LOCAL_STANDBY && control->known && !control->in_recovery &&
	       !(control->recovering && control->min_recovery_lsn != 0) &&
	       state_exists(path) == 0 && stamp_read(r->cfg, STAMP_STRAY, &noted_ms, NULL, 0) == 0;
}

static void look_at_directory(struct rejoin *r)
{
	struct rejoin_facts *f = &r->facts;
	int major = 0;

	f->form = pgdata_form(r->cfg);
	if (f->form == PGDATA_UNKNOWN || f->form == PGDATA_MISSING)
		return;
	if (pgdata_version(r->cfg, &major) == 0)
		f->right_version = fact_of(major == r->cfg->version);
	if (f->right_version != FACT_YES)
		return;
	pgdata_control(&r->control, r->cfg, &r->dl);
	f->control = fact_of(r->control.known);
	if (!r->control.known)
		return;
	r->stray = is_stray(r);
	if (r->stray)
		f->form = PGDATA_PRIMARY;
	f->clean = fact_of(ended(r));
	f->can_rewind = fact_of(r->control.checksums || r->control.wal_log_hints);
}

/* Asked once in a run: nobody edits the configuration meanwhile but we. */
static void look_at_target(struct rejoin *r)
{
	struct deadline soon = deadline_sooner(&r->dl, ASK_MS);
	struct rejoin_facts *f = &r->facts;

	if (f->local == LOCAL_DOWN && f->form == PGDATA_STANDBY && r->target == FACT_UNKNOWN)
		r->target = recovery_target_of_files(r->target_what, sizeof(r->target_what), r->cfg,
						     &r->dl);
	else if (f->local == LOCAL_STANDBY && f->replay_paused == FACT_YES)
		r->target =
		    recovery_target_of_local(r->target_what, sizeof(r->target_what), r->cfg, &soon);
	f->target = r->target;
}

static bool holds_term(const struct cfg *cfg)
{
	struct record_memory memory = { .known = FACT_NO };

	if (cfg_has_record(cfg))
		memory = record_memory_read(cfg);
	return memory.newest.present == FACT_YES &&
	       strcmp(memory.newest.holder, cfg_self(cfg)->name) == 0;
}

static void look_at_files(struct rejoin *r)
{
	struct rejoin_facts *f = &r->facts;
	struct rewinding_mark mark = rewinding_read(r->cfg);
	int held = lock_held(file_lock(r->cfg, LOCK_PROMOTE).text);
	struct fenced_mark fenced = fenced_read(r->cfg);

	f->fenced = fenced.present;
	f->fenced_by = fenced.by;
	f->keeps_record = cfg_has_record(r->cfg);
	f->rewinding = mark.present;
	f->rewound = rewind_completed(r->cfg, &mark, &r->control);
	f->undoable = r->undone ? FACT_NO : rewind_wal_kept(r->cfg);
	f->lease_runs = fact_of(right_runs(r->cfg));
	/* A standby that holds the term is to be promoted: until then it must not vote again. */
	f->to_be_promoted = f->local == LOCAL_STANDBY && holds_term(r->cfg);
	f->promoting = held < 0 ? FACT_UNKNOWN : fact_of(held || f->to_be_promoted);
	f->swapping = rebuild_swapping(r->cfg);
	f->watchdog_missing = node_watchdog_missing(r->cfg);
}

/* Only the guard's calls are held up by what failed before: a person's try at once. */
static void look_at_tries(struct rejoin *r)
{
	struct rejoin_tries rewind = tries_read(r->cfg, DEED_REWIND);
	struct rejoin_tries copy = tries_read(r->cfg, DEED_REBUILD);
	struct rejoin_facts *f = &r->facts;

	f->pausing = r->automatic ? rewind.pausing : FACT_NO;
	f->rewind_spent = r->automatic ? rewind.spent : FACT_NO;
	f->copy_pausing = r->automatic ? copy.pausing : FACT_NO;
	f->copy_spent = r->automatic ? copy.spent : FACT_NO;
}

/* Does the word that was given name the directory that is here? */
static void look_at_word(struct rejoin *r)
{
	struct rejoin_facts *f = &r->facts;
	char number[24];

	f->copy_by_itself = r->cfg->rebuild == REBUILD_AUTOMATIC;
	f->copy_by_hand = r->copy_by_hand && !r->rebuilt;
	if (r->discard == NULL || f->form == PGDATA_UNKNOWN || f->form == PGDATA_MISSING)
		return;
	(void)snprintf(number, sizeof(number), "%" PRIu64, r->control.system_identifier);
	f->discard = strcmp(r->discard, r->control.known ? number : "unreadable") == 0;
}

/* ---- the other node ---- */

static struct rejoin_end our_end(const struct rejoin *r)
{
	uint64_t checkpoint = r->control.checkpoint_lsn, minimum = r->control.min_recovery_lsn;
	struct rejoin_end end = { .history = &r->ours };

	if (r->facts.local == LOCAL_STANDBY) {
		end.end = r->local.replayed_lsn;
		end.standby = true;
		return end;
	}
	end.end = minimum > checkpoint ? minimum : checkpoint;
	end.standby = r->facts.form == PGDATA_STANDBY;
	end.open_end = !end.standby && !ended(r);
	return end;
}

/*
 * A standby that has followed the primary onto its timeline, and whose walreceiver is being started
 * anew, looks as if it had gone on along the old one: the control file learns of the new one only
 * with the next checkpoint.  0, or -errno: which one it replays is not known.
 */
static int look_at_replay(struct rejoin *r)
{
	struct deadline soon = deadline_sooner(&r->dl, ASK_MS);
	uint32_t replayed;
	int rc = server_replay_timeline(r->cfg, &replayed, &soon);

	if (rc == 0 && replayed > r->local.timeline)
		r->local.timeline = replayed;
	return rc;
}

static void compare_histories(struct rejoin *r)
{
	struct rejoin_end end = our_end(r);
	uint32_t timeline;

	if (r->facts.local == LOCAL_STANDBY && r->local.timeline < r->peer.timeline &&
	    !r->local.receiving && look_at_replay(r) < 0)
		return;
	timeline = rejoin_our_timeline(r);
	/* Between two looks a history only changes with its timeline. */
	if (r->ours.count == 0 || r->ours.entries[r->ours.count - 1].timeline != timeline)
		if (timeline == 0 || our_history(&r->ours, r->cfg, timeline) < 0)
			return;
	if (r->theirs.count == 0 ||
	    r->theirs.entries[r->theirs.count - 1].timeline != r->peer.timeline)
		if (peer_history(&r->theirs, r->cfg, r->peer.timeline, &r->dl) < 0)
			return;
	r->facts.past = rejoin_compare(&end, &r->theirs, &r->fork);
}

static void look_at_peer(struct rejoin *r)
{
	bool runs = r->facts.local == LOCAL_PRIMARY || r->facts.local == LOCAL_STANDBY;
	uint64_t system = runs ? r->local.system_identifier : r->control.system_identifier;
	uint32_t timeline = rejoin_our_timeline(r);
	struct rejoin_facts *f = &r->facts;

	f->peer = r->peer.state;
	if (f->peer != SERVER_PRIMARY && f->peer != SERVER_STANDBY)
		return;
	if (system != 0)
		f->same_system = fact_of(r->peer.system_identifier == system);
	if (f->same_system != FACT_YES)
		return;
	if (f->peer == SERVER_PRIMARY) {
		f->peer_votes = FACT_NO;
		f->peer_withdrawn = FACT_NO;
		compare_histories(r);
		return;
	}
	f->peer_withdrawn = fact_of(r->peer.withdrawn);
	f->peer_votes = server_votes_for(&r->peer, cfg_self(r->cfg)->address, system, timeline);
	if (r->peer.timeline > timeline)
		f->past = PAST_DIVERGED;
	/* Of a primary that crashed it is not known how far it had come. */
	if (!runs && ended(r) && r->peer.timeline == timeline)
		f->peer_ahead =
		    fact_of(r->peer.received_lsn > r->control.checkpoint_lsn + LAST_RECORD_BYTES);
}

/*
 * A standby that misses WAL starts its walreceiver again and again, and streams for moments.  With
 * an archive PostgreSQL may still get it from there.
 */
static void look_at_wal(struct rejoin *r)
{
	struct rejoin_facts *f = &r->facts;

	if (f->local != LOCAL_STANDBY || f->peer != SERVER_PRIMARY || f->past != PAST_SHARED ||
	    f->streaming == FACT_YES || r->local.receiving) {
		r->away_since_ms = 0;
		return;
	}
	if (r->away_since_ms == 0)
		r->away_since_ms = now_ms();
	if (now_ms() - r->away_since_ms < AWAY_MS)
		return;
	f->wal_gone = peer_wal_gone(r->cfg, r->local.received_lsn, &r->dl);
	if (f->wal_gone == FACT_YES && rewind_has_archive(r->cfg, &r->dl))
		f->wal_gone = FACT_UNKNOWN;
}

void rejoin_gather(struct rejoin *r)
{
	struct deadline soon = deadline_sooner(&r->dl, ASK_MS);
	struct rejoin_facts asked = { .no_resume = r->facts.no_resume,
				      .peer_down_by_operator = r->facts.peer_down_by_operator,
				      .lift = r->facts.lift };

	r->facts = asked;
	r->control = (struct pgdata_control){ 0 };
	r->stray = false;
	r->fork = 0;
	server_ask_both(&r->local, &soon, &r->peer, &soon, r->cfg);
	look_at_local(r);
	look_at_directory(r);
	look_at_target(r);
	look_at_files(r);
	look_at_tries(r);
	look_at_peer(r);
	look_at_word(r);
	look_at_wal(r);
	if ((r->facts.local == LOCAL_DOWN && r->facts.form == PGDATA_PRIMARY) ||
	    rejoin_needs_copy(&r->facts))
		rejoin_gather_right(r);
}
