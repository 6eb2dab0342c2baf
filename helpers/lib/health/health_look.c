/* SPDX-License-Identifier: PostgreSQL */
#include "health/health_look.h"

#include <string.h>

#include "base/deadline.h"
#include "base/state.h"
#include "config/timing.h"
#include "node/answer.h"
#include "node/attempt.h"
#include "node/mark.h"
#include "node/path.h"
#include "node/stamp.h"
#include "node/track.h"
#include "record/record_memory.h"

static int64_t age_of(int64_t at_ms, int64_t now)
{
	return at_ms > 0 && at_ms <= now ? now - at_ms : HEALTH_NEVER;
}

static int64_t stamp_age(const struct cfg *cfg, enum stamp stamp, int64_t now)
{
	int64_t at_ms;

	return stamp_read(cfg, stamp, &at_ms, NULL, 0) < 0 ? HEALTH_NEVER : age_of(at_ms, now);
}

/* The later end of the two counts: a grant is there until the guard has made a lease of it. */
static void look_at_right(struct health *h, const struct cfg *cfg, int64_t now)
{
	static const enum stamp rights[] = { STAMP_LEASE, STAMP_GRANT };
	int serving = TRACK_NO;
	int64_t until_ms;

	h->fence_time_ms = cfg_fence_time_ms(cfg);
	h->fenced = fenced_read(cfg).present;
	if (track_read(cfg, TRACK_SERVING, &serving) == 0)
		h->says_serving = fact_of(serving == TRACK_YES);
	for (size_t i = 0; i < ARRAY_COUNT(rights); i++) {
		if (stamp_read(cfg, rights[i], &until_ms, NULL, 0) < 0)
			continue;
		if (!h->right_known || until_ms - now > h->lease_left_ms)
			h->lease_left_ms = until_ms - now;
		h->right_known = true;
	}
}

static enum health_server server_of(const char *word)
{
	if (strcmp(word, "primary") == 0)
		return HEALTH_SERVER_PRIMARY;
	if (strcmp(word, "standby") == 0)
		return HEALTH_SERVER_STANDBY;
	return strcmp(word, "down") == 0 || strcmp(word, "starting") == 0 ||
		       strcmp(word, "refuses") == 0
		   ? HEALTH_SERVER_OTHER
		   : HEALTH_SERVER_UNKNOWN;
}

static void look_at_answer(struct health *h, const struct cfg *cfg)
{
	char server[48];

	/* Rounds come later on a busy host; after a lease without one nothing is known. */
	h->fresh_ms = cfg->lease_ms + TIMING_ROUND_MS;
	h->answer = OUT_UNKNOWN;
	h->answer_age_ms = answer_look(cfg, &h->answer, server, sizeof(server));
	if (h->answer_age_ms < 0)
		h->answer_age_ms = HEALTH_NEVER;
	else if (h->answer_age_ms <= h->fresh_ms)
		h->server = server_of(server);
}

static void look_at_record(struct health *h, const struct cfg *cfg, int64_t now)
{
	struct record_memory memory;
	int64_t at_ms;

	h->record_age_ms = HEALTH_NEVER;
	h->mode_sync = cfg->mode == MODE_SYNC;
	h->has_record = cfg_has_record(cfg);
	if (!h->has_record)
		return;
	memory = record_memory_read(cfg);
	h->solo = stamp_read(cfg, STAMP_SOLO, &at_ms, NULL, 0) == 0;
	if (memory.known != FACT_YES || memory.newest.present != FACT_YES)
		return;
	h->record_known = FACT_YES;
	h->record_age_ms = age_of(memory.last_ms, now);
	h->term = memory.newest.term;
	h->holder = strcmp(memory.newest.holder, cfg_self(cfg)->name) == 0;
	h->paired = memory.newest.paired;
	h->paused = memory.newest.paused;
	h->record_sync = memory.newest.sync;
}

static int64_t behind(uint64_t ahead, uint64_t have)
{
	if (ahead == 0 || have == 0)
		return HEALTH_NEVER;
	return ahead > have ? (int64_t)(ahead - have) : 0;
}

static void look_at_contact(struct health *h, const struct cfg *cfg, int64_t now)
{
	h->contact = contact_read(cfg);
	h->seen_age_ms = age_of(h->contact.seen_ms, now);
	h->streaming_age_ms = age_of(h->contact.streaming_ms, now);
	h->lag_ms = age_of(h->contact.reached_ms, now);
	h->lag_bytes = h->unsent_bytes = HEALTH_NEVER;
	h->max_lag_bytes = cfg->max_lag_bytes;
	/* The other end of a difference must be known of now, too. */
	if (h->seen_age_ms == HEALTH_NEVER || h->seen_age_ms > h->fresh_ms)
		return;
	h->lag_bytes = behind(h->contact.primary_lsn, h->contact.replayed_lsn);
	h->unsent_bytes = behind(h->contact.primary_lsn, h->contact.received_lsn);
}

static void look_at_others(struct health *h, const struct cfg *cfg, int64_t now)
{
	char word[64];
	int64_t at_ms;

	h->vote_age_ms = stamp_age(cfg, STAMP_VOTE, now);
	h->keepalived_age_ms = stamp_age(cfg, STAMP_KEEPALIVED, now);
	h->disk_full = stamp_age(cfg, STAMP_DISK_FULL, now) != HEALTH_NEVER;
	h->withdrawn = state_exists(file_mark(cfg, MARK_WITHDRAWN).text) == 1;
	if (stamp_read(cfg, STAMP_WATCHDOG, &at_ms, word, sizeof(word)) == 0)
		h->watchdog = watchdog_says_of(word);
	h->rejoin_ready = attempt_said(cfg, ATTEMPT_REJOIN_CHECK);
	h->fence_tested = attempt_said(cfg, ATTEMPT_FENCE_TEST);
}

void health_look(struct health *h, const struct cfg *cfg)
{
	const int64_t now = now_ms();

	*h = (struct health){ .fenced = FACT_UNKNOWN };
	look_at_answer(h, cfg);
	look_at_right(h, cfg, now);
	look_at_record(h, cfg, now);
	look_at_contact(h, cfg, now);
	look_at_others(h, cfg, now);
}
