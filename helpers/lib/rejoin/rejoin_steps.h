/* SPDX-License-Identifier: PostgreSQL */
/* Inside what rejoin does: the steps around pg_rewind, and what they share with the others. */
#ifndef PGV_REJOIN_STEPS_H
#define PGV_REJOIN_STEPS_H

#include "rejoin/rejoin_act.h"

/* Fills the verdict, with rc in words as its detail.  Returns false: it is over. */
bool rejoin_fail(struct verdict *verdict, enum outcome outcome, const char *rule,
		 const char *message, int rc);

/* One line of history. */
void rejoin_event(const struct rejoin *r, const char *what, const char *detail);

/*
 * Makes the directory of cfg, which may be a new copy's, start as a standby of the other node. What
 * a restore left in its settings is taken out or overruled, and told in the history.  0 or -errno.
 */
int rejoin_make_standby(struct rejoin *r, const struct cfg *cfg) MUST_CHECK;

/* Steps as rejoin_act: true: look again. */
bool rejoin_follow(struct rejoin *r, struct verdict *verdict);
bool rejoin_rewind(struct rejoin *r, struct verdict *verdict);
/*
 * Before anything that diverged is overwritten, by pg_rewind or by a base backup: keeps it, once.
 * True: kept, or nothing diverged, or [replication] salvage says that it may go.
 */
bool rejoin_salvage(struct rejoin *r, struct verdict *verdict);
/* Puts before the detail of a verdict what was kept. */
void rejoin_salvage_detail(const struct rejoin *r, struct verdict *verdict);
bool rejoin_undo(struct rejoin *r, struct verdict *verdict);
bool rejoin_adopt(struct rejoin *r, struct verdict *verdict);
bool rejoin_rebuild(struct rejoin *r, struct verdict *verdict);
bool rejoin_swap(struct rejoin *r, struct verdict *verdict);

#endif
