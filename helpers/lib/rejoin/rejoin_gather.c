/* SPDX-License-Identifier: PostgreSQL */
#include "rejoin/rejoin_gather.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/lock.h"
#include "base/log.h"
#include "node/files.h"
#include "rejoin/rejoin_peer.h"
#include "rejoin/rejoin_right.h"
#include "rejoin/rewind.h"

/* Both are asked at the same time; a server that lives answers in milliseconds. */
#define ASK_MS 1000
/* A postmaster that has just been started has no postmaster.pid for an instant. */
#define LOOK_TWICE_MS 100
/* A walreceiver that is turned away ends within milliseconds. */
#define STEADY_MS 1500
/* After pg_rewind failed, the guard's calls do not run it again for so long. */
#define PAUSE_MS 30000
/* What may lie between the begin of a shutdown checkpoint and the end of the WAL: its record, some
 * 120 bytes, and
 * a page header. */
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
 * about to tell it that their histories part.  So it counts when the primary says so too, or when
 * it has been so for a while.
 */
static enum fact streams(struct rejoin *r)
{
	if (!r->local.receiving || r->facts.follows != FACT_YES) {
		r->receiving_since_ms = 0;
		return FACT_NO;
	}
	if (r->receiving_since_ms == 0)
		r->receiving_since_ms = now_ms();
	if (r->peer.state == SERVER_UNKNOWN)
		return FACT_UNKNOWN;
	return fact_of(r->peer.state == SERVER_PRIMARY &&
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
	f->clean = fact_of(r->control.shut_down);
	f->can_rewind = fact_of(r->control.checksums || r->control.wal_log_hints);
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
	int held = lock_held(file_run(r->cfg, "promote.lock").text);
	struct fenced_mark fenced;
	int64_t failed_ms;

	fenced = fenced_read(r->cfg);
	f->fenced = fenced.present;
	f->fenced_by_guard = strcmp(fenced.by, "guard") == 0;
	f->fenced_by_peer = strcmp(fenced.by, cfg_peer(r->cfg)->name) == 0;
	f->rewinding = mark.present;
	f->rewound = rewind_completed(r->cfg, &mark, &r->control);
	f->undoable = r->undone ? FACT_NO : rewind_wal_kept(r->cfg);
	f->lease_runs = fact_of(stamp_runs(r->cfg, "lease") || stamp_runs(r->cfg, "grant"));
	/* A standby that holds the term is to be promoted: until then it must not vote again. */
	f->promoting = held < 0
			   ? FACT_UNKNOWN
			   : fact_of(held || (f->local == LOCAL_STANDBY && holds_term(r->cfg)));
	f->pausing =
	    fact_of(r->automatic && stamp_read(r->cfg, REJOIN_FAILED, &failed_ms, NULL, 0) == 0 &&
		    now_ms() - failed_ms < PAUSE_MS);
}

/* ---- the other node ---- */

uint32_t rejoin_our_timeline(const struct rejoin *r)
{
	if (r->facts.local == LOCAL_PRIMARY || r->facts.local == LOCAL_STANDBY)
		return r->local.timeline;
	if (!r->control.known)
		return 0;
	/* A promotion shows here before the next checkpoint does. */
	return r->control.min_recovery_timeline > r->control.timeline
		   ? r->control.min_recovery_timeline
		   : r->control.timeline;
}

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
	end.open_end = !end.standby && !r->control.shut_down;
	return end;
}

static void compare_histories(struct rejoin *r)
{
	uint32_t timeline = rejoin_our_timeline(r);
	struct rejoin_end end = our_end(r);

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
	if (!runs && r->control.shut_down && r->peer.timeline == timeline)
		f->peer_ahead =
		    fact_of(r->peer.received_lsn > r->control.checkpoint_lsn + LAST_RECORD_BYTES);
}

void rejoin_gather(struct rejoin *r)
{
	struct deadline soon = deadline_sooner(&r->dl, ASK_MS);
	struct rejoin_facts asked = { .no_resume = r->facts.no_resume,
				      .peer_down_by_operator = r->facts.peer_down_by_operator };

	r->facts = asked;
	r->control = (struct pgdata_control){ 0 };
	r->fork = 0;
	server_ask_both(&r->local, &soon, &r->peer, &soon, r->cfg);
	look_at_local(r);
	look_at_directory(r);
	look_at_files(r);
	look_at_peer(r);
	if (r->facts.local == LOCAL_DOWN && r->facts.form == PGDATA_PRIMARY)
		r->facts.right = rejoin_look_at_record(r);
}

