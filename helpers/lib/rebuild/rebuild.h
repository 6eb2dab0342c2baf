/* SPDX-License-Identifier: PostgreSQL */
/*
 * A new copy of the primary in the place of this node's data directory, by pg_basebackup(1).
 *
 * It grows beside the data directory under a name of its own (DATA_DIR.pgv-new-NUMBER), and in each
 * tablespace's directory (pgv-new-CLUSTER-NUMBER).  When it is whole, the old directory is renamed
 * (DATA_DIR.pgv-old-TIME, pgv-old-CLUSTER-TIME) and the new one takes its name.  Killed before
 * that: what is half is removed by the next run.  Killed while names change: the mark "rebuilding"
 * says how to go on, and until then there is no data directory that anybody could start.
 */
#ifndef PGV_REBUILD_H
#define PGV_REBUILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/auto.h"
#include "base/deadline.h"
#include "base/outcome.h"
#include "base/proc.h"
#include "config/cfg.h"
#include "postgres/server_slots.h"

#define REBUILD_PATH_MAX   512
#define REBUILD_SPACES_MAX 64

/* ---- what there is to be copied (rebuild_source.c) ---- */

struct rebuild_space {
	uint32_t oid;
	int64_t bytes;
	char theirs[REBUILD_PATH_MAX]; /* its directory on the other node */
	char ours[REBUILD_PATH_MAX];   /* and here: where it has been so far, else the same */
};

struct rebuild_source {
	int64_t bytes;      /* all of it */
	int64_t base_bytes; /* what lies in the data directory */
	bool replication;   /* the role may replicate */
	char wal_level[16];
	int64_t senders;          /* walsenders that are free */
	char slot[SLOT_NAME_MAX]; /* holds WAL for this node from the copy on; "": there is none */
	size_t count;
	struct rebuild_space spaces[REBUILD_SPACES_MAX];
};

/* Asks the primary.  0 or -errno with why filled. */
int rebuild_source_ask(struct rebuild_source *source, const struct cfg *cfg,
		       const struct deadline *dl, char *why, size_t size) MUST_CHECK;

/* How far it has come, as the primary sees it. */
struct rebuild_progress {
	int64_t done_bytes;
	int64_t total_bytes; /* an estimate of the primary's; 0: not known yet */
	char phase[64];
};
int rebuild_progress_ask(struct rebuild_progress *progress, const struct cfg *cfg,
			 const struct deadline *dl) MUST_CHECK;

/* "12.3 of 20.0 GB, 61 %, 110 MB/s, 1 min 10 s left".  Pure. */
void rebuild_progress_words(const struct rebuild_progress *progress, int64_t ms, char *text,
			    size_t size);

/* ---- where (rebuild_place.c) ---- */

struct rebuild_place {
	char data[REBUILD_PATH_MAX]; /* the data directory, without symbolic links */
	char fresh[REBUILD_PATH_MAX];
	char aside[REBUILD_PATH_MAX];
	char wal[REBUILD_PATH_MAX]; /* where pg_wal goes, where it is a symbolic link; else "" */
	char number[24];            /* of the new copy, in all of its names */
	uid_t uid;
	gid_t gid;
};

/* Finds the place and the names.  0; -EBUSY: the data directory is a mount point; -errno. */
int rebuild_place_find(struct rebuild_place *place, const struct cfg *cfg) MUST_CHECK;

/* Where each tablespace lies here.  0, or -errno with why filled: its directory is not there, or
 * what is in it is not of this data directory. */
int rebuild_place_spaces(const struct rebuild_place *place, const struct cfg *cfg,
			 struct rebuild_source *source, char *why, size_t size) MUST_CHECK;

/* Is there room?  0; -ENOSPC, and another -errno, with why filled. */
int rebuild_place_room(const struct rebuild_place *place, const struct rebuild_source *source,
		       char *why, size_t size) MUST_CHECK;

/* Makes the empty directories that pg_basebackup fills. */
int rebuild_place_make(const struct rebuild_place *place, const struct cfg *cfg,
		       const struct rebuild_source *source) MUST_CHECK;

/* pgv-new-CLUSTER-NUMBER in the directory of a tablespace. */
int rebuild_space_path(char *path, size_t size, const struct cfg *cfg, const char *where,
		       const char *number) MUST_CHECK;

/* ---- changing names (rebuild_swap.c) ---- */

/* The mark "rebuilding": begun with, and half a copy may be there; or swap: names are changing. */
int rebuild_mark_write(const struct cfg *cfg, const struct rebuild_place *place,
		       bool swap) MUST_CHECK;
int rebuild_mark_clear(const struct cfg *cfg) MUST_CHECK;

/* Does a whole copy wait for its name, and is there no data directory? */
enum fact rebuild_swapping(const struct cfg *cfg);

/* Goes on from wherever it is; the mark must be there.  0 or -errno.  aside: the old directory. */
int rebuild_swap(const struct cfg *cfg, char *aside, size_t size) MUST_CHECK;

/* ---- taking away (rebuild_old.c) ---- */

/* Half copies of runs that were killed. */
int rebuild_forget(const struct cfg *cfg, const struct deadline *dl) MUST_CHECK;

/* The work that is left once the new copy streams, by keep_old. */
void rebuild_tidy(const struct cfg *cfg, const struct deadline *dl);

/* The old directories, but for the newest one (newest), for none, or for all. */
void rebuild_drop_old(const struct cfg *cfg, enum keep_old keep, const struct deadline *dl);

/* ---- copying (rebuild_copy.c) ---- */

/* Starts pg_basebackup as os_user.  The caller watches it. */
int rebuild_copy_begin(struct proc *child, const struct cfg *cfg, const struct rebuild_place *place,
		       const struct rebuild_source *source) MUST_CHECK;

/* application_name of pg_basebackup: never the node's, which may be a synchronous standby's. */
void rebuild_application_name(char *text, size_t size, const struct cfg *cfg);

#endif
