/* SPDX-License-Identifier: PostgreSQL */
/* The proof that the ways have given, as a verdict and as text.  Pure. */
#include <stdio.h>

#include "fence/fence.h"

static const char *const verdict_words[FENCE_VERDICTS] = {
	[FENCE_UNKNOWN] = "unknown", [FENCE_FENCED] = "fenced", [FENCE_ISOLATED] = "isolated",
	[FENCE_ALIVE] = "alive",     [FENCE_READY] = "ready",
};

static const char *const way_words[FENCE_WAYS] = {
	[FENCE_WAY_SSH] = "ssh",         [FENCE_WAY_SSH_WITNESS] = "ssh-witness",
	[FENCE_WAY_OBSERVE] = "observe", [FENCE_WAY_RECORD] = "record",
	[FENCE_WAY_AGENT] = "agent",     [FENCE_WAY_HOOK] = "hook",
};

const char *fence_word(enum fence_verdict verdict)
{
	return verdict < FENCE_VERDICTS ? verdict_words[verdict] : "unknown";
}

const char *fence_way_word(enum fence_way way)
{
	return way < FENCE_WAYS ? way_words[way] : "unknown";
}

enum fence_verdict fence_verdict(const struct fence *fence)
{
	enum fence_verdict best = fence->answers[FENCE_WAY_OBSERVE];

	for (int way = 0; way < FENCE_WAYS; way++) {
		if (way == FENCE_WAY_OBSERVE)
			continue;
		/* Two words of one node, at two moments: FENCED lasts, ALIVE may have been before
		 * it. */
		if (fence->answers[way] == FENCE_FENCED)
			return FENCE_FENCED;
		if (fence->answers[way] != FENCE_UNKNOWN)
			best = fence->answers[way];
	}
	return best;
}

static bool ended(const struct fence *fence, enum fence_way way)
{
	return !fence->under_way[way] && fence->due_ms[way] == 0;
}

bool fence_asked(const struct fence *fence)
{
	return ended(fence, FENCE_WAY_SSH) && ended(fence, FENCE_WAY_SSH_WITNESS);
}

bool fence_over(const struct fence *fence)
{
	for (int way = 0; way < FENCE_WAYS; way++)
		if (!ended(fence, (enum fence_way)way))
			return false;
	return true;
}

void fence_summary(const struct fence *fence, char *text, size_t size)
{
	size_t used = 0;

	text[0] = '\0';
	for (int way = 0; way < FENCE_WAYS; way++) {
		int length;

		if (fence->why[way][0] == '\0')
			continue;
		length = snprintf(text + used, size - used, "%s%s: %s", used > 0 ? "; " : "",
				  way_words[way], fence->why[way]);
		if (length < 0 || (size_t)length >= size - used)
			return;
		used += (size_t)length;
	}
	if (used == 0)
		(void)snprintf(text, size, "not tried yet");
}
