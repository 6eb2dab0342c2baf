/* SPDX-License-Identifier: PostgreSQL */
/* The steps of promote_safe: each can be killed at any line, and the next run takes up what it
 * finds. */
#ifndef PGV_PROMOTE_ACT_H
#define PGV_PROMOTE_ACT_H

#include "base/auto.h"
#include "base/verdict.h"
#include "promote/promote_gather.h"

/*
 * The witness host looks from the first moment on, while we still ask the peer: its window has to
 * be over when our own wait is.  A host that turns out to be well has not been touched.
 */
void promote_begin_observing(struct promotion *p);

/*
 * From the moment that this is verified the old primary gets no vote of ours, so its lease can only
 * go on through the witness.  What was there is kept on disk first: killed in between, the next run
 * gives it back.  0, or -errno.
 */
int promote_withdraw(struct promotion *p) MUST_CHECK;

/* Gives the vote back after a refusal, also one that an earlier run left withdrawn. */
void promote_give_back(struct promotion *p);

/* Looks at everything once more, and when it still has to be begins to switch the old primary's
 * host off. */
void promote_power(struct promotion *p);

/* Ends what is still under way of it. */
void promote_end_fencing(struct promotion *p);

/* Ends the sessions that hold up replay: first as PostgreSQL would, then each of them. */
void promote_clear(struct promotion *p);

/* A moment of waiting, in which the fence goes on. */
void promote_wait(struct promotion *p);

/* With a record: takes the term.  0 when it is ours; -EAGAIN: the row has moved, look again;
 * another -errno: it is not known whether it was taken. */
int promote_take_term(struct promotion *p) MUST_CHECK;

/* The deed: every rule has permitted it, and the term is ours where there is a record. */
struct verdict promote_do(struct promotion *p);

/* Sets up what a primary that holds the right needs around it; also mends what a killed run left
 * out. */
void promote_take_service(const struct cfg *cfg);

#endif
