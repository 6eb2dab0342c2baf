/* SPDX-License-Identifier: PostgreSQL */
#include "pgfixture_os.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <net/if.h>
#include <poll.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/deadline.h"
#include "pgfixture.h"

const char *const os_addresses[OS_ADDRESSES] = { "10.99.0.1", "10.99.0.2", "10.99.0.3" };

int os_complain(const char *what, int rc)
{
	(void)fprintf(stderr, "pgfixture: %s: %s\n", what, strerror(-rc));
	return rc;
}

void os_pause_ms(int ms)
{
	(void)poll(NULL, 0, ms);
}

/* The newest /usr/lib/postgresql/N/bin that has a server in it. */
int os_bin_dir(char *path, size_t size)
{
	DIR *dir = opendir("/usr/lib/postgresql");
	const struct dirent *entry;
	long newest = 0;

	if (dir == NULL)
		return -errno;
	while ((entry = readdir(dir)) != NULL) {
		char server[sizeof("/usr/lib/postgresql//bin/postgres") + 256];
		long version = strtol(entry->d_name, NULL, 10);

		(void)snprintf(server, sizeof(server), "/usr/lib/postgresql/%s/bin/postgres",
			       entry->d_name);
		if (version > newest && access(server, X_OK) == 0)
			newest = version;
	}
	(void)closedir(dir);
	(void)snprintf(path, size, "/usr/lib/postgresql/%ld/bin", newest);
	return newest > 0 ? 0 : -ENOENT;
}

bool pgfixture_possible(void)
{
	char bin_dir[64];
	const char *why = NULL;

	if (geteuid() != 0)
		why = "needs root";
	else if (getpwnam(OWNER) == NULL)
		why = "there is no user " OWNER;
	else if (os_bin_dir(bin_dir, sizeof(bin_dir)) < 0)
		why = "no PostgreSQL server is installed";
	if (why != NULL)
		(void)fprintf(stderr, "pgfixture: not possible here: %s\n", why);
	return why == NULL;
}

static int add_address(int fd, const char *name, const char *address)
{
	struct ifreq request = { .ifr_flags = 0 };
	struct sockaddr_in in = { .sin_family = AF_INET };

	(void)snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	if (inet_pton(AF_INET, address, &in.sin_addr) != 1)
		return -EINVAL;
	memcpy(&request.ifr_addr, &in, sizeof(in));
	if (ioctl(fd, SIOCSIFADDR, &request) < 0)
		return -errno;
	/* Else all of 10.0.0.0/8 would be this host. */
	in.sin_addr.s_addr = INADDR_BROADCAST;
	memcpy(&request.ifr_netmask, &in, sizeof(in));
	return ioctl(fd, SIOCSIFNETMASK, &request) < 0 ? -errno : 0;
}

int pgfixture_network(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	int AUTO_FD fd = -1;
	int rc = 0;

	if (unshare(CLONE_NEWNET) < 0)
		return os_complain("unshare", -errno);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request) < 0)
		return os_complain("lo up", -errno);
	for (size_t i = 0; i < ARRAY_COUNT(os_addresses) && rc == 0; i++) {
		char label[8];

		(void)snprintf(label, sizeof(label), "lo:%u", (unsigned)i + 1);
		rc = add_address(fd, label, os_addresses[i]);
	}
	return rc < 0 ? os_complain("add address", rc) : 0;
}

/* In the child: become user postgres, die with the parent, start the program. */
void os_child(const char *const *argv, bool as_postgres, const char *input, pid_t parent)
{
	const int in = open(input != NULL ? input : "/dev/null", O_RDONLY | O_CLOEXEC);
	/* The owner's pages stay cached by libc after the fork, so this reads nothing anew. */
	const struct passwd *owner = getpwnam(OWNER);
	char *copy[32] = { NULL };

	if (as_postgres && (owner == NULL || initgroups(OWNER, owner->pw_gid) < 0 ||
			    setgid(owner->pw_gid) < 0 || setuid(owner->pw_uid) < 0))
		_exit(127);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent || chdir("/") < 0 ||
	    dup2(in, STDIN_FILENO) < 0)
		_exit(127);
	for (size_t i = 0; i < ARRAY_COUNT(copy) - 1 && argv[i] != NULL; i++)
		copy[i] = strdup(argv[i]);
	if (copy[0] != NULL)
		(void)execv(copy[0], copy);
	_exit(127);
}

