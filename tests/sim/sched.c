/* SPDX-License-Identifier: PostgreSQL */
/* Coroutines, and the one clock that they share. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "sim.h"

#define PROCESSES_MAX  128
#define COROUTINES_MAX 192
#define EVENTS_MAX     1024
#define STACK_BYTES    (8 * 1024 * 1024)

struct coroutine {
	bool used;
	int process;
	int64_t wake_us;
	const bool *waits_for; /* wakes when it is true, too */
	void *(*fn)(void *);
	void *arg;
	bool *done;
	char *stack;
	ucontext_t context;
};

struct event {
	int64_t at_us;
	uint64_t order;
	sim_deed deed;
	int64_t a, b;
	void *p;
};

int64_t sim_now_us;
static struct process processes[PROCESSES_MAX];
static int next_id;
static struct coroutine coroutines[COROUTINES_MAX];
static struct coroutine *running;
static struct coroutine *top = coroutines; /* all behind it are free */
static ucontext_t scheduler;
static struct event events[EVENTS_MAX];
static size_t event_count;
static uint64_t event_order;
static int64_t next_event_us;

/* ---- events ---- */

static void find_next_event(void)
{
	next_event_us = INT64_MAX;
	for (size_t i = 0; i < event_count; i++) {
		if (events[i].at_us < next_event_us)
			next_event_us = events[i].at_us;
	}
}

void sim_at(int64_t at_us, sim_deed deed, int64_t a, int64_t b, void *p)
{
	if (event_count == EVENTS_MAX)
		abort();
	events[event_count++] = (struct event){ at_us, event_order++, deed, a, b, p };
	if (at_us < next_event_us)
		next_event_us = at_us;
}

static void run_event(void)
{
	size_t best = 0;
	struct event event;

	for (size_t i = 1; i < event_count; i++) {
		if (events[i].at_us < events[best].at_us ||
		    (events[i].at_us == events[best].at_us && events[i].order < events[best].order))
			best = i;
	}
	event = events[best];
	events[best] = events[--event_count];
	find_next_event();
	event.deed(event.a, event.b, event.p);
}

/* ---- coroutines ---- */

struct process *process_of(int id)
{
	struct process *process = &processes[id % PROCESSES_MAX];

	return id > 0 && process->id == id ? process : NULL;
}

struct process *sim_self(void)
{
	return running != NULL ? process_of(running->process) : NULL;
}

int sim_node(void)
{
	const struct process *self = sim_self();

	return self != NULL ? self->node : 0;
}

static void leave(void)
{
	struct coroutine *me = running;

	(void)swapcontext(&me->context, &scheduler);
}

static void end_process(struct process *process, int code)
{
	if (process->dead)
		return;
	process->dead = true;
	process->exit_code = code;
	fds_of_the_dead(process->id);
	sql_of_the_dead(process->id);
	for (size_t i = 0; i < COROUTINES_MAX; i++) {
		if (coroutines[i].used && coroutines[i].process == process->id)
			coroutines[i].used = false;
	}
	for (size_t i = 0; i < PROCESSES_MAX; i++) {
		if (processes[i].id != 0 && processes[i].parent == process->id &&
		    !processes[i].detached)
			process_kill(&processes[i]);
	}
}

static void body(void)
{
	struct coroutine *me = running;

	(void)me->fn(me->arg);
	if (me->done != NULL)
		*me->done = true;
	me->used = false;
	leave();
}

static struct coroutine *begin(int process, void *(*fn)(void *), void *arg, int64_t at_us)
{
	struct coroutine *one = coroutines;

	while (one < coroutines + COROUTINES_MAX && (one->used || one == running))
		one++;
	if (one == coroutines + COROUTINES_MAX)
		abort();
	if (one >= top)
		top = one + 1;
	if (one->stack == NULL)
		one->stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (one->stack == MAP_FAILED)
		abort();
	one->used = true;
	one->process = process;
	one->wake_us = at_us;
	one->waits_for = NULL;
	one->fn = fn;
	one->arg = arg;
	one->done = NULL;
	(void)getcontext(&one->context);
	one->context.uc_stack.ss_sp = one->stack;
	one->context.uc_stack.ss_size = STACK_BYTES;
	one->context.uc_link = NULL;
	makecontext(&one->context, body, 0);
	return one;
}

void sim_beside(void *(*fn)(void *), void *arg, bool *done)
{
	*done = false;
	begin(running->process, fn, arg, sim_now_us)->done = done;
}

static struct process *owner(const struct coroutine *one)
{
	return &processes[one->process % PROCESSES_MAX];
}

static int64_t wakes_at(const struct coroutine *one)
{
	const struct process *process = owner(one);
	int64_t at_us = one->wake_us;

	if (one->waits_for != NULL && *one->waits_for)
		at_us = sim_now_us;
	return at_us > process->frozen_until_us ? at_us : process->frozen_until_us;
}

