/* SPDX-License-Identifier: PostgreSQL */
#ifndef PGV_RECORD_LEARN_H
#define PGV_RECORD_LEARN_H

#include "config/cfg.h"
#include "record/record.h"
#include "record/record_memory.h"
#include "record/record_trust.h"

/*
 * Judges the row that a question to the witness showed, and remembers a good one.
 * memory was read before the question left (record_memory.h); rc is what the question returned:
 * without an answer the record is silent.
 */
enum record_trust record_learn(const struct cfg *cfg, struct record_memory *memory,
			       const struct record *record, int rc);

#endif
