/* SPDX-License-Identifier: PostgreSQL */
/*
 * Could this node be brought back, if it were needed tomorrow?  Looked at while all is well,
 * because what pg_rewind lacks can only be given to a server that runs, and what a file or a
 * directory lacks is found by pg_rewind half-way, and by a standby when it has ended.
 */
#ifndef PGV_REJOIN_READY_H
#define PGV_REJOIN_READY_H

#include "base/deadline.h"
#include "base/outcome.h"
#include "base/verdict.h"
#include "config/cfg.h"

struct ready_facts {
	enum fact programs;         /* pg_rewind and the others can be executed */
	enum fact files;            /* the server's user may write what pg_rewind writes */
	enum fact links;            /* no symbolic link stands in its way */
	enum fact room;             /* no file system that it writes to is full */
	enum fact hints;            /* data checksums, or wal_log_hints */
	enum fact full_page_writes; /* on both servers */
	enum fact rights;           /* of the role: to replicate, and what pg_rewind calls */
	enum fact wal_kept;         /* wal_keep_size or a slot, on both servers */
	enum fact limits;           /* none that a standby needs is lower here (server_limits.h) */
	enum fact target;           /* no recovery target is set for the standby that runs here */
	enum fact spaces;           /* the other node's tablespaces have their directories here */
	enum fact libraries;        /* those of the database are here */
	enum fact locales;          /* and so are its locales */
	enum fact certificates;     /* ssl is off, or its files can be read */
	enum fact restore;          /* a standby's restore_command ends, or there is none */
	enum fact copy;             /* a new copy has its place and its room */
};

/* Pure.  YES when a rewind could be done; what a new copy lacks is only told.  Points to the one of
 * the facts that decided: with a YES to copy. */
const enum fact *ready_decide(const struct ready_facts *f, struct verdict *verdict);

/* Looks, and decides.  Changes nothing. */
struct verdict rejoin_ready(const struct cfg *cfg, const struct deadline *dl);

#endif
