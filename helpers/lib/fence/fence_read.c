/* SPDX-License-Identifier: PostgreSQL */
/* Reads what came back over ssh, or instead of it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "fence/fence.h"
#include "fence/fence_read.h"
#include "node/mark.h"

/* So much of what a shell's start-up files printed is shown. */
#define NOISE_MAX 60

/* The last line that ssh wrote to standard error says best why it failed; only people read it. */
static void explain_failure(struct fence *fence, enum fence_way way)
{
	struct proc *proc = &fence->ways[way];
	size_t length = strlen(proc->errors);
	char noise[NOISE_MAX];
	const char *last;

	while (length > 0 && (proc->errors[length - 1] == '\n' || proc->errors[length - 1] == '\r'))
		proc->errors[--length] = '\0';
	last = strrchr(proc->errors, '\n');
	last = last == NULL ? proc->errors : last + 1;
	fence_answer_noise(proc->output, noise, sizeof(noise));
	if (*last != '\0')
		(void)snprintf(fence->why[way], sizeof(fence->why[way]), "%.150s", last);
	else if (noise[0] != '\0')
		(void)snprintf(fence->why[way], sizeof(fence->why[way]),
			       "ended with exit code %d and no answer, but with: %s",
			       proc->exit_code, noise);
	else
		(void)snprintf(fence->why[way], sizeof(fence->why[way]),
			       "ended with exit code %d and no answer", proc->exit_code);
}

/* Such text does no harm, but a person may want to know what a login prints there. */
static void tell_noise(struct fence *fence, enum fence_way way)
{
	char *why = fence->why[way];
	const size_t used = strlen(why);
	char noise[NOISE_MAX];

	fence_answer_noise(fence->ways[way].output, noise, sizeof(noise));
	if (noise[0] != '\0')
		(void)snprintf(why + used, sizeof(fence->why[way]) - used,
			       "; beside the answer came: %s", noise);
}

static enum fence_verdict read_observation(struct fence *fence, const struct cfg *cfg,
					   const char *word)
{
	char *why = fence->why[FENCE_WAY_OBSERVE];
	size_t size = sizeof(fence->why[FENCE_WAY_OBSERVE]);

	if (strcmp(word, "reachable") == 0) {
		fence->reachable = true;
		(void)snprintf(why, size, "the witness host reaches it");
		return FENCE_UNKNOWN;
	}
	if (strcmp(word, "unreachable") != 0 || fence->request.observe_ms <= 0) {
		(void)snprintf(why, size, "the witness host answered \"%s\"", word);
		return FENCE_UNKNOWN;
	}
	/* A firewall between the two would look the same for ever: only a change
	 * proves anything. */
	if (baseline_read(cfg, fence->request.node->name) != FACT_YES) {
		(void)snprintf(
		    why, size,
		    "the witness host cannot reach it, but was never seen to reach it before");
		return FENCE_UNKNOWN;
	}
	(void)snprintf(why, size, "the witness host could not reach it in the whole window");
	return FENCE_ISOLATED;
}

static enum fence_verdict read_node(struct fence *fence, enum fence_way way, const char *word)
{
	static const enum fence_verdict spoken[] = { FENCE_FENCED, FENCE_ALIVE, FENCE_READY };

	(void)snprintf(fence->why[way], sizeof(fence->why[way]), "the node answered \"%s\"", word);
	for (size_t i = 0; i < ARRAY_COUNT(spoken); i++)
		if (strcmp(word, fence_word(spoken[i])) == 0)
			return spoken[i];
	return FENCE_UNKNOWN;
}

enum fence_verdict fence_read(struct fence *fence, const struct cfg *cfg, enum fence_way way)
{
	const struct proc *proc = &fence->ways[way];
	enum fence_verdict verdict;
	char word[16];

	if (!proc->done) {
		(void)snprintf(fence->why[way], sizeof(fence->why[way]), "no answer in time");
		return FENCE_UNKNOWN;
	}
	if (fence_answer_parse(proc->output, cfg->name, fence->request.node->name, word,
			       sizeof(word)) < 0) {
		explain_failure(fence, way);
		return FENCE_UNKNOWN;
	}
	verdict = way == FENCE_WAY_OBSERVE ? read_observation(fence, cfg, word)
					   : read_node(fence, way, word);
	tell_noise(fence, way);
	return verdict;
}
