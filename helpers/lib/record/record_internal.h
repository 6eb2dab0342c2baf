/* SPDX-License-Identifier: PostgreSQL */
/* Shared by record*.c. */
#ifndef PGV_RECORD_INTERNAL_H
#define PGV_RECORD_INTERNAL_H

#include "record/record.h"

/* Of pgvrrp.answer in scripts/witness.sql. */
#define RECORD_COLUMNS 16

/* Fills present, schema, refused and the row from an answer.  One of another schema than ours leaves
 * all but schema as it was.  0, or -errno when it cannot be a record. */
int record_read(struct record *record, const struct pg_result *row,
		const struct cfg *cfg) MUST_CHECK;

#endif
