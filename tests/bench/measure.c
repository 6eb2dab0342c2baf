/* SPDX-License-Identifier: PostgreSQL */
/*
 * measure N PROGRAM ARGUMENT... - runs PROGRAM N times and prints one line for each run:
 * wall ms, CPU ms (its children's too), peak resident KiB, exit code.
 *
 * In C and tiny, because the kernel counts the memory of whoever starts a program as the program's.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

static double now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_BOOTTIME, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static double cpu_ms(const struct rusage *usage)
{
	return (double)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * 1e3 +
	       (double)(usage->ru_utime.tv_usec + usage->ru_stime.tv_usec) / 1e3;
}

static int run_once(char *const argv[], const posix_spawn_file_actions_t *quiet)
{
	double began = now_ms();
	struct rusage usage;
	pid_t pid;
	int status;
	int rc = posix_spawn(&pid, argv[0], quiet, NULL, argv, environ);

	if (rc != 0) {
		(void)fprintf(stderr, "measure: %s: %s\n", argv[0], strerror(rc));
		return -1;
	}
	while (wait4(pid, &status, 0, &usage) < 0)
		if (errno != EINTR)
			return -1;
	printf("%.3f %.3f %ld %d\n", now_ms() - began, cpu_ms(&usage), usage.ru_maxrss,
	       WIFEXITED(status) ? WEXITSTATUS(status) : -1);
	return 0;
}

int main(int argc, char **argv)
{
	posix_spawn_file_actions_t quiet;
	long count = argc > 2 ? strtol(argv[1], NULL, 10) : 0;

	if (count <= 0) {
		(void)fputs("usage: measure N PROGRAM ARGUMENT...\n", stderr);
		return 64;
	}
	if (posix_spawn_file_actions_init(&quiet) != 0 ||
	    posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", O_WRONLY, 0) != 0 ||
	    posix_spawn_file_actions_addopen(&quiet, 2, "/dev/null", O_WRONLY, 0) != 0)
		return 71;
	for (long i = 0; i < count; i++)
		if (run_once(argv + 2, &quiet) < 0)
			return 71;
	return 0;
}
