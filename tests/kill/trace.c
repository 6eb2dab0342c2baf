/* SPDX-License-Identifier: PostgreSQL */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/ptrace.h>

#include "stopat.h"

#define TRACEES_MAX 64
#define LABELS_MAX  4096

struct tracee {
	pid_t tid;
	bool kill_after;
	bool fail;
	bool shorten;
	uint64_t length; /* what the program asked for */
};

struct run {
	pid_t pid;
	const struct order *order;
	int log_fd;
	int64_t begun_ms;
	bool armed;   /* the loader is done, the helper's own code runs */
	bool claimed; /* the order is this run's */
	bool killed;
	struct tracee tracees[TRACEES_MAX];
	int tracee_count;
	char *labels[LABELS_MAX];
	int seen[LABELS_MAX];
	int label_count;
};

static void say(const struct run *r, const char *word, const char *text)
{
	if (dprintf(r->log_fd, "%d\t%s\t%s\n", (int)r->pid, word, text) < 0)
		errno = 0;
}

/* ---- who is traced ---- */

static struct tracee *tracee_of(struct run *r, pid_t tid)
{
	for (int i = 0; i < r->tracee_count; i++) {
		if (r->tracees[i].tid == tid)
			return &r->tracees[i];
	}
	if (r->tracee_count == TRACEES_MAX)
		abort();
	r->tracees[r->tracee_count] = (struct tracee){ .tid = tid };
	return &r->tracees[r->tracee_count++];
}

static void tracee_gone(struct run *r, pid_t tid)
{
	for (int i = 0; i < r->tracee_count; i++) {
		if (r->tracees[i].tid == tid)
			r->tracees[i] = r->tracees[--r->tracee_count];
	}
}

/* The helper, its threads, and children that have not become another program. */
static void kill_all_but(struct run *r, pid_t spared, const char *label)
{
	if (r->killed)
		return;
	r->killed = true;
	say(r, "killed", label);
	for (int i = 0; i < r->tracee_count; i++) {
		if (r->tracees[i].tid != spared)
			(void)kill(r->tracees[i].tid, SIGKILL);
	}
}

/* ---- the call of the order ---- */

/* How often a call with this label was seen, this time included. */
static int count(struct run *r, const char *label)
{
	for (int i = 0; i < r->label_count; i++) {
		if (strcmp(r->labels[i], label) == 0)
			return ++r->seen[i];
	}
	if (r->label_count == LABELS_MAX)
		return 0;
	r->labels[r->label_count] = strdup(label);
	if (r->labels[r->label_count] == NULL)
		abort();
	r->seen[r->label_count] = 1;
	r->label_count++;
	return 1;
}

/* "connect*" stands for every label that begins so. */
static bool is_ordered(const struct order *order, const char *label, int occurrence)
{
	size_t length = strlen(order->label);

	if (order->occurrence != 0 && order->occurrence != occurrence)
		return false;
	if (length > 0 && order->label[length - 1] == '*')
		return strncmp(order->label, label, length - 1) == 0;
	return strcmp(order->label, label) == 0;
}

/* Of several runs that come to the call only one obeys. */
static bool claim(struct run *r)
{
	if (!r->claimed)
		r->claimed = r->order->claim == NULL || unlink(r->order->claim) == 0;
	return r->claimed;
}

static void obey(struct run *r, struct tracee *t, const char *label, uint64_t length)
{
	switch (r->order->deed) {
	case DEED_KILL_BEFORE:
		kill_all_but(r, 0, label);
		break;
	case DEED_KILL_AFTER:
		t->kill_after = true;
		break;
	case DEED_FAIL:
		t->fail = regs_skip(t->tid) == 0;
		say(r, t->fail ? "failed" : "unable", label);
		break;
	case DEED_SHORT:
		t->length = length;
		t->shorten = length > 1 && regs_length(t->tid, (length + 1) / 2) == 0;
		say(r, t->shorten ? "shortened" : "unable", label);
		break;
	case DEED_COUNT:
		break;
	}
}

