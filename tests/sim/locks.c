/* SPDX-License-Identifier: PostgreSQL */
/* Descriptors and the locks that hang on them; what the library asks of libc. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/lock.h"
#include "base/signals.h"
#include "sim.h"

FAKES(lock_take);
FAKES(lock_held);
FAKES(signals_open);
FAKES(close);
FAKES(read);
FAKES(open);
FAKES(poll);
FAKES(clock_gettime);
FAKES(stat);
FAKES(chown);
FAKES(lchown);
FAKES(getenv);
FAKES(mlockall);
FAKES(sched_setscheduler);
FAKES(pthread_create);
FAKES(pthread_join);

#define FDS_MAX  256
#define FD_FIRST 100000

struct fake_fd {
	enum fd_kind kind;
	int process;
	int node;
	int64_t what;
	size_t size, at;
	unsigned char bytes[512];
	char path[96]; /* of a lock */
};

static struct fake_fd fds[FDS_MAX];

void locks_begin(void)
{
	memset(fds, 0, sizeof(fds));
}

static struct fake_fd *fd_of(int number)
{
	return number >= FD_FIRST && number < FD_FIRST + FDS_MAX ? &fds[number - FD_FIRST] : NULL;
}

int fd_open(enum fd_kind kind, int node, int64_t what, const void *bytes, size_t size)
{
	for (int i = 0; i < FDS_MAX; i++) {
		struct fake_fd *fd = &fds[i];

		if (fd->kind != FD_NONE)
			continue;
		fd->kind = kind;
		fd->process = sim_self() != NULL ? sim_self()->id : 0;
		fd->node = node;
		fd->what = what;
		fd->at = 0;
		fd->size = size < sizeof(fd->bytes) ? size : sizeof(fd->bytes);
		if (bytes != NULL)
			memcpy(fd->bytes, bytes, fd->size);
		return FD_FIRST + i;
	}
	abort();
}

void fds_of_the_dead(int process)
{
	for (size_t i = 0; i < FDS_MAX; i++) {
		if (fds[i].process == process)
			fds[i].kind = FD_NONE;
	}
}

/* ---- locks ---- */

static bool is_held(const char *path)
{
	for (size_t i = 0; i < FDS_MAX; i++) {
		if (fds[i].kind == FD_LOCK && strcmp(fds[i].path, path) == 0)
			return true;
	}
	return false;
}

int FAKE(lock_take)(int *fd, const char *path, const struct deadline *dl)
{
	sim_effect(path);
	while (is_held(path)) {
		if (deadline_passed(dl))
			return -ETIMEDOUT;
		sim_pass(chance_between(2000, 12000));
	}
	*fd = fd_open(FD_LOCK, sim_node(), 0, NULL, 0);
	(void)snprintf(fd_of(*fd)->path, sizeof(fds->path), "%s", path);
	return 0;
}

int FAKE(lock_held)(const char *path)
{
	return is_held(path);
}

int FAKE(signals_open)(void)
{
	return fd_open(FD_SIGNALS, sim_node(), 0, NULL, 0);
}

/* ---- libc ---- */

int FAKE(close)(int number)
{
	struct fake_fd *fd = fd_of(number);

	if (fd == NULL)
		return REAL(close)(number);
	fd->kind = FD_NONE;
	return 0;
}

ssize_t FAKE(read)(int number, void *bytes, size_t size)
{
	struct fake_fd *fd = fd_of(number);

	if (fd == NULL)
		return REAL(read)(number, bytes, size);
	if (size > fd->size - fd->at)
		size = fd->size - fd->at;
	memcpy(bytes, fd->bytes + fd->at, size);
	fd->at += size;
	return (ssize_t)size;
}

