/* SPDX-License-Identifier: PostgreSQL */
#include "netfixture.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/deadline.h"

enum { WORDS_MAX = 32, COMMAND_MAX = 512, PATIENCE_MS = 10000, PAUSE_MS = 20 };

/* Splits in place; returns the number of words. */
static size_t split(char *command, char *words[], size_t max)
{
	size_t count = 0;
	char *rest = command;

	for (char *word = strsep(&rest, " "); word != NULL; word = strsep(&rest, " ")) {
		if (*word != '\0' && count + 1 < max)
			words[count++] = word;
	}
	words[count] = NULL;
	return count;
}

static int enter(pid_t namespace_of)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)namespace_of);
	int AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd < 0 || setns(fd, CLONE_NEWNET) != 0 ? -errno : 0;
}

/* A child that dies with us, in the namespace of `where` unless that is 0.  0 in the child. */
static pid_t child_in(pid_t where)
{
	pid_t parent = getpid();
	pid_t pid = fork();

	if (pid != 0)
		return pid < 0 ? -errno : pid;
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent ||
	    (where != 0 && enter(where) != 0))
		_exit(126);
	return 0;
}

static int run(pid_t where, const char *command)
{
	char text[COMMAND_MAX];
	char *words[WORDS_MAX];
	int status;
	pid_t pid;

	if (snprintf(text, sizeof(text), "%s", command) >= (int)sizeof(text) ||
	    split(text, words, WORDS_MAX) == 0)
		return -EINVAL;
	pid = child_in(where);
	if (pid < 0)
		return pid;
	if (pid == 0) {
		(void)execv(words[0], words);
		_exit(127);
	}
	if (waitpid(pid, &status, 0) != pid)
		return -errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -ECHILD;
}

int netfixture_near(const char *command)
{
	return run(0, command);
}

int netfixture_far(const struct netfixture *fixture, const char *command)
{
	return run(fixture->far, command);
}

int netfixture_sysctl(const char *name, const char *value)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "/proc/sys/net/%s", name);
	int AUTO_FD fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	return write(fd, value, strlen(value)) == (ssize_t)strlen(value) ? 0 : -errno;
}

int netfixture_far_drops(const struct netfixture *fixture, const char *what)
{
	static const char *const table[] = {
		"/usr/sbin/nft add table inet quiet",
		"/usr/sbin/nft delete table inet quiet",
		"/usr/sbin/nft add table inet quiet",
		"/usr/sbin/nft add chain inet quiet in { type filter hook input priority 0 ; }",
	};
	char rule[COMMAND_MAX];
	int rc = 0;

	(void)snprintf(rule, sizeof(rule), "/usr/sbin/nft add rule inet quiet in %s drop", what);
	for (size_t i = 0; i < ARRAY_COUNT(table) && rc == 0; i++)
		rc = netfixture_far(fixture, table[i]);
	if (rc == 0 && *what != '\0')
		rc = netfixture_far(fixture, rule);
	return rc == 0 ? 0 : -EPERM;
}

int netfixture_far_listen(const struct netfixture *fixture, uint16_t port)
{
	const struct sockaddr_in6 here = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	int AUTO_FD home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	int fd = -1;

	if (home < 0 || enter(fixture->far) != 0)
		return -EPERM;
	fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (setns(home, CLONE_NEWNET) != 0)
		return -errno;
	if (fd < 0 || bind(fd, (const struct sockaddr *)&here, sizeof(here)) != 0 ||
	    listen(fd, SOMAXCONN) != 0)
		return -errno;
	return fd;
}

int netfixture_descriptors(void)
{
	DIR *directory = opendir("/proc/self/fd");
	int count = 0;

	if (directory == NULL)
		return -errno;
	while (readdir(directory) != NULL)
		count++;
	(void)closedir(directory);
	return count;
}

