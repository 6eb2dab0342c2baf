/* SPDX-License-Identifier: PostgreSQL */
/*
 * Which transactions committed after the fork, and what each of them wrote: the lines of pg_waldump
 * in, one call for each transaction out.  Holds only what is still undecided.
 */
#ifndef PGV_SALVAGE_LEDGER_H
#define PGV_SALVAGE_LEDGER_H

#include <stddef.h>

#include "salvage/salvage_line.h"

/* The rows written to one file of a relation. */
struct ledger_rows {
	struct wal_relation relation;
	int64_t inserted, updated, deleted;
	bool toast;
};

struct ledger_sums {
	struct ledger_rows *rows;
	size_t count;
	size_t last; /* found last, looked at first */
};

/* A transaction; its subtransactions that were not rolled back are in it. */
struct ledger_xact {
	uint32_t xid;
	uint64_t lsn;         /* of COMMIT; of PREPARE where that is all there is */
	const char *time;     /* the same, UTC */
	const char *gid;      /* of a prepared one, "" when it was prepared before what was read */
	bool prepared;        /* by PREPARE TRANSACTION */
	bool prepared_before; /* and that lies before the fork: the other side has it, undecided */
	bool
	    whole; /* false: it may have written before what was read, so rows are at least these */
	size_t subxacts;
	struct ledger_sums sums;
};

typedef int ledger_told(void *arg, const struct ledger_xact *xact);

struct ledger;

/* fork: commits from there on count.  NULL without memory. */
struct ledger *ledger_new(uint64_t fork, ledger_told *committed, void *arg);
void ledger_free(struct ledger *ledger);

/* Takes one line.  0; -E2BIG: more transactions at once than are kept in memory; -errno: also of
 * `committed`. */
int ledger_take(struct ledger *ledger, const struct wal_line *line) MUST_CHECK;

/* Tells of what was prepared after the fork and neither committed nor rolled back. */
int ledger_prepared(struct ledger *ledger, ledger_told *prepared, void *arg) MUST_CHECK;

/* Adds rows to sums.  0 or -ENOMEM. */
int ledger_add(struct ledger_sums *sums, const struct ledger_rows *rows) MUST_CHECK;

#endif
