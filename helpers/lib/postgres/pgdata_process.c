/* SPDX-License-Identifier: PostgreSQL */
/* Which processes are the server of this data directory. */
#include "postgres/pgdata.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/state.h"

/* The marks by which a server process of a data directory is known. */
struct identity {
	struct stat directory;
	struct stat program; /* st_ino 0: bin_dir/postgres is not there */
};

static int identity_read(struct identity *identity, const struct cfg *cfg)
{
	char path[CFG_PATH_MAX + 16];

	*identity = (struct identity){ 0 };
	/* Without the directory no process can be told to be its server's: that is not "none". */
	if (stat(cfg->data_dir, &identity->directory) < 0)
		return errno == ENOENT ? -ENODEV : -errno;
	(void)snprintf(path, sizeof(path), "%s/postgres", cfg->bin_dir);
	if (stat(path, &identity->program) < 0)
		identity->program.st_ino = 0;
	return 0;
}

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* Also a server whose binary was replaced by an upgrade while it runs: the link then ends in
 * " (deleted)" and has no file of ours behind it. */
static int is_postgres(int proc, const struct identity *identity)
{
	static const char *const names[] = { "/postgres", "/postgres (deleted)" };
	char target[512];
	struct stat program;
	ssize_t length;

	if (identity->program.st_ino != 0 && fstatat(proc, "exe", &program, 0) == 0 &&
	    same_file(&program, &identity->program))
		return 1;
	length = readlinkat(proc, "exe", target, sizeof(target) - 1);
	if (length < 0)
		return -errno;
	target[length] = '\0';
	for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
		size_t tail = strlen(names[i]);

		if ((size_t)length >= tail && strcmp(target + length - tail, names[i]) == 0)
			return 1;
	}
	return 0;
}

/*
 * Looks at one process through its open /proc/PID.  1, 0, or -errno.  One that is gone or going
 * (ENOENT, ESRCH: a zombie has neither working directory nor program) is 0.
 */
static int is_ours(int proc, const struct identity *identity)
{
	struct stat owner, cwd;
	int rc;

	if (fstat(proc, &owner) < 0)
		return errno == ENOENT || errno == ESRCH ? 0 : -errno;
	/* A server runs as the owner of its directory, PostgreSQL insists on it; a process that
	 * may not be dumped shows root here.  All others need no look, and may not be ours to look
	 * at. */
	if (owner.st_uid != identity->directory.st_uid && owner.st_uid != 0)
		return 0;
	if (fstatat(proc, "cwd", &cwd, 0) < 0) {
		if (errno == ENOENT || errno == ESRCH)
			return 0;
		/* Not being root, we need not see what root does. */
		return errno == EACCES && owner.st_uid == 0 ? 0 : -errno;
	}
	if (!same_file(&cwd, &identity->directory))
		return 0;
	rc = is_postgres(proc, identity);
	return rc == -ENOENT || rc == -ESRCH ? 0 : rc;
}

