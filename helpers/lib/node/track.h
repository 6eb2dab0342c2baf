/* SPDX-License-Identifier: PostgreSQL */
/*
 * keepalived's track files: a bare decimal number, replaced by rename.  keepalived takes a missing
 * or garbled one for 0, so 0 is the no.
 */
#ifndef PGV_TRACK_H
#define PGV_TRACK_H

#include "base/auto.h"
#include "config/cfg.h"

/* Each is a file below run_dir, named like its value: who writes it, and what it says. */
enum track {
	TRACK_SERVING,  /* TRACK_YES: this node serves.  TRACK_YES is written by check_primary and
			   promote_safe only, TRACK_NO by anybody */
	TRACK_ELECTION, /* TRACK_YES: stand for election; TRACK_NO: stand aside.  guard, fence_self,
			   rejoin */
	TRACK_PRIORITY, /* what is added to the priority of both instances.  check_primary,
			   promote_safe, rejoin */
};
/* "serving", "election", "priority". */
const char *track_word(enum track track);

enum { TRACK_NO = 0, TRACK_YES = 1 }; /* serving, election: tracked with "reverse" */
int track_write(const struct cfg *cfg, enum track track, int value) MUST_CHECK;
/* Strict: one to four digits and a newline, else -ENOENT, -EINVAL and *value is -1 (keepalived
 * would take garbage for 0, healthy; we do not). */
int track_read(const struct cfg *cfg, enum track track, int *value) MUST_CHECK;

/*
 * Writes serving = 1 under serving.lock, after looking once more, under the lock, that the node is
 * not fenced (known) and that the lease or the grant runs; then looks again and withdraws it when
 * that changed meanwhile.  Writes nothing when it is 1 already.  0, -EACCES when the right is not
 * there (serving is then 0), or -errno: -ETIMEDOUT when the lock was not free within 100 ms.
 */
int serving_begin(const struct cfg *cfg) MUST_CHECK;
/* Writes serving = 0.  Waits at most 100 ms for the lock, then writes without it: the
 * doubt wins. */
int serving_end(const struct cfg *cfg) MUST_CHECK;

#endif
