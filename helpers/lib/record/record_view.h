/* SPDX-License-Identifier: PostgreSQL */
/* The record as one node sees it, for people and for scripts: witness_record and cluster_status. */
#ifndef PGV_RECORD_VIEW_H
#define PGV_RECORD_VIEW_H

#include <stdint.h>
#include <stdio.h>

#include "base/report.h"
#include "record/record.h"
#include "record/record_memory.h"
#include "record/record_trust.h"

struct record_view {
	struct record record;
	struct record_memory memory; /* what this node had seen before */
	enum record_trust trust;
	char why[160]; /* in plain words, why the witness gave no answer that can be used */
};

/* Asks the witness, reads the memory, judges.  Never fails, and notes nothing. */
void record_view_look(struct record_view *view, struct record_link *link,
		      const struct deadline *dl);
/* Judges what a write by this link has left in view->record. */
void record_view_take(struct record_view *view, const struct record_link *link);

/* For how long this node has seen this very version; -1: it had not seen it before. */
int64_t record_view_still_ms(const struct record_view *view);

/* ---- what it says; all below are pure ---- */

/* Which node may take the term as things stand; NULL: none. */
const char *record_may_take(const struct record *record, const struct cfg *cfg);
/* The meaning of a good record for both nodes: "only n1 may serve; n2 must not be promoted,
 * because ..." */
void record_meaning(const struct record *record, const struct cfg *cfg, char *text, size_t size);

/* Lines of "  name   value", as cluster_status prints them. */
void record_print(const struct record_view *view, const struct cfg *cfg, FILE *out);
/* The object "record"; keys are added to, never renamed.  What is not known is null. */
void record_print_json(struct json *json, const struct record_view *view, const struct cfg *cfg);

#endif
