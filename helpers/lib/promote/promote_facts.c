/* SPDX-License-Identifier: PostgreSQL */
#include "promote/promote_facts.h"

#include <string.h>

bool promote_known_to_lag(const struct cfg *cfg, const struct contact *contact,
			  const struct server *standby)
{
	const uint64_t have = standby->received_lsn;

	return contact->known && standby->state == SERVER_STANDBY && contact->primary_lsn > have &&
	       contact->primary_lsn - have > (uint64_t)cfg->max_lag_bytes;
}

enum fact promote_fresh_enough(const struct cfg *cfg, const struct contact *contact,
			       const struct server *standby, int64_t at_ms)
{
	if (!contact->known || contact->streaming_ms == 0 || standby->state != SERVER_STANDBY)
		return FACT_UNKNOWN;
	if (cfg->mode == MODE_SYNC)
		return FACT_YES;
	if (at_ms - contact->streaming_ms > cfg->max_staleness_ms)
		return FACT_NO;
	return fact_of(!promote_known_to_lag(cfg, contact, standby));
}

void promote_facts_of_record(struct promote_facts *f, enum record_trust trust,
			     const struct record *record, const char *name)
{
	const bool good = trust == RECORD_GOOD;
	const bool ours = good && strcmp(record->holder, name) == 0;

	f->trust = trust;
	f->record_ours = ours;
	f->record_paired = good && !ours && record->paired;
	f->paused = good && record->paused;
	f->record_released = good && record->released;
}
