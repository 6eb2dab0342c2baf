/* SPDX-License-Identifier: PostgreSQL */
/*
 * The helpers' own mains (the Makefile builds them under other names), how they are begun, and what
 * stands between them and the command line.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cli.h"
#include "base/deadline.h"
#include "base/proc.h"
#include "fence/fence_answer.h"
#include "fence/observe.h"
#include "node/identity.h"
#include "sim.h"

FAKES(proc_start);
FAKES(proc_wait);
FAKES(proc_wait_any);
FAKES(proc_end);
FAKES(proc_run);
FAKES(proc_detach);
FAKES(cli_parse);
FAKES(cli_finish);
FAKES(cfg_load);
FAKES(node_identify);
FAKES(fence_answer_print);

int check_primary_main(int argc, char **argv);
int promote_safe_main(int argc, char **argv);
int rejoin_main(int argc, char **argv);
int fence_self_main(int argc, char **argv);
int witness_record_main(int argc, char **argv);

/* A program that has no part in who serves: it ends well, having done nothing. */
static int idle_main(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	sim_pass(chance_between(MS(5), MS(50)));
	return OUT_YES;
}

/* On the witness host: fence_old --observe. */
static int observe_main(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return (int)observe_answer(&nodes[WITNESS].cfg).outcome;
}

/* sshd and its forced command, at the other end. */
static int ssh_main(int argc, char **argv)
{
	struct process *self = sim_self();
	const char *const words[] = { "-n", argv[2], "--answer", NULL };
	const int target = argv[1][0] - '0', from = self->node;
	const int64_t out_us = faults_packet(from, target);
	struct process *remote;
	int64_t back_us;
	int id;

	(void)argc;
	sim_pass(chance_between(MS(60), MS(250)));
	if (out_us < 0 || !nodes[target].on) {
		sim_pass(MS(5000));
		return 255;
	}
	sim_pass(out_us);
	remote = process_begin(target, target == WITNESS ? "observe" : "fence_self", words, 0);
	(void)snprintf(remote->request, sizeof(remote->request), "%s", self->request);
	id = remote->id;
	while (process_of(id) != NULL && !process_of(id)->dead) {
		sim_pass(MS(5));
		if (!nodes[target].on)
			return 255;
	}
	back_us = faults_packet(target, from);
	if (process_of(id) == NULL || back_us < 0) {
		sim_pass(MS(4000));
		return 255;
	}
	sim_pass(back_us);
	memcpy(self->output, process_of(id)->output, sizeof(self->output));
	return process_of(id)->exit_code;
}

static const struct {
	const char *name;
	int (*main)(int argc, char **argv);
} helpers[] = {
	{ "check_primary", check_primary_main },
	{ "promote_safe", promote_safe_main },
	{ "rejoin", rejoin_main },
	{ "fence_self", fence_self_main },
	{ "witness_record", witness_record_main },
	{ "ssh", ssh_main },
	{ "observe", observe_main },
};

int helper_main(struct process *process)
{
	char *argv[17] = { NULL };
	const bool checks = process->argc > 1 &&
			    strcmp(process->words[process->argc - 1], "--auto") == 0 &&
			    strcmp(process->words[process->argc - 2], "--check") == 0;

	for (int i = 0; i < process->argc; i++)
		argv[i] = process->words[i];
	if (strcmp(process->name, "check_primary") != 0)
		told(process->node, process->name, "begins%s%s", process->argc > 1 ? " " : "",
		     process->argc > 1 ? process->words[process->argc - 1] : "");
	for (size_t i = 0; i < ARRAY_COUNT(helpers) && !checks; i++) {
		if (strcmp(process->name, helpers[i].name) == 0)
			return helpers[i].main(process->argc, argv);
	}
	return idle_main(process->argc, argv);
}

/* ---- children ---- */

static const char *last_word(const struct proc_spec *spec)
{
	const char *last = "";

	for (const char *const *word = spec->argv; *word != NULL; word++)
		last = *word;
	return last;
}

/* The request is the last word of ssh; it names the node, and the witness host only observes. */
static struct process *begin_ssh(const struct proc_spec *spec)
{
	const char *request = last_word(spec);
	char target[4];
	const char *words[3] = { target, NULL, NULL };
	struct process *process;
	int node = 0;

	while (node < NODES - 1 && (strstr(request, "node=") == NULL ||
				    strncmp(strstr(request, "node=") + 5, node_name(node), 2) != 0))
		node++;
	if (strstr(request, "request=observe") != NULL)
		node = WITNESS;
	(void)snprintf(target, sizeof(target), "%d", node);
	words[1] = node_name(node);
	process = process_begin(sim_node(), "ssh", words, 0);
	(void)snprintf(process->request, sizeof(process->request), "%s", request);
	return process;
}