/* The far host: a namespace, and a process that waits to be ended. */
static pid_t far_start(void)
{
	int ready[2];
	char byte;
	pid_t pid;

	if (pipe2(ready, O_CLOEXEC) != 0)
		return -errno;
	pid = child_in(0);
	if (pid == 0) {
		if (unshare(CLONE_NEWNET) == 0 && write(ready[1], "", 1) == 1)
			(void)pause();
		_exit(126);
	}
	(void)close(ready[1]);
	if (pid > 0 && read(ready[0], &byte, 1) != 1) {
		netfixture_stop(pid);
		pid = -EPERM;
	}
	(void)close(ready[0]);
	return pid;
}

/* Addresses that the kernel would make itself come later, and are tentative at first: none of
 * these. */
static int set_up(struct netfixture *fixture)
{
	static const char *const near[] = {
		"/usr/sbin/ip link set lo up",
		"/usr/sbin/ip link set near0 addrgenmode none",
		"/usr/sbin/ip addr add " NEAR "/24 dev near0",
		"/usr/sbin/ip addr add " NEAR6 "/64 dev near0 nodad",
		"/usr/sbin/ip addr add fe80::1/64 dev near0 nodad",
		"/usr/sbin/ip link set near0 up",
	};
	static const char *const far[] = {
		"/usr/sbin/ip link set lo up",
		"/usr/sbin/ip link set far0 addrgenmode none",
		"/usr/sbin/ip addr add " FAR "/24 dev far0",
		"/usr/sbin/ip addr add " FAR6 "/64 dev far0 nodad",
		"/usr/sbin/ip addr add fe80::2/64 dev far0 nodad",
		"/usr/sbin/ip link set far0 up",
	};
	char veth[128];
	int rc;

	(void)snprintf(veth, sizeof(veth),
		       "/usr/sbin/ip link add near0 type veth peer name far0 netns %d",
		       (int)fixture->far);
	rc = netfixture_near(veth);
	for (size_t i = 0; i < ARRAY_COUNT(near) && rc == 0; i++)
		rc = netfixture_near(near[i]);
	for (size_t i = 0; i < ARRAY_COUNT(far) && rc == 0; i++)
		rc = netfixture_far(fixture, far[i]);
	return rc == 0 ? 0 : -EPERM;
}

/* Until the kernel has noticed that both ends are up, it drops what is sent. */
static int is_running(const void *ifname)
{
	struct ifreq request = { 0 };
	int AUTO_FD fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void)snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", (const char *)ifname);
	if (fd < 0 || ioctl(fd, SIOCGIFFLAGS, &request) != 0)
		return -errno;
	return (request.ifr_flags & IFF_RUNNING) != 0;
}

int netfixture_begin(struct netfixture *fixture)
{
	int rc;

	if (unshare(CLONE_NEWNET) != 0)
		return -errno;
	fixture->far = far_start();
	if (fixture->far < 0)
		return fixture->far;
	rc = set_up(fixture);
	if (rc != 0)
		return rc;
	return netfixture_until(is_running, "near0", 1) == 1 ? 0 : -ENETDOWN;
}

void netfixture_end(struct netfixture *fixture)
{
	netfixture_stop(fixture->far);
	fixture->far = 0;
}

pid_t netfixture_serve(const struct netfixture *fixture, void (*serve)(void *arg), void *arg)
{
	pid_t pid = child_in(fixture->far);

	if (pid != 0)
		return pid;
	serve(arg);
	_exit(0);
}

void netfixture_stop(pid_t pid)
{
	if (pid > 0 && kill(pid, SIGKILL) == 0)
		(void)waitpid(pid, NULL, 0);
}

int netfixture_until(int (*ask)(const void *arg), const void *arg, int wanted)
{
	struct deadline end = deadline_in_ms(PATIENCE_MS);
	int answer = ask(arg);

	while (answer != wanted && !deadline_passed(&end)) {
		struct deadline pause_end = deadline_sooner(&end, PAUSE_MS);

		deadline_sleep(&pause_end);
		answer = ask(arg);
	}
	return answer;
}
