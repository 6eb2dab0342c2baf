/* SPDX-License-Identifier: PostgreSQL */
/* Times of this boot: one file each, with the boot id, so that an old one is never "just now". */
#include "node/stamp.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/deadline.h"
#include "base/state.h"
#include "base/text.h"
#include "node/boot_file.h"
#include "node/path.h"

/* The names of the files below run_dir. */
static const char *const words[] = {
	[STAMP_LEASE] = "lease",         [STAMP_GRANT] = "grant",
	[STAMP_VOTE] = "vote",           [STAMP_RENEWED] = "renewed",
	[STAMP_SOLO] = "solo",           [STAMP_UNLEASED] = "unleased",
	[STAMP_STRAY] = "stray",         [STAMP_KEEPALIVED] = "keepalived",
	[STAMP_ANSWER] = "answer",       [STAMP_ASKED] = "asked",
	[STAMP_WATCHDOG] = "watchdog",   [STAMP_FENCING] = "fencing",
	[STAMP_DISK_FULL] = "disk_full", [STAMP_FOLLOWED] = "followed",
	[STAMP_HANDOVER] = "handover",   [STAMP_STARTING] = "starting",
};

const char *stamp_word(enum stamp stamp)
{
	return words[stamp];
}

int stamp_write(const struct cfg *cfg, enum stamp stamp, int64_t at_ms, const char *word)
{
	char clean[64], text[256];

	text_clean(clean, sizeof(clean), word);
	(void)snprintf(text, sizeof(text), "at_ms=%" PRId64 "\nword=%s\n", at_ms, clean);
	return boot_file_write(cfg, words[stamp], text);
}

int stamp_clear(const struct cfg *cfg, enum stamp stamp)
{
	return state_remove(file_run(cfg, words[stamp]).text, false);
}

int stamp_read(const struct cfg *cfg, enum stamp stamp, int64_t *at_ms, char *word, size_t size)
{
	char text[STATE_TEXT_MAX];
	int64_t value = 0;
	int rc;

	*at_ms = 0;
	if (size > 0)
		word[0] = '\0';
	rc = boot_file_read(cfg, words[stamp], text, sizeof(text));
	if (rc < 0)
		return rc;
	if (state_get_i64(text, "at_ms", &value) < 0 || value <= 0)
		return -EINVAL;
	if (value > now_ms() + cfg->lease_ms)
		return -ERANGE;
	if (size > 0 && state_get(text, "word", word, size) < 0) {
		word[0] = '\0';
		return -EINVAL;
	}
	*at_ms = value;
	return 0;
}

bool stamp_runs(const struct cfg *cfg, enum stamp stamp)
{
	int64_t until_ms;

	return stamp_read(cfg, stamp, &until_ms, NULL, 0) == 0 && now_ms() < until_ms;
}

bool right_runs(const struct cfg *cfg)
{
	return stamp_runs(cfg, STAMP_LEASE) || stamp_runs(cfg, STAMP_GRANT);
}
