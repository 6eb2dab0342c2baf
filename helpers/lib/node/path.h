/* SPDX-License-Identifier: PostgreSQL */
/*
 * Where the files that a node keeps about itself are, and what each of them means.  Each kind has a
 * module of its own: track.h, mark.h, stamp.h, answer.h, contact.h, follower.h, attempt.h,
 * leased.h, unbidden.h, history.h.
 *
 * Below run_dir (gone at reboot):
 * - serving, election, priority: keepalived's track files (enum track, track.h)
 * - lease, grant, vote and others: times of this boot (enum stamp, stamp.h)
 * - record: the newest row of the record, and since when its version stands (record_memory.h)
 * - follower: on a primary with a record: what it last knew of its standby.  check_primary
 * - contact: on a standby: when it last proved that the primary lives, how far it had streamed
 * - attempt.NAME: the last verdicts of helpers (enum attempt, attempt.h)
 * - news.NAME: which of them the log was told last, and when (news.h)
 * - fenced: the same mark as in state_dir, for where that could not be written; data_dir has it
 *   then too, as pg_vrrp.fenced
 * - NAME.lock: enum node_lock, below
 *
 * Below state_dir (survives reboots):
 * - fenced, withdrawn, rewinding, rebuilding: enum mark, below.  data_dir has a mark of
 *   a withdrawn vote too, as pg_vrrp.withdrawn
 * - leased: a right to serve was once given to a database of this node (leased.h); data_dir has it
 *   too, as pg_vrrp.leased
 * - kept.FILE, kept.wal/: this node's configuration files and WAL, while pg_rewind replaces them
 * - tries.rewind, tries.rebuild: how often it failed in the same way, and when
 * - record: the record as it was when anything but its version last changed: never older again
 * - baseline.NODE: the witness host was able to reach that node in good times
 * - agent.NODE: the fence agent was seen to say that the node is on
 * - unbidden: a timeline that nobody gave this node the right to begin (unbidden.h)
 * - salvage/: what diverged, kept before it was overwritten (salvage/salvage_shelf.h)
 * - history: one JSON line for each fence, promotion, rejoin; history.1 the older ones
 *
 * In both: NAME.new.XXXXXX while NAME is being written; what a killed writer left is swept by the
 * guard as it starts (state_sweep)
 */
#ifndef PGV_PATH_H
#define PGV_PATH_H

#include "base/auto.h"
#include "config/cfg.h"

struct file_path {
	char text[CFG_PATH_MAX + 32];
};

/* run_dir/NAME, state_dir/NAME and data_dir/NAME.  One that is too long becomes a path that gives
 * ENOTDIR, never ENOENT. */
struct file_path file_run(const struct cfg *cfg, const char *name);
struct file_path file_state(const struct cfg *cfg, const char *name);
struct file_path file_data(const struct cfg *cfg, const char *name);

/* Each is a file below state_dir: that it is there is what it says (mark.h). */
enum mark {
	MARK_FENCED,     /* this node was fenced: its server must not run as a primary.  guard,
			    fence_self; removed by rejoin */
	MARK_WITHDRAWN,  /* this standby's vote is withdrawn; holds the primary_conninfo to restore.
			    promote_safe, which also removes it; removed by rejoin */
	MARK_REWINDING,  /* pg_rewind has begun and was not seen to end: the directory must not be
			    started.  rejoin */
	MARK_REBUILDING, /* a new copy is being taken, or takes the place of the old one
			    (rebuild.h).  rejoin */
};
/* "fenced", "withdrawn", "rewinding", "rebuilding": the name of the file. */
const char *mark_word(enum mark mark);
struct file_path file_mark(const struct cfg *cfg, enum mark mark);

/* Each is a file below run_dir on which a lock is held (lock.h): by whom, and what it
 * keeps apart. */
enum node_lock {
	LOCK_PROMOTE, /* promote_safe, as long as it runs; rejoin, while it gives the vote back */
	LOCK_REJOIN,  /* rejoin, as long as it runs */
	LOCK_START,   /* who starts the server, or makes sure that it is not started */
	LOCK_SERVING, /* serving_begin, serving_end (track.h) */
	LOCK_GUARD,   /* the guard, as long as it lives */
	LOCK_RECORD,  /* who writes a right into a file, or takes it away, by the record's word */
	LOCK_MEMORY,  /* record_memory.h */
	LOCK_WATCH,   /* check_primary --watch, as long as it lives */
	LOCK_PLANNED, /* switchover and restart, as long as they run */
	LOCK_DRILL,   /* drill, as long as it runs */
	LOCK_SLOTS,   /* replication_slots, as long as it acts */
	LOCK_FENCING, /* fence_mutual.h: who begins to fence, and the one who is being fenced */
	LOCK_FENCING_HELD, /* who fences the other node, as long as it lives */
};
struct file_path file_lock(const struct cfg *cfg, enum node_lock lock);

/* Makes both directories.  0 or -errno. */
int files_prepare(const struct cfg *cfg) MUST_CHECK;

#endif
