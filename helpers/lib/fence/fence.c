/* SPDX-License-Identifier: PostgreSQL */
#include "fence/fence.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "fence/fence_ssh.h"
#include "node/files.h"

/*
 * A host that lives answers the straight way within this; the detour is for the case that only the
 * path is broken, and would meanwhile take the processor from the handshake that counts.
 */
#define DETOUR_AFTER_MS 500

static const char *const verdict_words[FENCE_VERDICTS] = {
	[FENCE_UNKNOWN] = "unknown", [FENCE_FENCED] = "fenced", [FENCE_ISOLATED] = "isolated",
	[FENCE_ALIVE] = "alive",     [FENCE_READY] = "ready",
};

static const char *const way_words[FENCE_WAYS] = {
	[FENCE_WAY_SSH] = "ssh",
	[FENCE_WAY_SSH_WITNESS] = "ssh-witness",
	[FENCE_WAY_OBSERVE] = "observe",
};

const char *fence_word(enum fence_verdict verdict)
{
	return verdict < FENCE_VERDICTS ? verdict_words[verdict] : "unknown";
}

const char *fence_way_word(enum fence_way way)
{
	return way < FENCE_WAYS ? way_words[way] : "unknown";
}

static bool configured(const struct cfg *cfg, enum fencing_method method)
{
	for (size_t i = 0; i < cfg->method_count; i++)
		if (cfg->methods[i] == method)
			return true;
	return false;
}

static bool way_wanted(const struct cfg *cfg, const struct fence_request *request,
		       enum fence_way way)
{
	if (way == FENCE_WAY_SSH)
		return configured(cfg, FENCING_SSH);
	if (way == FENCE_WAY_SSH_WITNESS)
		return configured(cfg, FENCING_SSH_WITNESS) && cfg->witness_ssh;
	return request->observe && cfg->witness_ssh;
}

static int build_way(struct fence_ssh *ssh, const struct cfg *cfg,
		     const struct fence_request *request, enum fence_way way)
{
	struct fence_line line = { .ask = request->ask };
	char text[FENCE_LINE_MAX];
	int rc;

	(void)snprintf(line.cluster, sizeof(line.cluster), "%s", cfg->name);
	(void)snprintf(line.node, sizeof(line.node), "%s", request->node->name);
	if (way == FENCE_WAY_OBSERVE) {
		line.ask = FENCE_ASK_OBSERVE;
		line.window_ms = request->observe_ms;
	}
	rc = fence_request_format(&line, text, sizeof(text));
	if (rc < 0)
		return rc;
	if (way == FENCE_WAY_OBSERVE)
		return fence_ssh_witness(ssh, cfg, text);
	return fence_ssh_node(ssh, cfg, request->node, way == FENCE_WAY_SSH_WITNESS, text);
}

static int start_way(struct fence *fence, const struct cfg *cfg, enum fence_way way)
{
	struct fence_ssh ssh;
	struct proc_spec spec = { .argv = ssh.argv };
	int rc = build_way(&ssh, cfg, &fence->request, way);

	return rc < 0 ? rc : proc_start(&fence->ways[way], &spec);
}

static void begin_way(struct fence *fence, const struct cfg *cfg, enum fence_way way)
{
	int rc = start_way(fence, cfg, way);

	fence->due_ms[way] = 0;
	fence->under_way[way] = rc == 0;
	(void)snprintf(fence->why[way], sizeof(fence->why[way]), "%s",
		       rc == 0 ? "no answer" : strerror(-rc));
}

static bool begin_wanted(struct fence *fence, const struct cfg *cfg, enum fence_way way)
{
	if (!way_wanted(cfg, &fence->request, way))
		return false;
	begin_way(fence, cfg, way);
	return true;
}

void fence_begin(struct fence *fence, const struct cfg *cfg, const struct fence_request *request)
{
	*fence = (struct fence){ .request = *request };
	for (int way = 0; way < FENCE_WAYS; way++)
		fence->ways[way] = PROC_NONE;
	(void)begin_wanted(fence, cfg, FENCE_WAY_OBSERVE);
	if (request->ask != FENCE_ASK_OBSERVE)
		fence_ask_node(fence, cfg, request->ask);
}

void fence_ask_node(struct fence *fence, const struct cfg *cfg, enum fence_ask ask)
{
	fence->request.ask = ask;
	(void)begin_wanted(fence, cfg, FENCE_WAY_SSH);
	if (!way_wanted(cfg, &fence->request, FENCE_WAY_SSH_WITNESS))
		return;
	if (fence->under_way[FENCE_WAY_SSH])
		fence->due_ms[FENCE_WAY_SSH_WITNESS] = now_ms() + DETOUR_AFTER_MS;
	else
		begin_way(fence, cfg, FENCE_WAY_SSH_WITNESS);
}

