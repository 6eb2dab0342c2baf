/* SPDX-License-Identifier: PostgreSQL */
#include "node/pause.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/deadline.h"
#include "base/state.h"
#include "base/text.h"
#include "node/boot_file.h"
#include "node/path.h"

#define NAME    "paused"
#define BOOT_ID 40

static int parse(const char *text, const char *boot, struct pause *pause)
{
	char written[BOOT_ID];
	int64_t until_ms = 0, length_ms = 0;
	int rc = state_get(text, "boot", written, sizeof(written));

	if (rc == 0)
		rc = state_get_i64(text, "until_ms", &until_ms);
	if (rc == 0)
		rc = state_get_i64(text, "length_ms", &length_ms);
	if (rc == 0)
		rc = state_get(text, "by", pause->by, sizeof(pause->by));
	if (rc == 0)
		rc = state_get(text, "why", pause->why, sizeof(pause->why));
	if (rc == 0 && (until_ms < 0 || length_ms <= 0 || length_ms > PAUSE_MAX_MS))
		rc = -EINVAL;
	if (rc < 0)
		return rc;
	text_make_harmless(pause->by);
	text_make_harmless(pause->why);
	if (strcmp(written, boot) != 0)
		until_ms = length_ms;
	pause->left_ms = until_ms - now_ms();
	return pause->left_ms > length_ms ? -EINVAL : 0;
}

struct pause pause_read(const struct cfg *cfg)
{
	struct pause pause = { .runs = FACT_UNKNOWN };
	char text[STATE_TEXT_MAX], boot[BOOT_ID];
	int rc = state_read(file_state(cfg, NAME).text, text, sizeof(text));

	if (rc == -ENOENT) {
		pause.runs = state_exists(cfg->state_dir) == 1 ? FACT_NO : FACT_UNKNOWN;
		return pause;
	}
	if (rc == 0)
		rc = boot_id(boot, sizeof(boot));
	if (rc == 0)
		rc = parse(text, boot, &pause);
	if (rc < 0)
		return (struct pause){ .runs = FACT_UNKNOWN };
	pause.runs = fact_of(pause.left_ms > 0);
	return pause;
}

int pause_write(const struct cfg *cfg, const struct pause *pause)
{
	char text[STATE_TEXT_MAX], boot[BOOT_ID], by[PAUSE_BY_MAX], why[PAUSE_WHY_MAX];
	int rc = boot_id(boot, sizeof(boot));

	if (rc < 0)
		return rc;
	text_clean(by, sizeof(by), pause->by);
	text_clean(why, sizeof(why), pause->why);
	(void)snprintf(text, sizeof(text),
		       "boot=%s\nuntil_ms=%" PRId64 "\nlength_ms=%" PRId64 "\nby=%s\nwhy=%s\n",
		       boot, now_ms() + pause->left_ms, pause->left_ms, by, why);
	return state_write(file_state(cfg, NAME).text, text, 0644, true);
}

int pause_clear(const struct cfg *cfg)
{
	return state_remove(file_state(cfg, NAME).text, true);
}

void pause_words(const struct pause *pause, char *text, size_t size)
{
	const int64_t seconds = (pause->left_ms + 999) / 1000;
	char left[32];

	text[0] = '\0';
	if (pause->runs == FACT_NO)
		return;
	if (pause->runs != FACT_YES) {
		(void)snprintf(text, size, "whether takeovers are paused cannot be read");
		return;
	}
	if (seconds < 120)
		(void)snprintf(left, sizeof(left), "%" PRId64 " s", seconds);
	else if (seconds < 7200)
		(void)snprintf(left, sizeof(left), "%" PRId64 " min", (seconds + 59) / 60);
	else
		(void)snprintf(left, sizeof(left), "%" PRId64 " h", (seconds + 3599) / 3600);
	(void)snprintf(text, size, "%s left, by %s%s%s", left, pause->by,
		       pause->why[0] != '\0' ? ": " : "", pause->why);
}
