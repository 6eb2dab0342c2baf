/* SPDX-License-Identifier: PostgreSQL */
/*
 * May the row that the witness showed be believed, and what does it say for this node?  Pure.
 */
#ifndef PGV_RECORD_TRUST_H
#define PGV_RECORD_TRUST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/cfg.h"
#include "record/record.h"
#include "record/record_memory.h"

enum record_trust {
	RECORD_SILENT = 0,   /* no answer that could be used */
	RECORD_OTHER_SCHEMA, /* the witness has a newer or an older schema than RECORD_SCHEMA */
	RECORD_OTHER_SYSTEM, /* another cluster of the same name keeps its record there */
	RECORD_OTHER_NODES,  /* this node is not in it */
	RECORD_ABSENT,       /* no row; never one, or the witness was restored empty */
	RECORD_EDITED,       /* changed by hand */
	RECORD_UNPROVEN,     /* what this node has seen cannot be read, so it cannot be compared */
	RECORD_BACKWARDS, /* older than one that this node has seen, at odds with it, or of no newer
				term and from another server: the witness was restored from a
			     backup, or a copy of it promoted */
	RECORD_GOOD,
	RECORD_TRUSTS
};

/* First that holds, in the order above.  memory: what this node had seen when it asked
 * (record_memory.h). */
enum record_trust record_trust(const struct record *record, const struct record_memory *memory);

/* "no answer", "edited by hand", ...: for verdicts and cluster_status. */
const char *record_trust_word(enum record_trust trust);
/* One sentence and a hint as in a verdict's message and hint; NULL for RECORD_GOOD. */
const char *record_trust_message(enum record_trust trust);
const char *record_trust_hint(enum record_trust trust);

/* May a node that serves by right write a new record in its place? */
bool record_replaceable(enum record_trust trust);
/* The term of that new record: above all that are known here.  What was written by hand does not
 * count when it is not plausible. */
int64_t record_next_term(const struct record *record, const struct record_memory *memory);

/* Do both rows say the same, whatever their versions? */
bool record_says_same(const struct record *a, const struct record *b);

/* The content of a good record in one plain sentence: "n1 holds term 4 and n2 may take over
 * (sync)". */
void record_words(const struct record *record, const struct cfg *cfg, char *text, size_t size);

#endif