/* The detour through the witness host: when its time has come, or the straight way has failed. */
static void begin_due(struct fence *fence, const struct cfg *cfg)
{
	enum fence_way way = FENCE_WAY_SSH_WITNESS;

	if (fence->due_ms[way] == 0)
		return;
	if (now_ms() >= fence->due_ms[way] || !fence->under_way[FENCE_WAY_SSH])
		begin_way(fence, cfg, way);
}

/* The caller's deadline, or the moment at which another way begins. */
static struct deadline next_look(const struct fence *fence, const struct deadline *dl)
{
	int64_t due_ms = fence->due_ms[FENCE_WAY_SSH_WITNESS];
	struct deadline next = *dl;

	if (due_ms > 0 && due_ms < next.at_ms)
		next.at_ms = due_ms;
	return next;
}

/* The last line that ssh wrote to standard error says best why it failed; only people read it. */
static void explain_failure(struct fence *fence, enum fence_way way)
{
	struct proc *proc = &fence->ways[way];
	size_t length = strlen(proc->errors);
	const char *last;

	while (length > 0 && (proc->errors[length - 1] == '\n' || proc->errors[length - 1] == '\r'))
		proc->errors[--length] = '\0';
	last = strrchr(proc->errors, '\n');
	last = last == NULL ? proc->errors : last + 1;
	if (*last == '\0')
		(void)snprintf(fence->why[way], sizeof(fence->why[way]),
			       "ended with exit code %d and no answer", proc->exit_code);
	else
		(void)snprintf(fence->why[way], sizeof(fence->why[way]), "%.150s", last);
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
	/* A firewall between the two would look the same for ever: only a change proves anything.
	 */
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
		if (strcmp(word, verdict_words[spoken[i]]) == 0)
			return spoken[i];
	return FENCE_UNKNOWN;
}

static void take_answer(struct fence *fence, const struct cfg *cfg, enum fence_way way)
{
	char word[16];

	fence->under_way[way] = false;
	if (fence_answer_parse(fence->ways[way].output, cfg->name, fence->request.node->name, word,
			       sizeof(word)) < 0)
		explain_failure(fence, way);
	else if (way == FENCE_WAY_OBSERVE)
		fence->answers[way] = read_observation(fence, cfg, word);
	else
		fence->answers[way] = read_node(fence, way, word);
	log_info("fencing of %s by %s: %s (%s)", fence->request.node->name, way_words[way],
		 fence_word(fence->answers[way]), fence->why[way]);
}

enum fence_verdict fence_verdict(const struct fence *fence)
{
	enum fence_verdict best = fence->answers[FENCE_WAY_OBSERVE];

	for (int way = FENCE_WAY_SSH; way <= FENCE_WAY_SSH_WITNESS; way++) {
		/* Two words of one node, at two moments: FENCED lasts, ALIVE may have been before
		 * it. */
		if (fence->answers[way] == FENCE_FENCED)
			return FENCE_FENCED;
		if (fence->answers[way] != FENCE_UNKNOWN)
			best = fence->answers[way];
	}
	return best;
}

bool fence_over(const struct fence *fence)
{
	for (int way = 0; way < FENCE_WAYS; way++)
		if (fence->under_way[way] || fence->due_ms[way] > 0)
			return false;
	return true;
}

static bool decided(const struct fence *fence)
{
	return fence->request.ask != FENCE_ASK_TEST && fence_verdict(fence) != FENCE_UNKNOWN;
}

void fence_go_on(struct fence *fence, const struct cfg *cfg, const struct deadline *dl)
{
	while (!fence_over(fence) && !decided(fence)) {
		struct proc *running[FENCE_WAYS];
		enum fence_way which[FENCE_WAYS];
		struct deadline next;
		size_t count = 0;
		int index;

		begin_due(fence, cfg);
		for (int way = 0; way < FENCE_WAYS; way++) {
			if (!fence->under_way[way])
				continue;
			running[count] = &fence->ways[way];
			which[count++] = (enum fence_way)way;
		}
		next = next_look(fence, dl);
		index = proc_wait_any(running, count, &next);
		if (index >= 0)
			take_answer(fence, cfg, which[index]);
		else if (index != -ETIMEDOUT || deadline_passed(dl))
			return;
	}
}

void fence_end(struct fence *fence)
{
	for (int way = 0; way < FENCE_WAYS; way++) {
		proc_end(&fence->ways[way]);
		fence->under_way[way] = false;
		fence->due_ms[way] = 0;
	}
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
		(void)snprintf(text, size, "no way of fencing is configured");
}
