/* SPDX-License-Identifier: PostgreSQL */
#include "check/check_unbidden.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "node/history.h"
#include "node/stamp.h"
#include "node/unbidden.h"
#include "postgres/pgdata.h"
#include "record/record_memory.h"

/* "TERM.TIMELINE"; "" when the row that was seen last is not the other node's. */
static void followed_word(char *word, size_t size, const struct cfg *cfg, uint32_t timeline)
{
	struct record_memory memory = record_memory_read(cfg);

	word[0] = '\0';
	if (memory.newest.present == FACT_YES &&
	    strcmp(memory.newest.holder, cfg_peer(cfg)->name) == 0)
		(void)snprintf(word, size, "%" PRId64 ".%" PRIu32, memory.newest.term, timeline);
}

static void note_standby(const struct cfg *cfg, const struct server *local,
			 const struct server *peer)
{
	char word[48];

	if (!server_receives(local, peer))
		return;
	followed_word(word, sizeof(word), cfg, local->timeline);
	if (word[0] != '\0')
		log_failed("write the followed file",
			   stamp_write(cfg, STAMP_FOLLOWED, local->asked_ms, word));
}

/* The timeline on which it followed, where that was under the term of now; 0: not known. */
static uint32_t followed_timeline(const struct cfg *cfg)
{
	char word[48], now[48];
	int64_t started_ms = pgdata_started_ms(cfg);
	int64_t at_ms;
	const char *dot;
	unsigned long timeline;

	if (started_ms < 0 || stamp_read(cfg, STAMP_FOLLOWED, &at_ms, word, sizeof(word)) < 0 ||
	    at_ms <= started_ms)
		return 0;
	dot = strchr(word, '.');
	timeline = dot != NULL ? strtoul(dot + 1, NULL, 10) : 0;
	followed_word(now, sizeof(now), cfg, (uint32_t)timeline);
	return timeline <= UINT32_MAX && strcmp(now, word) == 0 ? (uint32_t)timeline : 0;
}

static void note_primary(const struct cfg *cfg, const struct server *local)
{
	uint32_t followed = followed_timeline(cfg);
	char detail[160];

	if (followed == 0 || local->timeline <= followed || unbidden_is(cfg, local->timeline))
		return;
	(void)snprintf(detail, sizeof(detail),
		       "timeline %" PRIu32 " began here while %s held the term of the record",
		       local->timeline, cfg_peer(cfg)->name);
	log_warning("promoted by nobody who may: %s", detail);
	log_failed("write the unbidden file", unbidden_write(cfg, local->timeline));
	log_failed("write the history", history_add(cfg, "promoted-unbidden", detail));
}

void check_note_unbidden(const struct cfg *cfg, const struct server *local,
			 const struct server *peer)
{
	if (local->state == SERVER_STANDBY)
		note_standby(cfg, local, peer);
	else if (local->state == SERVER_PRIMARY)
		note_primary(cfg, local);
}
