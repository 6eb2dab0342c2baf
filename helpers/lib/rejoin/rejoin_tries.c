/* SPDX-License-Identifier: PostgreSQL */
#include "rejoin/rejoin_tries.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/deadline.h"
#include "base/state.h"
#include "base/text.h"
#include "node/boot_file.h"
#include "node/path.h"

static struct file_path path_of(const struct cfg *cfg, enum rejoin_deed deed)
{
	return file_state(cfg, deed == DEED_REWIND ? "tries.rewind" : "tries.rebuild");
}

int64_t tries_pause_ms(const struct cfg *cfg, int64_t count)
{
	int64_t pause = cfg->retry_interval_ms;

	for (int64_t i = 1; i < count && pause < TRY_PAUSE_MAX_MS; i++)
		pause *= 2;
	return pause < TRY_PAUSE_MAX_MS ? pause : TRY_PAUSE_MAX_MS;
}

/* A time of another boot says nothing: then the next try is due. */
static bool is_due(const struct cfg *cfg, const char *text, int64_t count)
{
	char boot[64], was[64];
	int64_t at_ms, now = now_ms();

	if (boot_id(boot, sizeof(boot)) < 0 || state_get(text, "boot", was, sizeof(was)) < 0 ||
	    strcmp(boot, was) != 0)
		return true;
	return state_get_i64(text, "at_ms", &at_ms) < 0 || at_ms > now ||
	       now - at_ms >= tries_pause_ms(cfg, count);
}

struct rejoin_tries tries_read(const struct cfg *cfg, enum rejoin_deed deed)
{
	struct rejoin_tries tries = { .pausing = FACT_NO, .spent = FACT_NO };
	char text[STATE_TEXT_MAX];

	/* A file that cannot be read holds nothing up. */
	if (state_read(path_of(cfg, deed).text, text, sizeof(text)) < 0 ||
	    state_get_i64(text, "count", &tries.count) < 0 || tries.count < 1 ||
	    state_get(text, "message", tries.message, sizeof(tries.message)) < 0 ||
	    state_get(text, "detail", tries.detail, sizeof(tries.detail)) < 0)
		return (struct rejoin_tries){ .pausing = FACT_NO, .spent = FACT_NO };
	tries.spent = fact_of(tries.count >= (deed == DEED_REWIND ? REWIND_TRIES : REBUILD_TRIES));
	tries.pausing = fact_of(!is_due(cfg, text, tries.count));
	return tries;
}

int tries_note(const struct cfg *cfg, enum rejoin_deed deed, const struct verdict *verdict)
{
	struct rejoin_tries before = tries_read(cfg, deed);
	char text[STATE_TEXT_MAX], boot[64] = "", at[32], message[256], detail[320];

	text_clean(message, sizeof(message), verdict->message);
	text_clean(detail, sizeof(detail), verdict->detail);
	text_wall_clock(at, sizeof(at));
	if (boot_id(boot, sizeof(boot)) < 0)
		boot[0] = '\0';
	(void)snprintf(text, sizeof(text),
		       "count=%" PRId64 "\nmessage=%s\ndetail=%s\nat=%s\nat_ms=%" PRId64
		       "\nboot=%s\n",
		       strcmp(before.message, message) == 0 ? before.count + 1 : INT64_C(1),
		       message, detail, at, now_ms(), boot);
	return state_write(path_of(cfg, deed).text, text, 0644, true);
}

int tries_clear(const struct cfg *cfg)
{
	int rc = state_remove(path_of(cfg, DEED_REWIND).text, true);

	return rc < 0 ? rc : state_remove(path_of(cfg, DEED_REBUILD).text, true);
}
