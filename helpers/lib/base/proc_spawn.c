/* SPDX-License-Identifier: PostgreSQL */
#include "base/proc_spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define CANNOT_EXECUTE 127
#define REPORT_FD      3    /* where the child tells why it failed; closed by a successful exec */
#define SAFE_FD        10   /* above every number that is dealt out in the child */
#define EXEC_WAIT_MS   1000 /* for a program on a disk that hangs; the caller goes on without */
#define GROUPS_MAX     64

/* All that the child needs, made before the fork: passwd lookups may load libraries and block. */
struct plan {
	const struct proc_spec *spec;
	pid_t parent;
	bool detached;
	bool change_user;
	uid_t uid;
	gid_t gid;
	gid_t groups[GROUPS_MAX];
	int group_count;
	int in, out, err, report;
	char home[256], user[64], logname[64];
	char setting[64];
	char *environment[7];
};

static int plan_user(struct plan *plan, const char *name)
{
	static char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	static char locale[] = "LC_ALL=C";
	struct passwd entry, *found = NULL;
	char buffer[4096];
	size_t next = 0;
	int rc;

	plan->environment[next++] = path;
	plan->environment[next++] = locale;
	if (plan->setting[0] != '\0')
		plan->environment[next++] = plan->setting;
	if (name == NULL)
		return 0;
	rc = getpwnam_r(name, &entry, buffer, sizeof(buffer), &found);
	if (rc != 0)
		return -rc;
	if (found == NULL)
		return -ENOENT;
	plan->uid = found->pw_uid;
	plan->gid = found->pw_gid;
	plan->change_user = plan->uid != geteuid();
	plan->group_count = GROUPS_MAX;
	if (getgrouplist(name, plan->gid, plan->groups, &plan->group_count) < 0)
		return -E2BIG;
	(void)snprintf(plan->home, sizeof(plan->home), "HOME=%s", found->pw_dir);
	(void)snprintf(plan->user, sizeof(plan->user), "USER=%s", name);
	(void)snprintf(plan->logname, sizeof(plan->logname), "LOGNAME=%s", name);
	plan->environment[next++] = plan->home;
	plan->environment[next++] = plan->user;
	plan->environment[next] = plan->logname;
	return 0;
}

/* A file in memory, not a pipe: nobody has to feed it, and it holds any length. */
static int open_input(const char *input)
{
	size_t length;
	int fd, rc;

	if (input == NULL) {
		fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
		return fd < 0 ? -errno : fd;
	}
	length = strlen(input);
	fd = memfd_create("input", MFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, input, length) == (ssize_t)length && lseek(fd, 0, SEEK_SET) == 0)
		return fd;
	rc = errno != 0 ? -errno : -ENOSPC;
	(void)close(fd);
	return rc;
}

/* --- in the child: only async-signal-safe calls from here on, and no way back --- */

__attribute__((noreturn)) static void give_up(int report, const char *step)
{
	/* The parent has the same text at the same address. */
	struct spawn_failure failure = { .error = errno, .step = step };

	if (write(report, &failure, sizeof(failure)) != (ssize_t)sizeof(failure))
		errno = 0; /* the exit code says it too */
	_exit(CANNOT_EXECUTE);
}

/* keepalived and the guard may run in real time; a database server must not. */
static void child_signals_and_schedule(void)
{
	struct sigaction action = { .sa_handler = SIG_DFL };
	struct sched_param normal = { .sched_priority = 0 };
	sigset_t none;

	for (int number = 1; number < NSIG; number++)
		(void)sigaction(number, &action, NULL); /* KILL, STOP and libc's own: refused */
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	if (sched_getscheduler(0) != SCHED_OTHER)
		(void)sched_setscheduler(0, SCHED_OTHER, &normal);
}

/*
 * The guard is the last that the kernel may end for want of memory, and runs before all others.  A
 * database server that inherited either would hold the host hostage.  Where it cannot be taken
 * back, it was not given.
 */
static void child_is_ordinary(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	(void)setpriority(PRIO_PROCESS, 0, 0);
	if (fd < 0)
		return;
	if (write(fd, "0", 1) != 1)
		errno = 0;
	(void)close(fd);
}

