/* SPDX-License-Identifier: PostgreSQL */
#ifndef PGV_STAMP_H
#define PGV_STAMP_H

#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "config/cfg.h"

/* Each is a file below run_dir, named like its value: who writes it, and which time it holds. */
enum stamp {
	STAMP_LEASE,    /* guard: until when its lease runs; the word: what prolonged it last */
	STAMP_GRANT,    /* promote_safe, rejoin (also by an operator's word): until when a right to
			     serve runs that was just won.  Removed by the guard */
	STAMP_VOTE,     /* check_primary: when the peer was asked for the last vote that it gave */
	STAMP_RENEWED,  /* check_primary: when the renewal of the record was sent that the witness
			     last answered */
	STAMP_SOLO,     /* check_primary, promote_safe, rejoin: when the record was asked that says
			     that only this node may serve.  Written under record.lock */
	STAMP_UNLEASED, /* check_primary: since when it has seen a primary without a lease */
	STAMP_STRAY,    /* guard: when a primary was seen to run with standby.signal or
			     recovery.signal (the word) in its directory: the file says nothing
			     about that directory.  Removed by the guard and by rejoin */
	STAMP_KEEPALIVED, /* check_answer: when keepalived last called it */
	STAMP_ANSWER,     /* check_primary --watch: when its last round began; the word: what that
			     found out (answer.h) */
	STAMP_ASKED,     /* who asks a server to be promoted: when, though nobody has seen it happen
			      yet (server_promote) */
	STAMP_WATCHDOG,  /* guard: when what it found or left of the watchdog last changed
			      (watchdog_stamp.h explains the word) */
	STAMP_DISK_FULL, /* check_primary: since when the server's disk has been full; the word:
			    whether the node stepped down for it */
	STAMP_FOLLOWED,  /* check_primary: when this standby was last seen to stream from the holder
			    of the record's term; the word: that term, a dot, its timeline */
	STAMP_HANDOVER, /* switchover, restart: until when the guard leaves the end of the server to
			   them */
	STAMP_STARTING, /* rejoin: until when its gate lets the start through that it has decided on
			   and asked systemd for (the word).  Removed by rejoin */
	STAMP_FENCING,  /* fence_mutual.h: when this node last fenced the one that the word names */
};

/* The name of its file. */
const char *stamp_word(enum stamp stamp);

/* The word of a grant that a promotion has won: it is of a server that ran, and starts none. */
#define GRANT_OF_PROMOTION "promotion"

/*
 * ---- times of this boot ----
 * One CLOCK_BOOTTIME stamp each, with the boot id and a word.  None, or one of another boot:
 * -ENOENT; garbage: -EINVAL; further ahead than one lease from now: -ERANGE, because no right lasts
 * longer than that (it was given under another configuration than the peer's waits).  Then *at_ms
 * is 0: never "just now".
 */
int stamp_write(const struct cfg *cfg, enum stamp stamp, int64_t at_ms,
		const char *word) MUST_CHECK;
int stamp_read(const struct cfg *cfg, enum stamp stamp, int64_t *at_ms, char *word,
	       size_t size) MUST_CHECK;

/* Takes the stamp away.  0 also when there was none. */
int stamp_clear(const struct cfg *cfg, enum stamp stamp) MUST_CHECK;

/* Is it now before the time in this file (lease, grant)? */
bool stamp_runs(const struct cfg *cfg, enum stamp stamp);

/*
 * May this node's right to serve be believed at this moment?  It is the guard's lease, or a right
 * that was just won and has not become a lease yet.  A fence stands above both (fenced_read).
 */
bool right_runs(const struct cfg *cfg);

#endif
