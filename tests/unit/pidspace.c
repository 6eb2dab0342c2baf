/* SPDX-License-Identifier: PostgreSQL */
#include "pidspace.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* Ends with its parent, so that nothing goes on without anybody to see it. */
static pid_t fork_bound(void)
{
	pid_t pid = fork();

	if (pid == 0 && prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		_exit(1);
	return pid;
}

/*
 * Is init for the servers that body starts and leaves alone.  When it ends, the kernel kills all
 * that is left.  Body itself runs beside it: the leak check of the sanitizer cannot look at the
 * first process of a namespace.
 */
static int first_process(int (*body)(void))
{
	int status = 1;
	pid_t pid, ended;

	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("proc", "/proc", "proc", 0, NULL) < 0 ||
	    mount("tmpfs", "/tmp", "tmpfs", 0, "mode=1777") < 0) {
		perror("pidspace: mount");
		return 1;
	}
	pid = fork_bound();
	if (pid == 0)
		exit(body());
	do {
		ended = waitpid(-1, &status, 0);
	} while (ended > 0 && ended != pid);
	return ended == pid && WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

static int exit_code_of(pid_t pid)
{
	int status;

	if (pid < 0 || waitpid(pid, &status, 0) != pid) {
		perror("pidspace: fork");
		return 1;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

/* In a process of its own, because whoever has unshared can fork only as long as the first process
 * of the namespace lives. */
static int in_new_space(int (*body)(void))
{
	pid_t pid;

	if (unshare(CLONE_NEWPID | CLONE_NEWNS) < 0) {
		perror("pidspace: unshare");
		return 1;
	}
	pid = fork_bound();
	if (pid == 0)
		_exit(first_process(body));
	return exit_code_of(pid);
}

int pidspace_run(int (*body)(void))
{
	pid_t pid = fork_bound();

	if (pid == 0)
		_exit(in_new_space(body));
	return exit_code_of(pid);
}

void pidspace_reap(void)
{
	while (waitpid(-1, NULL, WNOHANG) > 0)
		continue;
}