static void child_user(const struct plan *plan, int report)
{
	const char *cwd = plan->spec->cwd != NULL ? plan->spec->cwd : "/";

	if (plan->change_user)
		child_is_ordinary();
	if (plan->change_user && (setgroups((size_t)plan->group_count, plan->groups) < 0 ||
				  setresgid(plan->gid, plan->gid, plan->gid) < 0 ||
				  setresuid(plan->uid, plan->uid, plan->uid) < 0))
		give_up(report, "change user for");
	if (chdir(cwd) < 0)
		give_up(report, "enter the working directory of");
	if (plan->detached)
		return;
	/* After the change of user, which clears it. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != plan->parent)
		_exit(CANNOT_EXECUTE); /* the parent died meanwhile: nobody is interested */
}

/* Opened as the user, so that a link in a directory of that user leads no further than it may. */
static int child_log(const struct plan *plan, int report)
{
	const char *path = plan->spec->log_path != NULL ? plan->spec->log_path : "/dev/null";
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOCTTY, 0640);

	if (fd < 0)
		give_up(report, "open the log file of");
	return fd;
}

__attribute__((noreturn)) static void child(const struct plan *plan)
{
	/* First out of the way of the numbers dealt out below, whatever we were started with. */
	int report = fcntl(plan->report, F_DUPFD_CLOEXEC, SAFE_FD);
	int in = fcntl(plan->in, F_DUPFD, SAFE_FD);
	int out, err;

	child_signals_and_schedule();
	if (!plan->detached)
		(void)setpgid(0, 0);
	child_user(plan, report);
	out = fcntl(plan->out >= 0 ? plan->out : child_log(plan, report), F_DUPFD, SAFE_FD);
	err = plan->err >= 0 ? fcntl(plan->err, F_DUPFD, SAFE_FD) : out;
	if (dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0 ||
	    dup3(report, REPORT_FD, O_CLOEXEC) < 0)
		give_up(report, "arrange the descriptors of");
	if (close_range(REPORT_FD + 1, ~0U, 0) < 0)
		give_up(REPORT_FD, "close the descriptors of");
	/* ALLOW: execve(2) takes char *const[] and changes nothing; C cannot say so. */
	(void)execve(plan->spec->argv[0], (char *const *)(uintptr_t)plan->spec->argv,
		     plan->environment);
	give_up(REPORT_FD, "execute");
}

/* The session leader ends at once, so that init adopts the program, which is no leader itself. */
__attribute__((noreturn)) static void child_detached(const struct plan *plan)
{
	pid_t pid;

	if (setsid() < 0)
		give_up(plan->report, "start a session for");
	pid = fork();
	if (pid < 0)
		give_up(plan->report, "fork");
	if (pid == 0)
		child(plan);
	_exit(0);
}

/* --- in the parent --- */

/* Leaves *failure clean when the program runs, or when it cannot be told in time. */
static void read_report(int report, struct spawn_failure *failure)
{
	struct deadline dl = deadline_in_ms(EXEC_WAIT_MS);
	struct pollfd end = { .fd = report, .events = POLLIN };
	struct spawn_failure told;

	if (deadline_poll(&end, 1, &dl) > 0 && read(report, &told, sizeof(told)) == sizeof(told))
		*failure = told;
}

static int fork_plan(pid_t *pid, struct plan *plan)
{
	plan->parent = getpid();
	*pid = fork();
	if (*pid < 0)
		return -errno;
	if (*pid > 0)
		return 0;
	if (plan->detached)
		child_detached(plan);
	child(plan);
}

int spawn(pid_t *pid, const struct proc_spec *spec, const int out_err[2], bool detached,
	  struct spawn_failure *failure)
{
	struct plan plan = {
		.spec = spec, .detached = detached, .out = out_err[0], .err = out_err[1]
	};
	int report[2];
	int rc;

	*failure = (struct spawn_failure){ 0 };
	*pid = 0;
	if (spec->setting != NULL)
		(void)snprintf(plan.setting, sizeof(plan.setting), "%s", spec->setting);
	if (spec->argv[0] == NULL || spec->argv[0][0] != '/')
		return -EINVAL;
	rc = plan_user(&plan, spec->as_user);
	if (rc < 0)
		return rc;
	plan.in = open_input(spec->input);
	if (plan.in < 0)
		return plan.in;
	if (pipe2(report, O_CLOEXEC) < 0) {
		rc = -errno;
		(void)close(plan.in);
		return rc;
	}
	plan.report = report[1];
	rc = fork_plan(pid, &plan);
	(void)close(plan.in);
	(void)close(report[1]);
	if (rc == 0)
		read_report(report[0], failure);
	(void)close(report[0]);
	if (rc == 0 && detached) {
		while (waitpid(*pid, NULL, 0) < 0 && errno == EINTR)
			continue;
		*pid = 0;
	}
	return rc;
}