static struct process *begin_child(const struct proc_spec *spec, bool detached)
{
	const char *name = strrchr(spec->argv[0], '/');
	struct process *child;

	sim_effect("spawn");
	name = name != NULL ? name + 1 : spec->argv[0];
	child = strcmp(name, "ssh") == 0 ? begin_ssh(spec)
					 : process_begin(sim_node(), name, spec->argv + 1,
							 chance_between(MS(2), MS(15)));
	child->parent = sim_self()->id;
	child->detached = detached;
	return child;
}

int FAKE(proc_start)(struct proc *proc, const struct proc_spec *spec)
{
	*proc = PROC_NONE;
	proc->pid = begin_child(spec, false)->id;
	return 0;
}

static bool take_end(struct proc *proc)
{
	struct process *process = process_of(proc->pid);

	if (process != NULL && !process->dead)
		return false;
	proc->done = true;
	proc->exit_code = process != NULL ? process->exit_code : 137;
	if (process != NULL)
		(void)snprintf(proc->output, sizeof(proc->output), "%s", process->output);
	return true;
}

int FAKE(proc_wait)(struct proc *proc, const struct deadline *dl)
{
	while (!take_end(proc)) {
		if (deadline_passed(dl))
			return -ETIMEDOUT;
		sim_pass(MS(2));
	}
	return 0;
}

int FAKE(proc_wait_any)(struct proc *const procs[], size_t count, const struct deadline *dl)
{
	size_t running = 0;

	for (size_t i = 0; i < count; i++)
		running += procs[i]->pid > 0 && !procs[i]->done;
	if (running == 0)
		return -ECHILD;
	for (;;) {
		for (size_t i = 0; i < count; i++) {
			if (procs[i]->pid > 0 && !procs[i]->done && take_end(procs[i]))
				return (int)i;
		}
		if (deadline_passed(dl))
			return -ETIMEDOUT;
		sim_pass(MS(5));
	}
}

void FAKE(proc_end)(struct proc *proc)
{
	struct process *process = process_of(proc->pid);

	if (process != NULL && proc->pid > 0 && !process->dead)
		process_kill(process);
	*proc = PROC_NONE;
}

int FAKE(proc_run)(struct proc *proc, const struct proc_spec *spec, const struct deadline *dl)
{
	int rc = FAKE(proc_start)(proc, spec);

	if (rc == 0)
		rc = FAKE(proc_wait)(proc, dl);
	if (rc < 0)
		FAKE(proc_end)(proc);
	return rc;
}

int FAKE(proc_detach)(const struct proc_spec *spec)
{
	(void)begin_child(spec, true);
	return 0;
}

/* ---- the command line ---- */

static void take(const struct cli_option *options, char **argv, int *at)
{
	for (; options != NULL && options->name != NULL; options++) {
		if (strncmp(argv[*at], "--", 2) != 0 || strcmp(argv[*at] + 2, options->name) != 0)
			continue;
		if (options->flag != NULL)
			*options->flag = true;
		else
			*options->text = argv[++*at];
	}
}

void FAKE(cli_parse)(struct cli *cli, const struct cli_spec *spec, int argc, char **argv)
{
	*cli = (struct cli){ .program = spec->program, .started_ms = now_ms() };
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "-c") == 0 || strcmp(argv[i], "-n") == 0) {
			i++;
			continue;
		}
		take(spec->options, argv, &i);
		if (i < argc)
			take(spec->machine, argv, &i);
	}
}

int FAKE(cli_finish)(const struct cli *cli, const struct verdict *verdict)
{
	told(sim_node(), cli->program, "%s [%s] %s%s%s", outcome_word(verdict->outcome),
	     verdict->rule, verdict->message != NULL ? verdict->message : "",
	     verdict->detail[0] != '\0' ? " - " : "", verdict->detail);
	return (int)verdict->outcome;
}

int FAKE(cfg_load)(struct cfg *cfg, const char *path)
{
	(void)path;
	*cfg = nodes[sim_node()].cfg;
	return 0;
}

int FAKE(node_identify)(struct cfg *cfg, const char *name)
{
	(void)cfg;
	(void)name;
	return 0;
}

void FAKE(fence_answer_print)(const char *cluster, const char *node, const char *verdict)
{
	struct process *self = sim_self();

	(void)snprintf(self->output, sizeof(self->output),
		       "pg_vrrp 1 cluster=%s node=%s verdict=%s\n", cluster, node, verdict);
}
