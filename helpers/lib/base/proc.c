/* SPDX-License-Identifier: PostgreSQL */
#include "base/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/proc_spawn.h"
#include "base/signals.h"

#define WATCH_MAX  8    /* children in one proc_wait_any */
#define KILL_MS    2000 /* SIGKILL takes longer only while a disk or NFS hangs in the kernel */
#define LAST_READS 32   /* of READ_BYTES: more than a pipe holds */
#define READ_BYTES 4096

static void close_fd(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

static void close_all(struct proc *proc)
{
	close_fd(&proc->out);
	close_fd(&proc->err);
	close_fd(&proc->pidfd);
}

/* The parent's end does not block; the child's is an ordinary one. */
static int make_pipe(int *ours, int *theirs)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	*ours = ends[0];
	*theirs = ends[1];
	return fcntl(*ours, F_SETFL, O_NONBLOCK) < 0 ? -errno : 0;
}

int proc_start(struct proc *proc, const struct proc_spec *spec)
{
	int theirs[2] = { -1, -1 };
	struct spawn_failure failure = { 0 };
	int rc = 0;

	*proc = PROC_NONE;
	if (spec->log_path == NULL) {
		rc = make_pipe(&proc->out, &theirs[0]);
		if (rc == 0)
			rc = make_pipe(&proc->err, &theirs[1]);
	}
	if (rc == 0)
		rc = spawn(&proc->pid, spec, theirs, false, &failure);
	close_fd(&theirs[0]);
	close_fd(&theirs[1]);
	if (rc < 0) {
		close_all(proc);
		return rc;
	}
	/* The child is ours and not reaped yet, so that the number cannot be another's. */
	proc->pidfd = pidfd_open(proc->pid, 0);
	if (proc->pidfd < 0) {
		rc = -errno;
		(void)kill(proc->pid, SIGKILL);
		(void)waitpid(proc->pid, NULL, 0);
		close_all(proc);
		*proc = PROC_NONE;
		return rc;
	}
	if (failure.error != 0)
		(void)snprintf(proc->errors, sizeof(proc->errors), "could not %s \"%s\": %s\n",
			       failure.step, spec->argv[0], strerror(failure.error));
	return 0;
}

/* Takes what one read(2) gives; returns false when there is nothing now. */
static bool take_output(int *fd, char *text)
{
	char buffer[READ_BYTES];
	size_t used = strlen(text);
	ssize_t got;

	if (*fd < 0)
		return false;
	got = read(*fd, buffer, sizeof(buffer));
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (got <= 0) {
		close_fd(fd);
		return false;
	}
	for (ssize_t i = 0; i < got && used < PROC_OUTPUT_MAX - 1; i++)
		text[used++] = buffer[i] != '\0' ? buffer[i] : '?'; /* it ends at the first NUL */
	text[used] = '\0';
	return true;
}

/* Reads what the child left in a pipe, bounded: a process that it left behind may go on writing. */
static void take_rest(int *fd, char *text)
{
	for (int i = 0; i < LAST_READS && take_output(fd, text); i++)
		continue;
	close_fd(fd);
}

/*
 * Looks whether it has ended.  The rest of its group is killed before it is reaped: until then its
 * number, which is also the group's, cannot be given to anybody else.
 */
static int reap(struct proc *proc)
{
	siginfo_t info = { 0 };

	if (waitid(P_PIDFD, (id_t)proc->pidfd, &info, WEXITED | WNOHANG | WNOWAIT) < 0)
		return -errno;
	if (info.si_pid == 0)
		return -EAGAIN;
	(void)kill(-proc->pid, SIGKILL);
	take_rest(&proc->out, proc->output);
	take_rest(&proc->err, proc->errors);
	if (waitid(P_PIDFD, (id_t)proc->pidfd, &info, WEXITED | WNOHANG) < 0)
		return -errno;
	proc->exit_code = info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
	proc->done = true;
	proc->pid = 0;
	close_all(proc);
	return 0;
}

static bool running(const struct proc *proc)
{
	return proc->pid > 0 && !proc->done;
}

