/* SPDX-License-Identifier: PostgreSQL */
#include "postgres/pgctl.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"
#include "postgres/pgdata.h"

/* Killed at one go; the next round takes the rest.  Well below the usual limit of 1024
 * open files. */
#define ROUND_MAX 256
/* Between two looks when a process is still there and none could be killed: part
 * of PGCTL_KILL_MS. */
#define LOOK_AGAIN_MS 5

static int send_signal(int pidfd, int number)
{
	return syscall(SYS_pidfd_send_signal, pidfd, number, NULL, 0) < 0 ? -errno : 0;
}

/* Waits until the process has ended.  True when it has. */
static bool ended(int pidfd, const struct deadline *dl)
{
	struct pollfd look = { .fd = pidfd, .events = POLLIN };

	return deadline_poll(&look, 1, dl) == 1;
}

/* A polite stage of stopping: a signal to the postmaster, which tells its children. */
static bool ask(int postmaster, int number, int64_t wait_ms, const struct deadline *dl)
{
	struct deadline polite = { .at_ms = dl->at_ms - PGCTL_KILL_MS };
	struct deadline stage = deadline_sooner(&polite, wait_ms);
	int rc;

	if (wait_ms <= 0)
		return false;
	rc = send_signal(postmaster, number);
	if (rc < 0 && rc != -ESRCH)
		log_warning("could not signal the postmaster: %s", strerror(-rc));
	return ended(postmaster, &stage);
}

/*
 * SIGKILL to these, and a wait for each.  The signals first, all of them: a postmaster that is
 * still alive answers the death of a child by starting new ones.
 */
static int kill_round(const struct cfg *cfg, const pid_t *pids, size_t count,
		      const struct deadline *dl)
{
	int killed[ROUND_MAX];
	size_t held = 0;
	int problem = 0;

	for (size_t i = 0; i < count; i++) {
		int pidfd = pgdata_process(cfg, pids[i]);

		if (pidfd >= 0 && send_signal(pidfd, SIGKILL) == 0) {
			killed[held++] = pidfd;
			continue;
		}
		if (pidfd >= 0)
			(void)close(pidfd);
		else if (pidfd != -ENOENT)
			problem = pidfd;
	}
	for (size_t i = 0; i < held; i++) {
		(void)ended(killed[i], dl);
		(void)close(killed[i]);
	}
	return problem;
}

/* Until none is left or the deadline.  *any is set when one had to be killed. */
static int kill_all(const struct cfg *cfg, const struct deadline *dl, bool *any)
{
	pid_t pids[ROUND_MAX];
	int last = 0;

	for (bool late = false;; late = deadline_passed(dl)) {
		struct deadline soon = deadline_sooner(dl, LOOK_AGAIN_MS);
		int count = pgdata_processes(cfg, pids, ROUND_MAX);

		if (count <= 0)
			return count;
		if (late)
			return last < 0 ? last : -ETIMEDOUT;
		*any = true;
		last = kill_round(cfg, pids, (size_t)count < ROUND_MAX ? (size_t)count : ROUND_MAX,
				  dl);
		deadline_sleep(&soon);
	}
}

int pgctl_stop(const struct cfg *cfg, const struct pgctl_stop *stop, const struct deadline *dl,
	       const char **how)
{
	bool killed = false;
	pid_t pid;
	AUTO_FD int postmaster = pgdata_postmaster(cfg, &pid);
	int rc;

	*how = "not running";
	/* A postmaster that cannot be told from postmaster.pid is found among the processes. */
	if (postmaster >= 0) {
		*how = "killed";
		if (ask(postmaster, SIGINT, stop->fast_ms, dl))
			*how = "fast";
		else if (ask(postmaster, SIGQUIT, stop->immediate_ms, dl))
			*how = "immediate";
	}
	rc = kill_all(cfg, dl, &killed);
	if (killed)
		*how = "killed";
	return rc;
}

int pgctl_crash(const struct cfg *cfg)
{
	pid_t pid;
	int AUTO_FD postmaster = pgdata_postmaster(cfg, &pid);

	return postmaster < 0 ? postmaster : send_signal(postmaster, SIGKILL);
}