int FAKE(open)(const char *path, int flags, ...)
{
	unsigned char bytes[512] = { 0 };
	va_list args;
	mode_t mode;

	if (strcmp(path, "/proc/sys/kernel/random/boot_id") == 0)
		return fd_open(FD_BYTES, sim_node(), 0, nodes[sim_node()].boot,
			       strlen(nodes[sim_node()].boot));
	for (int node = 0; node < NODES; node++) {
		const char *directory = nodes[node].cfg.data_dir;
		const size_t length = strlen(directory);

		if (length == 0 || strncmp(path, directory, length) != 0)
			continue;
		if (strcmp(path + length, "/global/pg_control") != 0) {
			errno = ENOENT;
			return -1;
		}
		server_control(node, bytes, sizeof(bytes));
		return fd_open(FD_BYTES, node, 0, bytes, sizeof(bytes));
	}
	va_start(args, flags);
	mode = (flags & O_CREAT) != 0 ? (mode_t)va_arg(args, int) : 0;
	va_end(args);
	return REAL(open)(path, flags, mode);
}

static bool has_ended(const struct pollfd *one)
{
	const struct fake_fd *fd = fd_of(one->fd);

	return fd != NULL && fd->kind == FD_PIDFD &&
	       (servers[fd->node].phase == SERVER_IS_DOWN ||
		servers[fd->node].incarnation != (int)fd->what);
}

static int ready(struct pollfd *all, nfds_t count)
{
	int found = 0;

	for (nfds_t i = 0; i < count; i++) {
		all[i].revents = 0;
		if (all[i].fd >= 0 && has_ended(&all[i]))
			all[i].revents = POLLIN;
		found += all[i].revents != 0;
	}
	return found;
}

/* The server that is watched; NULL: none. */
static const bool *watched(const struct pollfd *all, nfds_t count)
{
	for (nfds_t i = 0; i < count; i++) {
		const struct fake_fd *fd = fd_of(all[i].fd);

		if (fd != NULL && fd->kind == FD_PIDFD)
			return &servers[fd->node].is_down;
	}
	return NULL;
}

int FAKE(poll)(struct pollfd *all, nfds_t count, int timeout_ms)
{
	const int64_t until_us = sim_now_us + MS(timeout_ms);
	const bool *server = watched(all, count);
	int found = ready(all, count);

	if (found > 0 || timeout_ms <= 0)
		return found;
	if (server != NULL)
		sim_wait(server, until_us);
	else
		sim_pass(until_us - sim_now_us);
	return ready(all, count);
}

int FAKE(clock_gettime)(clockid_t clock, struct timespec *now)
{
	int64_t us = sim_now_us;

	if (clock == CLOCK_BOOTTIME)
		us = sim_now_us - nodes[sim_node()].booted_us;
	now->tv_sec = us / 1000000;
	now->tv_nsec = us % 1000000 * 1000;
	return 0;
}

int FAKE(stat)(const char *path, struct stat *status)
{
	(void)path;
	memset(status, 0, sizeof(*status));
	return 0;
}

int FAKE(chown)(const char *path, uid_t user, gid_t group)
{
	(void)path;
	(void)user;
	(void)group;
	return 0;
}

int FAKE(lchown)(const char *path, uid_t user, gid_t group)
{
	return FAKE(chown)(path, user, group);
}

char *FAKE(getenv)(const char *name)
{
	struct process *self = sim_self();

	if (self == NULL)
		return REAL(getenv)(name);
	return strcmp(name, "SSH_ORIGINAL_COMMAND") == 0 && self->request[0] != '\0' ? self->request
										     : NULL;
}

int FAKE(mlockall)(int flags)
{
	(void)flags;
	return 0;
}

int FAKE(sched_setscheduler)(pid_t pid, int policy, const struct sched_param *param)
{
	(void)pid;
	(void)policy;
	(void)param;
	return 0;
}

/* ---- threads: coroutines of the same process ---- */

#define THREADS_MAX 4096 /* more than a seed begins */

static bool thread_done[THREADS_MAX];

int FAKE(pthread_create)(pthread_t *thread, const pthread_attr_t *attributes, void *(*fn)(void *),
			 void *arg)
{
	static size_t next;

	(void)attributes;
	next = (next + 1) % THREADS_MAX;
	*thread = (pthread_t)next;
	sim_beside(fn, arg, &thread_done[next]);
	return 0;
}

int FAKE(pthread_join)(pthread_t thread, void **result)
{
	(void)result;
	sim_wait(&thread_done[(size_t)thread], INT64_MAX / 2);
	return 0;
}
