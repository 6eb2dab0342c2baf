/* SPDX-License-Identifier: PostgreSQL */
/* Shared by record*.c. */
#ifndef PGV_RECORD_INTERNAL_H
#define PGV_RECORD_INTERNAL_H

#include "record/record.h"

/* Those of pgvrrp.answer in scripts/setup/witness.sql, and which server gave it (record.c). */
#define RECORD_COLUMNS 17

/* Fills present, schema, refused and the row from an answer.  One of another schema than ours
 * leaves all but schema as it was.  0, or -errno when it cannot be a record. */
int record_read(struct record *record, const struct pg_result *row,
		const struct cfg *cfg) MUST_CHECK;

#endif
