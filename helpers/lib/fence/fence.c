/* SPDX-License-Identifier: PostgreSQL */
#include "fence/fence.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "fence/fence_read.h"
#include "fence/fence_ssh.h"

/*
 * A host that lives answers the first way within this; the second is for the case that only the
 * path is broken, and would meanwhile take the processor from the handshake that counts.
 */
#define SECOND_AFTER_MS 500
/* ssh gives up after 5 s without a connection and 3 s without a sign of life, but not on an sshd
 * that stops in between.  Somebody waits for its end when the host can be switched off. */
#define SSH_GIVES_UP_MS 8000
/* Begins when the way before it has ended. */
#define AFTER_IT INT64_MAX

static const enum fence_way way_of_method[] = {
	[FENCING_SSH] = FENCE_WAY_SSH,
	[FENCING_SSH_WITNESS] = FENCE_WAY_SSH_WITNESS,
	[FENCING_AGENT] = FENCE_WAY_AGENT,
	[FENCING_HOOK] = FENCE_WAY_HOOK,
};

static bool is_power(enum fence_way way)
{
	return way == FENCE_WAY_AGENT || way == FENCE_WAY_HOOK;
}

static bool is_test(const struct fence *fence)
{
	return fence->request.ask == FENCE_ASK_TEST;
}

static struct power *power_of(struct fence *fence, enum fence_way way)
{
	return way == FENCE_WAY_AGENT ? &fence->agent : &fence->hook;
}

/* ---- one way ---- */

