/* SPDX-License-Identifier: PostgreSQL */
/* The right to start as a primary: taken just before the start, by whoever starts the server. */
#ifndef PGV_REJOIN_RIGHT_H
#define PGV_REJOIN_RIGHT_H

#include "base/verdict.h"
#include "rejoin/rejoin_gather.h"

/*
 * Asks what the record says for a directory that would start as a primary; RIGHT_UNUSED where the
 * witness keeps none.  And what follows for its history: a timeline that nobody gave this node the
 * right to begin is not newer than the one of the primary that holds the term.  It is what
 * diverged, and is kept aside and rewound as ever.
 */
void rejoin_gather_right(struct rejoin *r);

/*
 * Under start.lock, which is left in *lock: looks once more that the right stands, writes it down
 * (with a record: at the witness first) and answers the fenced mark.  0: the server may be started
 * at once; -EAGAIN: something has changed, look at everything again; another -errno with *verdict
 * filled.
 */
int rejoin_take_right(struct rejoin *r, int *lock, struct verdict *verdict);

/*
 * Takes a signal file away that came while this directory's primary ran, and the guard's note of
 * it. With the file, a server that is started as a primary would come up as a standby and follow
 * whomever, and crash recovery in single-user mode is refused.  0, or -errno with *verdict filled.
 */
int rejoin_forget_stray(const struct rejoin *r, struct verdict *verdict);

/* Does a mark written by `by` give way to the right that was found?  Pure. */
bool rejoin_mark_answered(const struct rejoin_facts *f, enum fenced_by by);

/* May a person take the mark of a standby away, so that it may be promoted?  Pure. */
bool rejoin_may_lift(const struct rejoin_facts *f, enum fenced_by by);

/* Under start.lock: does so, where the mark that is there now may be.  Returns as a step does. */
bool rejoin_lift(struct rejoin *r, struct verdict *verdict);

#endif
