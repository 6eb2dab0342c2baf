/* SPDX-License-Identifier: PostgreSQL */
/*
 * Every file that a node keeps about itself: names, meaning, and who may write it.  See
 * docs/files.md.  Paths and history are in files.c, track files in track.c, marks in marks.c, times
 * in stamps.c.
 *
 * Below run_dir (gone at reboot):
 * - serving: track file of keepalived: 1 this node serves, 0 it does not.  1 is written by
 *   check_primary and promote_safe only, 0 by anybody
 * - election: track file: 1 stand for election, 0 stand aside.  guard, fence_self, rejoin
 * - priority: track file: added to the priority of both instances
 * - lease: the guard's lease: until when, how it was last renewed
 * - vote: the peer's last vote for this primary.  check_primary
 * - renewed: when the renewal of the record was sent that the witness last answered.  check_primary
 * - solo: the record says that only this node may serve.  Written under record.lock
 * - record: the newest row of the record, and since when its version stands (record_memory.h)
 * - follower: on a primary with a record: what it last knew of its standby.  check_primary
 * - grant: a right to serve that was just won.  promote_safe, rejoin, or an operator's word
 * - contact: on a standby: when it last proved that the primary lives, how far it had streamed
 * - keepalived: when keepalived last called check_primary
 * - attempt.HELPER: the last verdict of promote_safe and rejoin, for cluster_status;
 *   attempt.rejoin_check: of rejoin --check
 * - watchdog: how the guard found or left the watchdog (guard_watchdog.h)
 * - fenced: the same mark as in state_dir, for where that could not be written
 * - promote.lock, rejoin.lock, start.lock, serving.lock, guard.lock, record.lock,
 *   record_memory.lock, slots.lock
 *
 * Below state_dir (survives reboots):
 * - fenced: this node was fenced: its server must not run as a primary.  Removed by rejoin
 * - withdrawn: this standby's vote is withdrawn; holds the primary_conninfo to restore
 * - rewinding: pg_rewind has begun and was not seen to end: the directory must not be started
 * - kept.FILE, kept.wal/: this node's configuration files and WAL, while pg_rewind replaces them
 * - rebuilding: a new copy is being taken, or takes the place of the old one (rebuild.h)
 * - tries.rewind, tries.rebuild: how often it failed in the same way, and when
 * - record: the record as it was when anything but its version last changed: never older again
 * - baseline.NODE: the witness host was able to reach that node in good times
 * - agent.NODE: the fence agent was seen to say that the node is on
 * - salvage/: what diverged, kept before it was overwritten (rejoin/salvage_shelf.h)
 * - history: one JSON line for each fence, promotion, rejoin; history.1 the older ones
 *
 * In both: NAME.new.XXXXXX while NAME is being written; what a killed writer left is swept by the
 * guard as it starts (state_sweep)
 */
#ifndef PGV_FILES_H
#define PGV_FILES_H

#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/outcome.h"
#include "config/cfg.h"

struct file_path {
	char text[CFG_PATH_MAX + 32];
};

/* run_dir/NAME and state_dir/NAME.  One that is too long becomes a path that gives ENOTDIR, never
 * ENOENT. */
struct file_path file_run(const struct cfg *cfg, const char *name);
struct file_path file_state(const struct cfg *cfg, const char *name);

/* Makes both directories.  0 or -errno. */
int files_prepare(const struct cfg *cfg) MUST_CHECK;

/* Copies text with control characters replaced by spaces: one line stays one line.  NULL is "". */
void file_clean(char *out, size_t size, const char *text);
/* "2026-11-23T06:40:00Z", for people only; "" when it cannot be told. */
void file_wall_clock(char *text, size_t size);

/* The random id of this boot (/proc/sys/kernel/random/boot_id): CLOCK_BOOTTIME stamps of another
 * boot mean nothing. In containers and test networks that share a kernel it is the same for all,
 * which is right. 0 or -errno. */
