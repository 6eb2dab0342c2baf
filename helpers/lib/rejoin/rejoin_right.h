/* SPDX-License-Identifier: PostgreSQL */
/* The right to start as a primary: taken just before the start, by whoever starts the server. */
#ifndef PGV_REJOIN_RIGHT_H
#define PGV_REJOIN_RIGHT_H

#include "base/outcome.h"
#include "rejoin/rejoin_gather.h"

/* What the record says for a directory that would start as a primary; RIGHT_UNUSED where the witness
 * keeps none. */
enum rejoin_right rejoin_look_at_record(struct rejoin *r);

/*
 * Under start.lock, which is left in *lock: looks once more that the right stands, writes it down
 * (with a record: at the witness first) and answers the fenced mark.  0: the server may be started
 * at once; -EAGAIN: something has changed, look at everything again; another -errno with *verdict
 * filled.
 */
int rejoin_take_right(struct rejoin *r, int *lock, struct verdict *verdict);

/* Does a mark written by `by` give way to the right that was found?  Pure. */
bool rejoin_mark_answered(const struct rejoin_facts *f, bool by_guard, bool by_peer);

#endif
