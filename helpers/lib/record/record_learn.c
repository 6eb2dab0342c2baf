/* SPDX-License-Identifier: PostgreSQL */
#include "record/record_learn.h"

#include "base/log.h"

enum record_trust record_learn(const struct cfg *cfg, struct record_memory *memory,
			       const struct record *record, int rc)
{
	const enum record_trust trust = rc < 0 ? RECORD_SILENT : record_trust(record, memory);

	if (trust == RECORD_GOOD)
		log_failed("remember the record", record_memory_note(cfg, memory, record));
	return trust;
}
