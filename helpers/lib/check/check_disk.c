/* SPDX-License-Identifier: PostgreSQL */
#include "check/check_disk.h"

#include <string.h>

#include "base/deadline.h"
#include "base/log.h"
#include "node/stamp.h"
#include "postgres/pgdata_room.h"

/* A file that a query spills, or that is about to be removed, is gone sooner. */
#define FULL_FOR_MS 5000
/* Clients that try again and again leave a little WAL of each try under way. */
#define READY_LAG (64 * 1024)
#define STEPPED   "stepped-down"

/* All that was written has just arrived on the standby, so its disk has room for it. */
static bool standby_ready(const struct check_facts *f, const struct cfg *cfg,
			  const struct server *local, const struct duty_report *duty)
{
	if (f->peer_votes != FACT_YES || !local->peer_streams ||
	    local->peer_flush_lsn + READY_LAG < local->write_lsn)
		return false;
	return !cfg_has_record(cfg) ||
	       (duty->looked && duty->theirs == FACT_NO && duty->solo == FACT_NO);
}

void check_gather_disk(struct check_facts *f, const struct cfg *cfg, const struct server *local,
		       const struct duty_report *duty)
{
	char word[32];
	int64_t since_ms;

	f->disk_full = pgdata_room(cfg).full;
	if (f->disk_full != FACT_YES) {
		if (f->disk_full == FACT_NO)
			log_failed("remove the disk_full file", stamp_clear(cfg, STAMP_DISK_FULL));
		return;
	}
	if (stamp_read(cfg, STAMP_DISK_FULL, &since_ms, word, sizeof(word)) < 0) {
		log_failed("write the disk_full file",
			   stamp_write(cfg, STAMP_DISK_FULL, now_ms(), "full"));
		return;
	}
	f->full_for_long = now_ms() - since_ms >= FULL_FOR_MS;
	f->steps_down = cfg->disk_full == DISK_FULL_STEP_DOWN && strcmp(word, STEPPED) != 0;
	f->standby_ready = standby_ready(f, cfg, local, duty);
}

void check_note_step_down(const struct cfg *cfg)
{
	log_failed("write the disk_full file",
		   stamp_write(cfg, STAMP_DISK_FULL, now_ms(), STEPPED));
}
