/* SPDX-License-Identifier: PostgreSQL */
/*
 * Was the primary that runs here promoted by nobody who may?  What it wrote is then no history of
 * the cluster, and rejoin may take it back without asking a person which of two histories is to be
 * kept.
 */
#ifndef PGV_CHECK_UNBIDDEN_H
#define PGV_CHECK_UNBIDDEN_H

#include "config/cfg.h"
#include "postgres/server.h"

/*
 * Called in each round in which the record was good and gave the right to the other node.
 *
 * On a standby that streams: notes the term, and its timeline.  On a primary: proves that it was
 * promoted while the other node held the term, and writes that down (unbidden.h).  The proof: this
 * very postmaster ran a standby on an older timeline when the other node held that term, and now,
 * on a newer one, the other node holds the same term.  Terms only grow, so it held it at the moment
 * of the promotion, which promote_safe and a person's word begin by taking it.
 */
void check_note_unbidden(const struct cfg *cfg, const struct server *local,
			 const struct server *peer);

#endif