int boot_id(char *id, size_t size) MUST_CHECK;

/* ---- keepalived's track files: a bare decimal number, replaced by rename.
 * keepalived takes a missing or garbled one for 0, so 0 is the no. ---- */
enum { TRACK_NO = 0, TRACK_YES = 1 }; /* serving, election: tracked with "reverse" */
int track_write(const struct cfg *cfg, const char *name, int value) MUST_CHECK;
/* Strict: one to four digits and a newline, else -ENOENT, -EINVAL and *value is -1 (keepalived
 * would take garbage for 0, healthy; we do not). */
int track_read(const struct cfg *cfg, const char *name, int *value) MUST_CHECK;

/*
 * Writes serving = 1 under serving.lock, after looking once more, under the lock, that the node is
 * not fenced (known) and that the lease or the grant runs; then looks again and withdraws it when
 * that changed meanwhile.  Writes nothing when it is 1 already.  0, -EACCES when the right is not
 * there (serving is then 0), or -errno: -ETIMEDOUT when the lock was not free within 100 ms.
 */
int serving_begin(const struct cfg *cfg) MUST_CHECK;
/* Writes serving = 0.  Waits at most 100 ms for the lock, then writes without it: the doubt wins.
 */
int serving_end(const struct cfg *cfg) MUST_CHECK;

/*
 * ---- fenced ----
 * NO only when the file is absent from a state directory that is there.  A file in whatever
 * condition is YES.  The same holds for withdrawn and rewinding.
 * Fenced is written to run_dir too: a file system that has become read-only is what ends many a
 * server, and nothing but a lease or a grant of this boot needs to be outlived.  0 when either
 * holds it.
 */
struct fenced_mark {
	enum fact present;     /* UNKNOWN: could not be read; counts as present */
	char reason[160];      /* of the fence; why, when UNKNOWN */
	char by[CFG_NAME_MAX]; /* node, "guard" (a lease that ended), "operator" */
};
struct fenced_mark fenced_read(const struct cfg *cfg);
int fenced_write(const struct cfg *cfg, const char *reason, const char *by) MUST_CHECK;
int fenced_clear(const struct cfg *cfg) MUST_CHECK;

/* ---- withdrawn: value is the primary_conninfo to restore; "" also when it cannot be read ---- */
enum fact withdrawn_read(const struct cfg *cfg, char *conninfo, size_t size);
int withdrawn_write(const struct cfg *cfg, const char *conninfo) MUST_CHECK;
int withdrawn_clear(const struct cfg *cfg) MUST_CHECK;

/*
 * ---- rewinding ----
 * Begun: pg_rewind may have changed the directory, which must not be started.  Done: it ended well,
 * and only the rest of making a standby is missing.  Removed when that is there.  A mark that was
 * left by another directory than the one that is there now (a base backup was taken) is none.
 */
struct rewinding_mark {
	enum fact present;
	uint64_t system_identifier; /* of the source; 0 when it cannot be read */
	bool done;
	bool this_boot; /* written since this host was started */
};
struct rewinding_mark rewinding_read(const struct cfg *cfg);
int rewinding_write(const struct cfg *cfg, uint64_t system_identifier, bool done) MUST_CHECK;
int rewinding_clear(const struct cfg *cfg) MUST_CHECK;

/*
 * ---- times of this boot ----
 * lease (until), vote (sent), renewed (sent), solo (written), grant (until), keepalived (called),
 * watchdog (changed): one CLOCK_BOOTTIME stamp each,
 * with the boot id and a word.  None, or one of another boot: -ENOENT; garbage: -EINVAL; further
 * ahead than one lease from now: -ERANGE, because no right lasts longer than that (it was given
 * under another configuration than the peer's waits).  Then *at_ms is 0: never "just now".
 */
int stamp_write(const struct cfg *cfg, const char *name, int64_t at_ms,
		const char *word) MUST_CHECK;
