/* SPDX-License-Identifier: PostgreSQL */
/* The witness's answer (record_read): what cannot be a record is an error, and only a row of ours
 * that nobody has touched is ever believed. */
#include <stdio.h>
#include <string.h>

#include "base/deadline.h"
#include "base/outcome.h"
#include "record/record_trust.h"
#include "rows.h"

static void look(const struct record *record)
{
	const struct record_memory memory = { .known = FACT_NO };
	const enum record_trust trust = record_trust(record, &memory);
	char words[200];

	if (record->schema != RECORD_SCHEMA) {
		assert(trust == RECORD_OTHER_SCHEMA && record->term == 0 && !record->paired);
		return;
	}
	if (record->present == FACT_YES)
		assert(record->term > 0 && record->version > 0 && record->lease_ms > 0);
	assert(!record->sync || record->paired);
	assert(record_next_term(record, &memory) > 0);
	if (trust != RECORD_GOOD)
		return;
	assert(record->present == FACT_YES && record->same_system && record->node_known);
	assert(record->sealed && cfg_node(fuzz_cfg(), record->holder) != NULL);
	record_words(record, fuzz_cfg(), words, sizeof(words));
	assert(fuzz_is_clean(words));
}

static void look_again(struct record_link *link, const struct record *seen)
{
	const struct deadline dl = deadline_in_ms(1000);
	struct record record;

	/* A write says in one word why it was not done. */
	if (record_take(link, &record, seen, &dl) == 0 && record.refused[0] != '\0')
		assert(fuzz_is_clean(record.refused));
	else if (record.present == FACT_UNKNOWN)
		assert(link->why[0] != '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct deadline dl = deadline_in_ms(1000);
	struct record_link AUTO_RECORD link;
	struct record record;

	rows_begin((struct input){ data, size });
	record_begin(&link, fuzz_cfg(), 7000000000000000001);
	if (record_look(&link, &record, &dl) < 0) {
		assert(record.present == FACT_UNKNOWN && record.schema == 0 && link.why[0] != '\0');
		return 0;
	}
	look(&record);
	look_again(&link, &record);
	return 0;
}
