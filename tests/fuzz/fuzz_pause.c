/* SPDX-License-Identifier: PostgreSQL */
/* A node's promise of no takeover: what cannot be read may be one, what is read is kept the same,
 * and none is longer than a pause may be. */
#include <stdio.h>
#include <string.h>

#include "base/deadline.h"
#include "base/state.h"
#include "fuzz.h"
#include "node/boot_file.h"
#include "node/path.h"
#include "node/pause.h"

#define NOW INT64_C(1000000)

int64_t fake_now_ms(void) FAKE(now_ms);
int64_t fake_now_ms(void)
{
	return NOW;
}

int fake_boot_id(char *id, size_t size) FAKE(boot_id);
int fake_boot_id(char *id, size_t size)
{
	(void)snprintf(id, size, "00000000-0000-4000-8000-000000000000");
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct cfg *cfg = fuzz_cfg();
	struct pause pause, again;
	char words[PAUSE_BY_MAX + PAUSE_WHY_MAX + 64];

	fuzz_put(file_state(cfg, "paused").text, data, size);
	pause = pause_read(cfg);
	pause_words(&pause, words, sizeof(words));
	assert((pause.runs == FACT_NO) == (words[0] == '\0'));
	if (pause.runs != FACT_YES)
		return 0;
	assert(pause.left_ms > 0 && pause.left_ms <= PAUSE_MAX_MS);
	assert(fuzz_is_clean(pause.by) && fuzz_is_clean(pause.why));
	assert(pause_write(cfg, &pause) == 0);
	again = pause_read(cfg);
	assert(again.runs == FACT_YES && again.left_ms == pause.left_ms);
	assert(strcmp(again.by, pause.by) == 0 && strcmp(again.why, pause.why) == 0);
	return 0;
}
