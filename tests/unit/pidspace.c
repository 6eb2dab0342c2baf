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

/* All else in the namespace is killed by the kernel when this process ends. */
static void first_process(int (*body)(void))
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("proc", "/proc", "proc", 0, NULL) < 0 ||
	    mount("tmpfs", "/tmp", "tmpfs", 0, "mode=1777") < 0) {
		perror("pidspace");
		exit(1);
	}
	exit(body());
}

int pidspace_run(int (*body)(void))
{
	int status = 0;
	pid_t pid;

	if (unshare(CLONE_NEWPID | CLONE_NEWNS) < 0) {
		perror("pidspace: unshare");
		return 1;
	}
	pid = fork();
	if (pid == 0)
		first_process(body);
	if (pid < 0 || waitpid(pid, &status, 0) != pid) {
		perror("pidspace: fork");
		return 1;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

void pidspace_reap(void)
{
	while (waitpid(-1, NULL, WNOHANG) > 0)
		continue;
}