/* ---- for people ---- */

static const char *form_word(enum pgdata_form form)
{
	switch (form) {
	case PGDATA_STANDBY:
		return "a standby's";
	case PGDATA_RECOVERY:
		return "a restore's";
	case PGDATA_PRIMARY:
		return "a primary's";
	case PGDATA_MISSING:
		return "no";
	case PGDATA_UNKNOWN:
		break;
	}
	return "unreadable";
}

static const char *local_word(enum rejoin_local local)
{
	static const char *const words[LOCALS] = {
		[LOCAL_UNKNOWN] = "silent",  [LOCAL_DOWN] = "down",
		[LOCAL_ORPHANS] = "orphans", [LOCAL_SINGLE] = "single-user",
		[LOCAL_OTHER] = "another's", [LOCAL_STARTING] = "starting",
		[LOCAL_PRIMARY] = "primary", [LOCAL_STANDBY] = "standby",
	};

	return local < LOCALS ? words[local] : "unknown";
}

static bool wants_backup(const char *rule)
{
	static const char *const rules[] = { "directory-missing", "half-rewound", "cannot-rewind",
					     "same-timeline", "unrelated" };

	for (size_t i = 0; i < ARRAY_COUNT(rules); i++)
		if (strcmp(rule, rules[i]) == 0)
			return true;
	return false;
}

/* Short of what only matters to a standby that runs: rejoin sets that when it sees it. */
static void backup_command(const struct cfg *cfg, char *text, size_t size)
{
	(void)snprintf(text, size,
		       "as %s: %s/pg_basebackup -R -D %s -d \"host=%s port=%" PRId64
		       " user=%s passfile=%s%s%s\"",
		       cfg->os_user, cfg->bin_dir, cfg->data_dir, cfg_peer(cfg)->address, cfg->port,
		       cfg->role, cfg->passfile, cfg->conninfo[0] != '\0' ? " " : "",
		       cfg->conninfo);
}

static void describe_peer(const struct rejoin *r, char *text, size_t size)
{
	char fork[32];
	int used;

	if (r->peer.state != SERVER_PRIMARY && r->peer.state != SERVER_STANDBY) {
		(void)snprintf(text, size, "%s (%.90s)", server_state_word(r->peer.state),
			       r->peer.why);
		return;
	}
	used = snprintf(text, size, "%s, timeline %" PRIu32, server_state_word(r->peer.state),
			r->peer.timeline);
	if (used < 0 || (size_t)used >= size || r->fork == 0 || r->fork == HISTORY_FILE_OPEN)
		return;
	lsn_format(r->fork, fork, sizeof(fork));
	(void)snprintf(text + used, size - (size_t)used, ", forked at %s", fork);
}

static void describe_record(const struct rejoin *r, char *text, size_t size)
{
	char words[200];

	text[0] = '\0';
	if (r->facts.right == RIGHT_UNUSED)
		return;
	if (r->trust == RECORD_GOOD)
		record_words(&r->record, r->cfg, words, sizeof(words));
	else
		(void)snprintf(words, sizeof(words), "%s",
			       r->trust == RECORD_SILENT ? r->link.why
							 : record_trust_word(r->trust));
	(void)snprintf(text, size, "record: %.100s; ", words);
}

void rejoin_detail(const struct rejoin *r, const struct verdict *verdict, char *text, size_t size)
{
	const struct pgdata_control *control = &r->control;
	char checkpoint[32] = "?", peer[160], record[120];

	if (wants_backup(verdict->rule)) {
		backup_command(r->cfg, text, size);
		return;
	}
	if (control->known)
		lsn_format(control->checkpoint_lsn, checkpoint, sizeof(checkpoint));
	describe_peer(r, peer, sizeof(peer));
	describe_record(r, record, sizeof(record));
	(void)snprintf(
	    text, size, "%sserver %s, %s data, timeline %" PRIu32 ", checkpoint %s, %s; %s: %s",
	    record, local_word(r->facts.local), form_word(r->facts.form), rejoin_our_timeline(r),
	    checkpoint, control->known ? control->state : control->why, cfg_peer(r->cfg)->name,
	    peer);
}