static void entry(struct run *r, struct tracee *t, const struct ptrace_syscall_info *info)
{
	const uint64_t *args = (const uint64_t *)info->entry.args;
	const struct call *call = call_of((long)info->entry.nr);
	char label[LABEL_MAX];
	bool effect;
	int occurrence;

	/* The first deed of every helper's main: are descriptors 0 to 2 open? */
	if (info->entry.nr == SYS_fcntl && args[0] == 0 && args[1] == F_GETFD)
		r->armed = true;
	if (!r->armed || call->quiet || r->killed)
		return;
	label_make(label, call, t->tid, args);
	effect = call_has_effect(call, args);
	/* The same file opened to be read is another call. */
	if (effect && call->number == SYS_openat)
		label[0] = 'O';
	occurrence = count(r, label);
	if (r->order->deed == DEED_COUNT)
		say(r, effect ? "effect" : "call", label);
	else if (is_ordered(r->order, label, occurrence) && claim(r))
		obey(r, t, label, args[2]);
}

static void leave(struct run *r, struct tracee *t)
{
	if (t->fail)
		(void)regs_result(t->tid, -r->order->error);
	/* The program's compiler counts on the register being as it was. */
	if (t->shorten)
		(void)regs_length(t->tid, t->length);
	if (t->kill_after)
		kill_all_but(r, 0, r->order->label);
	t->fail = t->shorten = t->kill_after = false;
}

static void syscall_stop(struct run *r, struct tracee *t)
{
	struct ptrace_syscall_info info;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, t->tid, sizeof(info), &info) < 0)
		return;
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY)
		entry(r, t, &info);
	else if (info.op == PTRACE_SYSCALL_INFO_EXIT)
		leave(r, t);
}

/* ---- stops ---- */

/* A child that has become another program is none of ours. */
static bool left_us(struct run *r, struct tracee *t)
{
	pid_t tid = t->tid;

	if (tid == r->pid)
		return false;
	if (t->kill_after)
		kill_all_but(r, tid, r->order->label);
	(void)ptrace(PTRACE_DETACH, tid, 0, 0);
	tracee_gone(r, tid);
	return true;
}

static void stopped(struct run *r, struct tracee *t, int status)
{
	int number = WSTOPSIG(status);
	int event = status >> 16;
	long how = PTRACE_SYSCALL;
	long with = 0;

	if (number == (SIGTRAP | 0x80)) {
		syscall_stop(r, t);
	} else if (event == PTRACE_EVENT_EXEC) {
		if (left_us(r, t))
			return;
	} else if (event == PTRACE_EVENT_STOP) {
		/* Frozen by SIGSTOP, and to stay so until SIGCONT. */
		if (number != SIGTRAP)
			how = PTRACE_LISTEN;
	} else if (event == 0) {
		with = number;
	}
	(void)ptrace((enum __ptrace_request)how, t->tid, 0, with);
}

static int64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_BOOTTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void tell_end(const struct run *r, int status)
{
	int64_t took = now_ms() - r->begun_ms;
	char text[64];

	if (WIFEXITED(status))
		(void)snprintf(text, sizeof(text), "exit %d %" PRId64, WEXITSTATUS(status), took);
	else
		(void)snprintf(text, sizeof(text), "signal %d %" PRId64, WTERMSIG(status), took);
	say(r, "end", text);
}

static int follow(struct run *r)
{
	for (;;) {
		int status;
		pid_t tid = waitpid(-1, &status, __WALL);

		if (tid < 0 && errno == EINTR)
			continue;
		if (tid < 0)
			return errno == ECHILD ? 0 : -errno;
		if (WIFSTOPPED(status)) {
			stopped(r, tracee_of(r, tid), status);
			continue;
		}
		tracee_gone(r, tid);
		if (tid == r->pid)
			tell_end(r, status);
	}
}

int trace(pid_t pid, const struct order *order, int log_fd, int ready_fd)
{
	const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
			     PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL;
	struct run *r = calloc(1, sizeof(*r));
	int rc;

	if (r == NULL)
		return -ENOMEM;
	*r = (struct run){ .pid = pid, .order = order, .log_fd = log_fd, .begun_ms = now_ms() };
	if (ptrace(PTRACE_SEIZE, pid, 0, options) < 0) {
		rc = -errno;
		free(r);
		return rc;
	}
	(void)tracee_of(r, pid);
	if (write(ready_fd, "", 1) != 1)
		errno = 0; /* it ended, which is about to be seen */
	(void)close(ready_fd);
	rc = follow(r);
	for (int i = 0; i < r->label_count; i++)
		free(r->labels[i]);
	free(r);
	return rc;
}