int stamp_read(const struct cfg *cfg, const char *name, int64_t *at_ms, char *word,
	       size_t size) MUST_CHECK;

/* Takes the stamp away.  0 also when there was none. */
int stamp_clear(const struct cfg *cfg, const char *name) MUST_CHECK;

/* Does the right that stands in this file (lease, grant) run now? */
bool stamp_runs(const struct cfg *cfg, const char *name);

/* ---- contact: what a standby last knew of its primary.  Strict; not known for a file of another
 * boot, garbage, or a time that is still to come ---- */
struct contact {
	bool known;
	int64_t seen_ms;       /* the primary's server answered our question, which we sent then */
	int64_t streaming_ms;  /* a walreceiver was streaming then; 0: not in this boot */
	uint64_t primary_lsn;  /* its write position then */
	uint64_t received_lsn; /* ours, when streaming_ms was taken */
	uint32_t timeline;
};
struct contact contact_read(const struct cfg *cfg);
int contact_write(const struct cfg *cfg, const struct contact *contact) MUST_CHECK;

/* ---- follower: what a primary last knew of its standby.  Strict, as contact ---- */
struct follower {
	bool known;
	int64_t asked_ms; /* the last question to our own server was sent then */
	int64_t
	    good_since_ms; /* it has streamed and made progress in every answer since; 0: not now */
	int64_t good_ms;   /* and did so last then */
	uint64_t flush_lsn;  /* what it had flushed, as last known */
	int64_t postmaster;  /* pid of our server: of another one all of this says nothing */
	int64_t sender;      /* pid of the walsender that it streamed from last */
	uint64_t target_lsn; /* it is to have flushed that before it may be paired; 0: none set */
};
struct follower follower_read(const struct cfg *cfg);
int follower_write(const struct cfg *cfg, const struct follower *follower) MUST_CHECK;

/* ---- baseline: was the witness host able to reach NODE in good times? with the addresses of
 * today's configuration ---- */
enum fact baseline_read(const struct cfg *cfg, const char *node);
int baseline_write(const struct cfg *cfg, const char *node) MUST_CHECK;

/* ---- agent: has the fence agent of today's configuration ever said that NODE is on?  One that only
 * ever said "off" may not have understood the question ---- */
enum fact agent_seen_on(const struct cfg *cfg, const char *node);
int agent_note_on(const struct cfg *cfg, const char *node) MUST_CHECK;
/* It was caught saying "off" of a node that is on. */
int agent_forget_on(const struct cfg *cfg, const char *node) MUST_CHECK;

/* ---- attempt and history ---- */
int attempt_write(const struct cfg *cfg, const char *helper,
		  const struct verdict *verdict) MUST_CHECK;
/* Copies the last verdict of `helper` as text: "refused witness-unseen: message (detail)"; -ENOENT
 * when there is none. */
int attempt_read(const struct cfg *cfg, const char *helper, char *text, size_t size) MUST_CHECK;
/* Yes or no, when that is how such a text begins. */
enum fact attempt_fact(const char *text);
/* The same of the last verdict of `helper`. */
enum fact attempt_said(const struct cfg *cfg, const char *helper);
/* Was the last verdict of `helper` of the same outcome and rule?  Then it need not be told again.
 */
bool attempt_is_same(const struct cfg *cfg, const char *helper, const struct verdict *verdict);
/* The same, and a minute has not passed since: what returns after a time of rest is told again. */
bool attempt_is_told(const struct cfg *cfg, const char *helper, const struct verdict *verdict);
/* Appends {"at":wall clock for people,"boot_ms":..,"node":..,"event":..,"detail":..}. */
int history_add(const struct cfg *cfg, const char *event, const char *detail) MUST_CHECK;
/* Event "salvaged", with "salvaged":{"path":..,"transactions":..,"bytes":..} besides. */
int history_add_salvaged(const struct cfg *cfg, const char *detail, const char *path,
			 int64_t transactions, int64_t bytes) MUST_CHECK;

#endif
