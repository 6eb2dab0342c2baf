/* SPDX-License-Identifier: PostgreSQL */
/* The steps between fork and exec.  Only proc.c calls this; everybody else wants proc.h. */
#ifndef PGV_PROC_SPAWN_H
#define PGV_PROC_SPAWN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/auto.h"
#include "base/proc.h"

/* Why a child never became the program that it was to be. */
struct spawn_failure {
	int error;        /* errno; 0: there was none */
	const char *step; /* static text: "execute" */
};

/*
 * Forks and executes.  out and err (descriptors for the child's standard output and error; -1:
 * spec->log_path, or /dev/null) stay the caller's.  detached: in a session of its own, its parent
 * is init, *pid is 0.  Waits until the program runs or failed to, a second at the most.
 * Returns 0 or -errno; a child that could not execute the program is not an error here: it ends
 * with 127, and *failure says why.
 */
int spawn(pid_t *pid, const struct proc_spec *spec, const int out_err[2], bool detached,
	  struct spawn_failure *failure) MUST_CHECK;

#endif