/* One round: waits for any news of the children, takes it.  0 or -errno. */
static int watch(struct proc *const procs[], size_t count, const struct deadline *dl)
{
	struct pollfd fds[3 * WATCH_MAX];
	int rc;

	for (size_t i = 0; i < count; i++) {
		bool live = running(procs[i]);

		fds[3 * i] = (struct pollfd){ live ? procs[i]->pidfd : -1, POLLIN, 0 };
		fds[3 * i + 1] = (struct pollfd){ live ? procs[i]->out : -1, POLLIN, 0 };
		fds[3 * i + 2] = (struct pollfd){ live ? procs[i]->err : -1, POLLIN, 0 };
	}
	rc = deadline_poll(fds, 3 * count, dl);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < count; i++) {
		if (fds[3 * i + 1].revents != 0)
			(void)take_output(&procs[i]->out, procs[i]->output);
		if (fds[3 * i + 2].revents != 0)
			(void)take_output(&procs[i]->err, procs[i]->errors);
	}
	return 0;
}

/* Index of a child that has ended, -EAGAIN when all still run, -ECHILD when none does,
 * or -errno. */
static int reap_any(struct proc *const procs[], size_t count)
{
	int none = -ECHILD;

	for (size_t i = 0; i < count; i++) {
		int rc;

		if (!running(procs[i]))
			continue;
		rc = reap(procs[i]);
		if (rc == 0)
			return (int)i;
		if (rc != -EAGAIN)
			return rc;
		none = -EAGAIN;
	}
	return none;
}

int proc_wait_any(struct proc *const procs[], size_t count, const struct deadline *dl)
{
	if (count > WATCH_MAX)
		return -EINVAL;
	/* A late caller gets a look at the output too: a child with a full pipe never ends. */
	for (bool looked = false;; looked = true) {
		int rc = reap_any(procs, count);

		if (rc != -EAGAIN)
			return rc;
		if (looked && deadline_passed(dl))
			return -ETIMEDOUT;
		rc = watch(procs, count, dl);
		if (rc < 0)
			return rc;
	}
}

int proc_wait(struct proc *proc, const struct deadline *dl)
{
	struct proc *const one[] = { proc };
	int rc;

	if (proc->done)
		return 0;
	rc = proc_wait_any(one, 1, dl);
	return rc < 0 ? rc : 0;
}

int proc_wake(const struct proc *proc)
{
	if (!running(proc))
		return -ECHILD;
	return pidfd_send_signal(proc->pidfd, SIGNAL_WAKE, NULL, 0) < 0 ? -errno : 0;
}

void proc_end(struct proc *proc)
{
	struct deadline dl = deadline_in_ms(KILL_MS);
	pid_t pid = proc->pid;

	if (running(proc)) {
		/* The group only while the child has not been reaped by whatever else: its number
		 * is taken as long as that. */
		if (pidfd_send_signal(proc->pidfd, SIGKILL, NULL, 0) == 0)
			(void)kill(-pid, SIGKILL);
		if (proc_wait(proc, &dl) == -ETIMEDOUT)
			log_warning("process %d does not end after SIGKILL, it is left behind",
				    (int)pid);
	}
	close_all(proc);
	proc->pid = 0;
}

int proc_run(struct proc *proc, const struct proc_spec *spec, const struct deadline *dl)
{
	int rc = proc_start(proc, spec);

	if (rc < 0)
		return rc;
	rc = proc_wait(proc, dl);
	proc_end(proc);
	return rc;
}

int proc_detach(const struct proc_spec *spec)
{
	const int nowhere[2] = { -1, -1 };
	struct spawn_failure failure = { 0 };
	pid_t pid;
	int rc = spawn(&pid, spec, nowhere, true, &failure);

	return rc < 0 ? rc : -failure.error;
}

int proc_remove_tree(const char *path, const struct deadline *dl)
{
	const char *const argv[] = { "/bin/rm", "-rf", "--one-file-system", "--", path, NULL };
	const struct proc_spec spec = { .argv = argv };
	struct proc AUTO_PROC child = PROC_NONE;
	int rc = proc_run(&child, &spec, dl);

	if (rc == 0 && child.exit_code != 0)
		rc = -EIO;
	if (rc < 0)
		log_warning("could not remove %s: %s%.*s", path, rc == -EIO ? "" : strerror(-rc),
			    (int)strcspn(child.errors, "\n"), child.errors);
	return rc;
}
