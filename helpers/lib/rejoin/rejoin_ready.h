/* SPDX-License-Identifier: PostgreSQL */
/*
 * Could this node be brought back, if it were needed tomorrow?  Looked at while all is well, because
 * what pg_rewind lacks can only be given to a server that runs.
 */
#ifndef PGV_REJOIN_READY_H
#define PGV_REJOIN_READY_H

#include "base/deadline.h"
#include "base/outcome.h"
#include "config/cfg.h"

struct ready_facts {
	enum fact programs;         /* pg_rewind and the others can be executed */
	enum fact hints;            /* data checksums, or wal_log_hints */
	enum fact full_page_writes; /* on both servers */
	enum fact rights;           /* of the role: to replicate, and what pg_rewind calls */
	enum fact wal_kept;         /* wal_keep_size or a slot, on both servers */
	enum fact copy;             /* a new copy has its place and its room */
};

/* Pure.  YES when a rewind could be done; what a new copy lacks is only told. */
void ready_decide(const struct ready_facts *f, struct verdict *verdict);

/* Looks, and decides.  Changes nothing. */
struct verdict rejoin_ready(const struct cfg *cfg, const struct deadline *dl);

#endif
