/* SPDX-License-Identifier: PostgreSQL */
/* The two lines of the fencing protocol, and what came back over ssh: only the very words count. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "fence/fence_answer.h"
#include "fence/fence_read.h"
#include "fuzz.h"

static void request(const char *text)
{
	struct fence_line line, again;
	char made[FENCE_LINE_MAX];

	if (fence_request_parse(text, &line) != 0)
		return;
	assert(fence_request_format(&line, made, sizeof(made)) == 0);
	assert(fence_request_parse(made, &again) == 0);
	assert(strcmp(line.cluster, again.cluster) == 0 && strcmp(line.node, again.node) == 0);
	assert(line.ask == again.ask && line.window_ms == again.window_ms);
	/* A fence line has one spelling, but for zeros before the number and a blank at the end. */
	assert(strlen(made) > strlen(text) || strncmp(made, text, strlen(made) - 1) == 0 ||
	       strstr(text, "window_ms=0") != NULL);
}

static void answer(const char *text)
{
	struct fence fence = { .request = { .node = cfg_node(fuzz_cfg(), "n2") } };
	struct proc *proc = &fence.ways[FENCE_WAY_SSH];
	enum fence_verdict verdict;
	char line[FENCE_LINE_MAX];

	proc->done = true;
	(void)snprintf(proc->output, sizeof(proc->output), "%s", text);
	(void)snprintf(proc->errors, sizeof(proc->errors), "%s", text);
	verdict = fence_read(&fence, fuzz_cfg(), FENCE_WAY_SSH);
	assert(fence.why[FENCE_WAY_SSH][0] != '\0' && verdict != FENCE_ISOLATED);
	if (verdict == FENCE_UNKNOWN)
		return;
	(void)snprintf(line, sizeof(line), "pg_vrrp 1 cluster=main node=n2 verdict=%s",
		       fence_word(verdict));
	assert(strstr(text, line) != NULL);
}

static void observation(const char *text)
{
	struct fence fence = { .request = { .node = cfg_node(fuzz_cfg(), "n2"),
					    .observe_ms = 5000 } };
	struct proc *proc = &fence.ways[FENCE_WAY_OBSERVE];

	proc->done = true;
	(void)snprintf(proc->output, sizeof(proc->output), "%s", text);
	/* The node was never seen to be reached: nothing is proven. */
	assert(fence_read(&fence, fuzz_cfg(), FENCE_WAY_OBSERVE) == FENCE_UNKNOWN);
	assert(!fence.reachable || strstr(text, "verdict=reachable") != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	char AUTO_FREE *text = input_rest(&in);

	request(text);
	answer(text);
	observation(text);
	return 0;
}
