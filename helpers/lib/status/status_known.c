/* SPDX-License-Identifier: PostgreSQL */
#include "base/auto.h"
#include "status/status_rules.h"

/* Here one node is the primary and the other its standby. */
bool status_all_known(const struct status_facts *f)
{
	const enum fact needed[] = {
		f->same_system, f->read_only,    f->withdrawn, f->streaming,   f->replay_paused,
		f->fresh,       f->rights,       f->fenced,    f->witness,     f->keepalived,
		f->guard,       f->kernel_lease, f->watchdog,  f->signal_file, f->own_connect,
		f->disk_full,   f->undelayed,    f->writable,  f->paused
	};

	for (size_t i = 0; i < ARRAY_COUNT(needed); i++) {
		if (needed[i] == FACT_UNKNOWN)
			return false;
	}
	if (f->has_record &&
	    (f->record_trusted == FACT_UNKNOWN || f->record_names_primary == FACT_UNKNOWN ||
	     f->record_paired == FACT_UNKNOWN))
		return false;
	if (f->slots_wanted && (f->slots_bounded == FACT_UNKNOWN || f->slot_used == FACT_UNKNOWN ||
				f->slot_holds == FACT_UNKNOWN))
		return false;
	if (f->slots_near == FACT_UNKNOWN)
		return false;
	if (f->mode_sync && (f->sync_held == FACT_UNKNOWN || f->sync_bypass == FACT_UNKNOWN ||
			     f->sync_late == FACT_UNKNOWN))
		return false;
	if (f->local == SERVER_PRIMARY &&
	    (f->lease_runs == FACT_UNKNOWN || f->says_serving == FACT_UNKNOWN))
		return false;
	return f->vip != VIP_UNKNOWN;
}