static void read_all(int fd, char *out, size_t size)
{
	size_t used = 0;
	char dropped[512];

	for (;;) {
		bool full = used + 1 >= size;
		ssize_t got = full ? read(fd, dropped, sizeof(dropped))
				   : read(fd, out + used, size - 1 - used);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		if (!full)
			used += (size_t)got;
	}
	if (size > 0) {
		while (used > 0 && out[used - 1] == '\n')
			used--;
		out[used] = '\0';
	}
}

int os_reap(pid_t pid)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int os_run(const char *const *argv, bool as_postgres, const char *input, char *out, size_t size)
{
	const pid_t parent = getpid();
	int AUTO_FD reading = -1;
	int pipes[2];
	pid_t pid;

	if (pipe2(pipes, O_CLOEXEC) < 0)
		return -errno;
	reading = pipes[0];
	pid = fork();
	if (pid == 0) {
		(void)dup2(pipes[1], STDOUT_FILENO);
		os_child(argv, as_postgres, input, parent);
	}
	(void)close(pipes[1]);
	if (pid < 0)
		return -errno;
	read_all(reading, out, size);
	return os_reap(pid);
}

int pgfixture_run(const char *const *argv, bool as_postgres, char *out, size_t size)
{
	return os_run(argv, as_postgres, NULL, out, size);
}

int os_must_run(const char *const *argv, const char *input)
{
	char out[2048];
	int rc = os_run(argv, true, input, out, sizeof(out));

	if (rc != 0)
		(void)fprintf(stderr, "pgfixture: %s: exit code %d\n%s\n", argv[0], rc, out);
	return rc == 0 ? 0 : -ECHILD;
}

int os_write(const char *path, const char *text, bool append)
{
	const struct passwd *owner = getpwnam(OWNER);
	int AUTO_FD fd = -1;
	const size_t length = strlen(text);

	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | (append ? O_APPEND : O_TRUNC), 0600);
	if (fd < 0 || write(fd, text, length) != (ssize_t)length)
		return os_complain(path, errno != 0 ? -errno : -EIO);
	if (owner == NULL || fchown(fd, owner->pw_uid, owner->pw_gid) < 0)
		return os_complain(path, -EPERM);
	return 0;
}

int os_give_directory(const char *path)
{
	const struct passwd *owner = getpwnam(OWNER);

	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		return -errno;
	if (owner == NULL || chown(path, owner->pw_uid, owner->pw_gid) < 0 || chmod(path, 0755) < 0)
		return -EPERM;
	return 0;
}

void os_end_server(const char *data_dir)
{
	const struct deadline dl = deadline_in_ms(10000);
	char path[CFG_PATH_MAX + 32];
	char text[CFG_PATH_MAX] = "";
	int AUTO_FD fd = -1;
	ssize_t got = -1;
	long pid = 0;

	(void)snprintf(path, sizeof(path), "%s/postmaster.pid", data_dir);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		got = read(fd, text, sizeof(text) - 1);
	if (got > 0)
		pid = strtol(text, NULL, 10);
	if (pid <= 1)
		return;
	(void)snprintf(path, sizeof(path), "/proc/%ld/cwd", pid);
	while (!deadline_passed(&dl)) {
		got = readlink(path, text, sizeof(text) - 1);
		if (got < 0 || (size_t)got != strlen(data_dir) ||
		    strncmp(text, data_dir, (size_t)got) != 0)
			return;
		(void)kill((pid_t)pid, SIGQUIT);
		os_pause_ms(20);
	}
	(void)os_complain("a server is left", -ETIMEDOUT);
}