static int open_proc(const char *name)
{
	char path[64];
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%s", name);
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int look_at(const char *name, const struct identity *identity)
{
	AUTO_FD int proc = open_proc(name);

	if (proc == -ENOENT || proc == -ESRCH)
		return 0;
	return proc < 0 ? proc : is_ours(proc, identity);
}

int pgdata_process(const struct cfg *cfg, pid_t pid)
{
	struct identity identity;
	struct pollfd ended = { .events = POLLIN };
	char name[16];
	int rc = identity_read(&identity, cfg);

	if (rc < 0)
		return rc;
	/* First the pidfd, then the look, then "does it still run": so the process looked at is the
	 * one held, not a later one with its number. */
	ended.fd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (ended.fd < 0)
		return errno == ESRCH || errno == EINVAL ? -ENOENT : -errno;
	(void)snprintf(name, sizeof(name), "%d", pid);
	rc = look_at(name, &identity);
	if (rc == 1 && poll(&ended, 1, 0) == 0)
		return ended.fd;
	(void)close(ended.fd);
	return rc < 0 ? rc : -ENOENT;
}

/* The first line of postmaster.pid: a pid, negative for a single-user server. */
static int pid_parse(const char *text, pid_t *pid)
{
	const char *at = text[0] == '-' ? text + 1 : text;
	size_t digits = strspn(at, "0123456789");
	long value = 0;

	if (digits == 0 || digits > 9 || (at[digits] != '\n' && at[digits] != '\0'))
		return -EINVAL;
	for (size_t i = 0; i < digits; i++)
		value = value * 10 + (at[i] - '0');
	if (value == 0)
		return -EINVAL;
	*pid = (pid_t)value;
	return at == text ? 0 : -EBUSY;
}

/* The process that postmaster.pid names, if it is a server's of this directory. */
static int named_process(const struct cfg *cfg, pid_t *pid, bool *single_user)
{
	char path[CFG_PATH_MAX + 16], text[STATE_TEXT_MAX];
	int rc;

	*pid = 0;
	(void)snprintf(path, sizeof(path), "%s/postmaster.pid", cfg->data_dir);
	rc = state_read(path, text, sizeof(text));
	if (rc == -ENOENT && state_exists(cfg->data_dir) != 1)
		return -ENODEV;
	if (rc < 0)
		return rc;
	rc = pid_parse(text, pid);
	/* Torn by a power failure, or just being written: then only the processes can tell. */
	if (rc == -EINVAL)
		return pgdata_processes(cfg, NULL, 0) == 0 ? -ENOENT : -EINVAL;
	*single_user = rc == -EBUSY;
	return pgdata_process(cfg, *pid);
}

int pgdata_postmaster(const struct cfg *cfg, pid_t *pid)
{
	bool single_user = false;
	int fd = named_process(cfg, pid, &single_user);

	if (fd >= 0 && single_user) {
		(void)close(fd);
		fd = -ENOENT;
	}
	if (fd < 0)
		*pid = 0;
	return fd;
}

/*
 * Field 22 of /proc/PID/stat, in clock ticks since boot (proc(5); the kernel counts it by
 * CLOCK_BOOTTIME).  The second field is the name in parentheses, which may hold both spaces and
 * parentheses.
 */
static int64_t started_parse(const char *stat)
{
	enum { BEFORE = 20 }; /* fields between the name and the time */
	const char *at = strrchr(stat, ')');
	long ticks = sysconf(_SC_CLK_TCK);
	char *end;
	long long value;

	for (int i = 0; at != NULL && i < BEFORE; i++)
		at = strchr(at + 1, ' ');
	if (at == NULL || ticks <= 0)
		return -EINVAL;
	errno = 0;
	value = strtoll(at, &end, 10);
	if (end == at || errno != 0 || value < 0 || value >= INT64_MAX / 1000)
		return -EINVAL;
	return (value + 1) * 1000 / ticks;
}

int64_t pgdata_started_ms(const struct cfg *cfg)
{
	char path[64], text[STATE_TEXT_MAX];
	pid_t pid;
	AUTO_FD int server = pgdata_postmaster(cfg, &pid);
	int rc;

	if (server < 0)
		return server;
	(void)snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	rc = state_read(path, text, sizeof(text));
	/* Only of a process that still runs is the number in the path its own. */
	if (rc == 0 && poll(&(struct pollfd){ .fd = server, .events = POLLIN }, 1, 0) != 0)
		rc = -ENOENT;
	return rc < 0 ? rc : started_parse(text);
}

int pgdata_single_user(const struct cfg *cfg)
{
	bool single_user = false;
	pid_t pid;
	AUTO_FD int fd = named_process(cfg, &pid, &single_user);

	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	return single_user ? 1 : 0;
}

int pgdata_processes(const struct cfg *cfg, pid_t *pids, size_t max)
{
	DIR AUTO_DIR *all = opendir("/proc");
	struct identity identity;
	struct dirent *entry;
	size_t count = 0;
	int rc;

	if (all == NULL)
		return -errno;
	rc = identity_read(&identity, cfg);
	if (rc < 0)
		return rc;
	/* One pass over /proc, bounded by the number of processes. */
	for (errno = 0; (entry = readdir(all)) != NULL; errno = 0) {
		pid_t pid = 0;

		if (pid_parse(entry->d_name, &pid) < 0)
			continue;
		rc = look_at(entry->d_name, &identity);
		if (rc < 0)
			return rc;
		if (rc == 0)
			continue;
		if (count < max)
			pids[count] = pid;
		count++;
	}
	return errno != 0 ? -errno : (int)count;
}
