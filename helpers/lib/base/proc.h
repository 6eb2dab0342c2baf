/* SPDX-License-Identifier: PostgreSQL */
/*
 * Running other programs: an argument vector and an absolute path, never a shell.  Each child gets
 * its own process group, an empty signal mask, PR_SET_PDEATHSIG SIGKILL unless detached, a clean
 * environment (PATH, LC_ALL=C; with as_user also HOME, USER, LOGNAME).  Children are watched by
 * pidfd (pidfd_open(2), Linux 5.3).  What a child leaves in its group is killed when it ends; a
 * daemon that made a session of its own, as pg_ctl's server, stays.  The only module that forks
 * (proc.c, proc_spawn.c).
 */
#ifndef PGV_PROC_H
#define PGV_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/auto.h"
#include "base/deadline.h"

#define PROC_OUTPUT_MAX 8192

struct proc_spec {
	const char *const *argv; /* argv[0] is an absolute path; ends with NULL */
	const char *as_user;     /* drop to this user and its groups; NULL: stay */
	const char *cwd;         /* NULL: "/" */
	const char *input;       /* written to its standard input; NULL: /dev/null */
	const char *log_path;    /* output appended here and not collected; NULL: collected */
	const char *setting;     /* one more environment variable, "TZ=UTC"; NULL: none */
};

struct proc {
	pid_t pid; /* 0: not running */
	int pidfd; /* readable when it has ended */
	int out;   /* its standard output (pipe); who takes it away (-1) reads and closes it himself
		    */
	int err;   /* its standard error (pipe) */
	bool done; /* ended and reaped; exit_code is valid */
	int exit_code;                /* 0-255, or 128 + signal; 127: could not be executed */
	char output[PROC_OUTPUT_MAX]; /* NUL-terminated; what does not fit is read and dropped */
	char errors[PROC_OUTPUT_MAX];
};

/*
 * Starts it.  Returns 0 or -errno (-ENOENT: no such user); on error *proc is clean (PROC_NONE).  A
 * program that cannot be executed is not an error here: it ends with 127, and errors says why.
 */
int proc_start(struct proc *proc, const struct proc_spec *spec) MUST_CHECK;

/* Wakes a child that waits for that (signals_open_waking); another one ignores it, and so does one
 * that is not ready yet.  0, or -errno. */
int proc_wake(const struct proc *proc) MUST_CHECK;

/*
 * Moves output along and reaps; returns when it has ended (0), when the deadline passed
 * (-ETIMEDOUT, it still runs), or -errno.  May be called with a passed deadline to look without
 * waiting.
 */
int proc_wait(struct proc *proc, const struct deadline *dl) MUST_CHECK;

/* Waits until any of `count` running children has ended, or `dl`.  Returns its index, -ETIMEDOUT,
 * -ECHILD when none runs, or -errno. */
int proc_wait_any(struct proc *const procs[], size_t count, const struct deadline *dl) MUST_CHECK;

/* SIGKILLs the process group if it still runs, reaps, closes.  Safe on a clean struct. */
void proc_end(struct proc *proc);

/* start + wait + end.  Returns 0 with *proc filled, -ETIMEDOUT after killing it, or -errno. */
int proc_run(struct proc *proc, const struct proc_spec *spec, const struct deadline *dl) MUST_CHECK;

/* Starts it in its own session, reparented to init, not watched: it survives the caller.  Its
 * output goes to log_path or /dev/null.  0 or -errno, also when it cannot be executed. */
int proc_detach(const struct proc_spec *spec) MUST_CHECK;

/* rm(1): neither follows a link nor leaves the file system, and knows what may change meanwhile.
 * What is not there is removed.  0, -EIO or another -errno (why in log). */
int proc_remove_tree(const char *path, const struct deadline *dl) MUST_CHECK;

#define PROC_NONE ((struct proc){ .pidfd = -1, .out = -1, .err = -1 })

static inline void auto_proc_end(struct proc *proc)
{
	proc_end(proc);
}
/* struct proc AUTO_PROC child = PROC_NONE; */
#define AUTO_PROC __attribute__((cleanup(auto_proc_end)))

#endif
