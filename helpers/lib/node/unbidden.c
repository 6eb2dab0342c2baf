/* SPDX-License-Identifier: PostgreSQL */
#include "node/unbidden.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/state.h"
#include "node/path.h"

#define NAME "unbidden"

int unbidden_write(const struct cfg *cfg, uint32_t timeline)
{
	char text[64];

	(void)snprintf(text, sizeof(text), "timeline=%" PRIu32 "\n", timeline);
	return state_write(file_state(cfg, NAME).text, text, 0644, true);
}

bool unbidden_is(const struct cfg *cfg, uint32_t timeline)
{
	char text[STATE_TEXT_MAX];
	int64_t noted = 0;

	return timeline != 0 && state_read(file_state(cfg, NAME).text, text, sizeof(text)) == 0 &&
	       state_get_i64(text, "timeline", &noted) == 0 && noted == (int64_t)timeline;
}

int unbidden_clear(const struct cfg *cfg)
{
	return state_remove(file_state(cfg, NAME).text, true);
}
