/* SPDX-License-Identifier: PostgreSQL */
/*
 * A server that was there before the guard, in a directory to which nobody was ever given a right
 * (leased.h), is spared: no other node can have one either, since a standby takes over only from a
 * primary of which it has seen that it is held to its lease.  It is held to it from before its
 * first lease on, and whatever is started under the eyes of a guard is from the beginning.
 */
#ifndef PGV_GUARD_LEASED_H
#define PGV_GUARD_LEASED_H

#include <stdbool.h>

#include "guard/guard_look.h"

/* Looks for the marks, and writes them where this directory must be held to its lease by what else
 * there is.  Behind the look at the server. */
void guard_leased_look(struct guard *g);

/* A lease is about to begin: false, told in the log, when the mark could not be written, and then
 * it must not. */
bool guard_leased_begin(struct guard *g);

/* Is the server that runs here left alone, though it has no lease? */
bool guard_leased_spares(const struct guard *g);

#endif
