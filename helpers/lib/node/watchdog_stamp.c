/* SPDX-License-Identifier: PostgreSQL */
#include "node/watchdog_stamp.h"

#include <stdint.h>
#include <string.h>

#include "base/auto.h"
#include "base/lock.h"
#include "node/path.h"
#include "node/stamp.h"

static const char *const words[] = {
	[WATCHDOG_SAYS_NOTHING] = "",    [WATCHDOG_SAYS_READY] = "ready",
	[WATCHDOG_SAYS_ARMED] = "armed", [WATCHDOG_SAYS_STUCK] = "stuck",
	[WATCHDOG_SAYS_LOST] = "lost",   [WATCHDOG_SAYS_MISSING] = "missing",
};

const char *watchdog_says_word(enum watchdog_says says)
{
	return words[says];
}

enum watchdog_says watchdog_says_of(const char *text)
{
	const size_t length = strcspn(text, ":");

	for (size_t i = 0; i < ARRAY_COUNT(words); i++)
		if (strlen(words[i]) == length && strncmp(text, words[i], length) == 0)
			return (enum watchdog_says)i;
	return WATCHDOG_SAYS_NOTHING;
}

bool watchdog_usable(enum watchdog_says says)
{
	return says == WATCHDOG_SAYS_READY || says == WATCHDOG_SAYS_ARMED ||
	       says == WATCHDOG_SAYS_STUCK;
}

bool node_watchdog_missing(const struct cfg *cfg)
{
	char word[64];
	int64_t at_ms;

	if (cfg->watchdog != WATCHDOG_REQUIRED)
		return false;
	return stamp_read(cfg, STAMP_WATCHDOG, &at_ms, word, sizeof(word)) < 0 ||
	       !watchdog_usable(watchdog_says_of(word)) ||
	       lock_held(file_lock(cfg, LOCK_GUARD).text) != 1;
}
