/* SPDX-License-Identifier: PostgreSQL */
/*
 * One line of pg_waldump(1), as versions 15 and later print it without --bkp-details.  Pure.  As
 * strict as can be: what is not understood is told, never guessed.
 */
#ifndef PGV_SALVAGE_LINE_H
#define PGV_SALVAGE_LINE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/auto.h"

/* A name of a prepared transaction is shorter than 200 bytes. */
#define WAL_GID_MAX 201

enum wal_op {
	WAL_OTHER,   /* nothing that matters here */
	WAL_ROWS,    /* rows of a table were written */
	WAL_COMMIT,  /* also of a prepared transaction */
	WAL_ABORT,   /* also of a subtransaction, or of a prepared transaction */
	WAL_PREPARE, /* PREPARE TRANSACTION */
	WAL_RUNNING, /* which transactions were running then */
};

/* A file of a relation; its name is only in the catalogs of a server that runs. */
struct wal_relation {
	uint32_t tablespace;
	uint32_t database; /* 0: a catalog that all databases share */
	uint32_t node;
};

struct wal_line {
	enum wal_op op;
	uint32_t xid; /* of COMMIT, ABORT, PREPARE: the transaction that ended so; 0: none */
	uint64_t lsn;
	uint64_t prev;
	uint32_t bytes; /* of the whole record */

	/* WAL_ROWS */
	struct wal_relation relation;
	int64_t inserted, updated, deleted; /* inserted is -1 where an insertion is taken back */
	bool toast; /* known to be parts of large values (wal_level = logical) */

	/* WAL_COMMIT, WAL_PREPARE */
	bool was_prepared;
	char time[28]; /* "2026-11-23T10:48:44.033962Z" */
	char gid[WAL_GID_MAX];

	/* WAL_COMMIT, WAL_ABORT, WAL_PREPARE: for wal_line_subxact; points into the line,
	 * or NULL */
	const char *subxacts;

	/* WAL_RUNNING: no transaction from this one on had begun */
	uint32_t next_xid;
};

/* 0, or -EINVAL. */
int wal_line_parse(struct wal_line *line, const char *text) MUST_CHECK;

/* Takes the next subtransaction from *rest: 1, 0 when there is none left, or -EINVAL. */
int wal_line_subxact(const char **rest, uint32_t *xid) MUST_CHECK;

#endif