static int build_ssh(struct fence_ssh *ssh, const struct cfg *cfg,
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

static int start_ssh(struct fence *fence, const struct cfg *cfg, enum fence_way way)
{
	struct fence_ssh ssh;
	struct proc_spec spec = { .argv = ssh.argv };
	int64_t window_ms = way == FENCE_WAY_OBSERVE ? fence->request.observe_ms : 0;
	int rc = build_ssh(&ssh, cfg, &fence->request, way);

	if (cfg_power_ms(cfg) > 0)
		fence->kill_ms[way] =
		    now_ms() + SSH_GIVES_UP_MS + cfg_fence_time_ms(cfg) + window_ms;
	return rc < 0 ? rc : proc_start(&fence->ways[way], &spec);
}

/* The first program of an agent or a hook, or its next one. */
static int start_power(struct fence *fence, const struct cfg *cfg, enum fence_way way)
{
	struct power *power = power_of(fence, way);
	int rc = 0;

	if (power->cfg == NULL)
		rc = power_begin(power, cfg, fence->request.node, way == FENCE_WAY_AGENT,
				 is_test(fence));
	if (rc == 0)
		rc = power_start(power, &fence->ways[way]);
	fence->kill_ms[way] = power->kill_ms;
	return rc;
}

static void tell(const struct fence *fence, enum fence_way way)
{
	log_info("fencing of %s by %s: %s (%s)", fence->request.node->name, fence_way_word(way),
		 fence_word(fence->answers[way]), fence->why[way]);
}

static void begin_way(struct fence *fence, const struct cfg *cfg, enum fence_way way)
{
	bool power = is_power(way);
	int rc = power ? start_power(fence, cfg, way) : start_ssh(fence, cfg, way);
	const char *why = power ? power_of(fence, way)->why : "";

	fence->due_ms[way] = 0;
	fence->after[way] = way;
	fence->under_way[way] = rc == 0;
	if (rc == 0)
		why = "no answer";
	else if (why[0] == '\0')
		why = strerror(-rc);
	(void)snprintf(fence->why[way], sizeof(fence->why[way]), "%s", why);
	if (rc < 0)
		tell(fence, way);
}

static void take_power(struct fence *fence, enum fence_way way)
{
	struct power *power = power_of(fence, way);

	power_take(power, &fence->ways[way]);
	proc_end(&fence->ways[way]);
	(void)snprintf(fence->why[way], sizeof(fence->why[way]), "%s", power->why);
	if (power->step != POWER_OVER)
		fence->due_ms[way] = power->begin_ms;
	else if (power->end == POWER_PROVEN)
		fence->answers[way] = is_test(fence) ? FENCE_READY : FENCE_FENCED;
}

/* The program of this way has ended, or its time is over. */
static void take_end(struct fence *fence, const struct cfg *cfg, enum fence_way way)
{
	fence->under_way[way] = false;
	fence->kill_ms[way] = 0;
	if (is_power(way)) {
		take_power(fence, way);
	} else {
		fence->answers[way] = fence_read(fence, cfg, way);
		proc_end(&fence->ways[way]);
	}
	if (fence->due_ms[way] == 0)
		tell(fence, way);
}

/* ---- what begins when ---- */

static bool wanted(const struct cfg *cfg, enum fence_way way)
{
	return way != FENCE_WAY_SSH_WITNESS || cfg->witness_ssh;
}

/* Makes the configured ways of one kind due, in their order.  gap_ms: what lies between two. */
static void plan(struct fence *fence, const struct cfg *cfg, bool power, int64_t gap_ms)
{
	int64_t due_ms = now_ms();
	enum fence_way before = FENCE_WAYS;

	for (size_t i = 0; i < cfg->method_count; i++) {
		enum fence_way way = way_of_method[cfg->methods[i]];

		if (is_power(way) != power || !wanted(cfg, way))
			continue;
		fence->due_ms[way] = due_ms;
		fence->after[way] = before < FENCE_WAYS ? before : way;
		(void)snprintf(fence->why[way], sizeof(fence->why[way]), "not begun");
		before = way;
		due_ms = gap_ms == AFTER_IT ? AFTER_IT : due_ms + gap_ms;
	}
}

static bool is_due(const struct fence *fence, enum fence_way way)
{
	enum fence_way before = fence->after[way];

	if (fence->due_ms[way] == 0)
		return false;
	return now_ms() >= fence->due_ms[way] ||
	       (before != way && !fence->under_way[before] && fence->due_ms[before] == 0);
}

static void begin_due(struct fence *fence, const struct cfg *cfg)
{
	for (int way = 0; way < FENCE_WAYS; way++)
		if (is_due(fence, (enum fence_way)way))
			begin_way(fence, cfg, (enum fence_way)way);
}

static void end_late(struct fence *fence, const struct cfg *cfg)
{
	for (int way = 0; way < FENCE_WAYS; way++) {
		if (!fence->under_way[way] || fence->kill_ms[way] == 0 ||
		    now_ms() < fence->kill_ms[way])
			continue;
		take_end(fence, cfg, (enum fence_way)way);
	}
}

/* The caller's deadline, or the moment at which another way begins or has to end. */
static struct deadline next_look(const struct fence *fence, const struct deadline *dl)
{
	struct deadline next = *dl;

	for (int way = 0; way < FENCE_WAYS; way++) {
		int64_t at_ms = fence->under_way[way] ? fence->kill_ms[way] : fence->due_ms[way];

		if (at_ms > 0 && at_ms < next.at_ms)
			next.at_ms = at_ms;
	}
	return next;
}

void fence_begin(struct fence *fence, const struct cfg *cfg, const struct fence_request *request)
{
	*fence = (struct fence){ .request = *request };
	for (int way = 0; way < FENCE_WAYS; way++) {
		fence->ways[way] = PROC_NONE;
		fence->after[way] = (enum fence_way)way;
	}
	if (request->observe && cfg->witness_ssh)
		begin_way(fence, cfg, FENCE_WAY_OBSERVE);
	if (request->ask != FENCE_ASK_OBSERVE)
		fence_ask_node(fence, cfg, request->ask);
	if (request->ask == FENCE_ASK_TEST)
		plan(fence, cfg, true, 0);
}

void fence_observe_anew(struct fence *fence, const struct cfg *cfg)
{
	if (!fence->request.observe || !cfg->witness_ssh)
		return;
	proc_end(&fence->ways[FENCE_WAY_OBSERVE]);
	fence->answers[FENCE_WAY_OBSERVE] = FENCE_UNKNOWN;
	begin_way(fence, cfg, FENCE_WAY_OBSERVE);
}

void fence_ask_node(struct fence *fence, const struct cfg *cfg, enum fence_ask ask)
{
	fence->request.ask = ask;
	plan(fence, cfg, false, SECOND_AFTER_MS);
	begin_due(fence, cfg);
}

void fence_ask_power(struct fence *fence, const struct cfg *cfg)
{
	plan(fence, cfg, true, AFTER_IT);
	begin_due(fence, cfg);
}

/* ---- the wait ---- */

/* "Isolated" is less than what an agent that is at work may prove in a moment. */
static bool decided(const struct fence *fence)
{
	enum fence_verdict verdict = fence_verdict(fence);
	bool power = fence->under_way[FENCE_WAY_AGENT] || fence->due_ms[FENCE_WAY_AGENT] > 0 ||
		     fence->under_way[FENCE_WAY_HOOK] || fence->due_ms[FENCE_WAY_HOOK] > 0;

	if (is_test(fence) || verdict == FENCE_UNKNOWN)
		return false;
	return verdict != FENCE_ISOLATED || !power;
}

/* One round: takes the next that ends.  False when the deadline has passed, or nothing can be
 * waited for. */
static bool wait_once(struct fence *fence, const struct cfg *cfg, const struct deadline *dl)
{
	struct deadline next = next_look(fence, dl);
	struct proc *running[FENCE_WAYS];
	enum fence_way which[FENCE_WAYS];
	size_t count = 0;
	int index = -ETIMEDOUT;

	for (int way = 0; way < FENCE_WAYS; way++) {
		if (!fence->under_way[way])
			continue;
		running[count] = &fence->ways[way];
		which[count++] = (enum fence_way)way;
	}
	if (count > 0)
		index = proc_wait_any(running, count, &next);
	else
		deadline_sleep(&next);
	if (index >= 0)
		take_end(fence, cfg, which[index]);
	return index >= 0 || (index == -ETIMEDOUT && !deadline_passed(dl));
}

static void go_on(struct fence *fence, const struct cfg *cfg, const struct deadline *dl,
		  bool (*enough)(const struct fence *fence))
{
	while (!decided(fence) && !enough(fence)) {
		begin_due(fence, cfg);
		end_late(fence, cfg);
		if (decided(fence) || enough(fence) || !wait_once(fence, cfg, dl))
			return;
	}
}

void fence_go_on(struct fence *fence, const struct cfg *cfg, const struct deadline *dl)
{
	go_on(fence, cfg, dl, fence_over);
}

void fence_go_on_asking(struct fence *fence, const struct cfg *cfg, const struct deadline *dl)
{
	go_on(fence, cfg, dl, fence_asked);
}

void fence_end(struct fence *fence)
{
	for (int way = 0; way < FENCE_WAYS; way++) {
		proc_end(&fence->ways[way]);
		fence->under_way[way] = false;
		fence->due_ms[way] = 0;
	}
}