static struct coroutine *next_coroutine(int64_t *at_us)
{
	struct coroutine *best = NULL;

	*at_us = INT64_MAX;
	while (top > coroutines && !top[-1].used && &top[-1] != running)
		top--;
	for (struct coroutine *one = coroutines; one < top; one++) {
		const int64_t wakes = one->used ? wakes_at(one) : INT64_MAX;

		if (wakes < *at_us) {
			*at_us = wakes;
			best = one;
		}
	}
	return best;
}

static void sleep_until(const bool *done, int64_t at_us)
{
	struct coroutine *me = running;
	int64_t others_us;

	if (at_us < sim_now_us)
		at_us = sim_now_us;
	me->wake_us = at_us;
	me->waits_for = done;
	/* Nobody else has anything to do before: no need to change. */
	if (done == NULL && at_us < next_event_us && owner(me)->frozen_until_us == 0) {
		me->used = false;
		(void)next_coroutine(&others_us);
		me->used = true;
		if (at_us < others_us) {
			sim_now_us = at_us;
			return;
		}
	}
	leave();
}

void sim_pass(int64_t us)
{
	if (running != NULL)
		sleep_until(NULL, sim_now_us + us);
}

void sim_wait(const bool *done, int64_t until_us)
{
	while (!*done && sim_now_us < until_us)
		sleep_until(done, until_us);
}

void sim_effect(const char *what)
{
	struct process *self = sim_self();
	int64_t us = chance_between(5, 60);

	if (self == NULL)
		return;
	faults_strike(self, what);
	if (faults_preempt(&us) || self->dead || self->frozen_until_us > sim_now_us)
		sleep_until(NULL, sim_now_us + us);
	else
		sim_pass(us);
}

/* ---- processes ---- */

static void *run_helper(void *arg)
{
	struct process *process = arg;
	int code = helper_main(process);

	end_process(process, code);
	return NULL;
}

struct process *process_begin(int node, const char *name, const char *const *words,
			      int64_t delay_us)
{
	struct process *process;

	do
		next_id++;
	while (processes[next_id % PROCESSES_MAX].id != 0 &&
	       !processes[next_id % PROCESSES_MAX].dead);
	process = &processes[next_id % PROCESSES_MAX];
	*process = (struct process){ .id = next_id, .node = node };
	(void)snprintf(process->name, sizeof(process->name), "%s", name);
	(void)snprintf(process->words[0], sizeof(process->words[0]), "%s", name);
	for (process->argc = 1; words != NULL && *words != NULL && process->argc < 15; words++)
		(void)snprintf(process->words[process->argc++], sizeof(process->words[0]), "%s",
			       *words);
	for (int i = 0; i < process->argc; i++)
		process->argv[i] = process->words[i];
	begin(process->id, run_helper, process, sim_now_us + delay_us);
	return process;
}

void process_kill(struct process *process)
{
	const bool self = running != NULL && running->process == process->id;

	if (process->dead)
		return;
	end_process(process, 137);
	if (self)
		leave(); /* never back */
}

void process_freeze(struct process *process, int64_t us)
{
	if (process->frozen_until_us < sim_now_us + us)
		process->frozen_until_us = sim_now_us + us;
}

void process_each(int node, const char *name, void (*deed)(struct process *, int64_t),
		  int64_t value)
{
	for (size_t i = 0; i < PROCESSES_MAX; i++) {
		struct process *process = &processes[i];

		if (process->id != 0 && !process->dead && process->node == node &&
		    (name == NULL || strcmp(process->name, name) == 0))
			deed(process, value);
	}
}

/* ---- the run ---- */

void sim_begin(void)
{
	sim_now_us = MS(1000000);
	memset(processes, 0, sizeof(processes));
	for (size_t i = 0; i < COROUTINES_MAX; i++)
		coroutines[i].used = false;
	top = coroutines;
	event_count = 0;
	event_order = 0;
	next_id = 100;
	running = NULL;
	find_next_event();
}

void sim_run(int64_t until_us)
{
	while (promise_broken[0] == '\0') {
		int64_t at_us;
		struct coroutine *one = next_coroutine(&at_us);

		if (next_event_us <= at_us) {
			if (next_event_us > until_us)
				break;
			sim_now_us = next_event_us > sim_now_us ? next_event_us : sim_now_us;
			run_event();
			continue;
		}
		if (one == NULL || at_us > until_us)
			break;
		sim_now_us = at_us > sim_now_us ? at_us : sim_now_us;
		if (owner(one)->frozen_until_us <= sim_now_us)
			owner(one)->frozen_until_us = 0;
		running = one;
		(void)swapcontext(&scheduler, &one->context);
		running = NULL;
	}
}

void sim_end(void)
{
	if (next_event_us < 0)
		abort();
}
