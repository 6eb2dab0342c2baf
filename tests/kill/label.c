/* SPDX-License-Identifier: PostgreSQL */
#include <arpa/inet.h>
#include <ctype.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "stopat.h"

#define DATA_SHOWN 72
/* A message of PostgreSQL begins with its kind and its length. */
#define DATA_SKIPPED 5

/* As much as is there, up to the size; what crosses into a page that is not there is left out. */
static size_t fetch(pid_t tid, uint64_t from, void *to, size_t size)
{
	struct iovec here = { to, size };
	struct iovec there = { (void *)(uintptr_t)from, size };
	ssize_t got = process_vm_readv(tid, &here, 1, &there, 1, 0);

	while (got < 0 && there.iov_len > 1) {
		there.iov_len = here.iov_len = there.iov_len / 2;
		got = process_vm_readv(tid, &here, 1, &there, 1, 0);
	}
	return got < 0 ? 0 : (size_t)got;
}

static void fetch_text(pid_t tid, uint64_t from, char *text, size_t size)
{
	size_t got = fetch(tid, from, text, size - 1);

	text[got] = '\0';
}

/* A digit, or what continues or begins a number in hexadecimal: WAL positions in names. */
static bool is_number(const char *label, size_t used, char c)
{
	if (isdigit((unsigned char)c))
		return true;
	if (c < 'A' || c > 'F' || used == 0)
		return false;
	return label[used - 1] == '#' ||
	       (used > 1 && label[used - 1] == '-' && label[used - 2] == '#');
}

/* Numbers are process ids, times, positions: another one in each run. */
static void append(char *label, const char *text)
{
	size_t used = strlen(label);

	for (; *text != '\0' && used < LABEL_MAX - 1; text++) {
		char c = *text;

		if (is_number(label, used, c)) {
			if (used > 0 && label[used - 1] == '#')
				continue;
			c = '#';
		} else if (!isprint((unsigned char)c)) {
			c = ' ';
		}
		label[used++] = c;
	}
	label[used] = '\0';
}

/* The letters that mkostemp made up behind ".new." or the like. */
static void append_path(char *label, char *path)
{
	char *dot = strrchr(path, '.');

	if (dot != NULL && dot > path + 4 && strlen(dot) == 7 && strncmp(dot - 4, ".new", 4) == 0)
		*dot = '\0';
	append(label, path);
}

/* ---- sockets ---- */

static pid_t process_of(pid_t tid)
{
	char path[64], line[128];
	pid_t pid = tid;
	FILE *file;

	(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)tid);
	file = fopen(path, "re");
	while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
		if (strncmp(line, "Tgid:", 5) == 0)
			pid = (pid_t)strtol(line + 5, NULL, 10);
	}
	if (file != NULL)
		(void)fclose(file);
	return pid;
}

/* The address is no number of this run: it says who is talked to. */
static void append_address(char *label, const struct sockaddr_storage *address)
{
	size_t used = strlen(label);
	char host[INET6_ADDRSTRLEN] = "";

	if (address->ss_family == AF_UNIX) {
		const struct sockaddr_un *un = (const struct sockaddr_un *)address;

		append(label, " unix ");
		append(label, un->sun_path);
	} else if (address->ss_family == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)address;

		(void)inet_ntop(AF_INET, &in->sin_addr, host, sizeof(host));
		(void)snprintf(label + used, LABEL_MAX - used, " inet %s %d", host,
			       ntohs(in->sin_port));
	} else if (address->ss_family == AF_NETLINK) {
		append(label, " netlink");
	} else {
		append(label, " socket");
	}
}

static void append_socket(char *label, pid_t tid, int fd)
{
	struct sockaddr_storage peer = { .ss_family = AF_UNSPEC };
	socklen_t length = sizeof(peer);
	int pidfd = (int)syscall(SYS_pidfd_open, process_of(tid), 0);
	int own = pidfd < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);

	if (own >= 0 && getpeername(own, (struct sockaddr *)&peer, &length) < 0) {
		length = sizeof(peer);
		(void)getsockname(own, (struct sockaddr *)&peer, &length);
		if (peer.ss_family == AF_INET)
			peer.ss_family = AF_UNSPEC; /* its own address, with a port made up */
	}
	append_address(label, &peer);
	if (own >= 0)
		(void)close(own);
	if (pidfd >= 0)
		(void)close(pidfd);
}

/* ---- descriptors ---- */

/* True for one on which what is sent can be read and is worth to be. */
static bool append_fd(char *label, pid_t tid, int fd)
{
	char link[64], path[LABEL_MAX];
	ssize_t length;

	(void)snprintf(link, sizeof(link), "/proc/%d/fd/%d", (int)tid, fd);
	length = readlink(link, path, sizeof(path) - 1);
	if (length < 0)
		length = snprintf(path, sizeof(path), "closed");
	path[length] = '\0';
	if (strncmp(path, "socket:", 7) == 0) {
		append_socket(label, tid, fd);
		return strstr(label, " unix ") != NULL && strstr(label, "PGSQL") != NULL;
	}
	(void)strncat(label, " ", LABEL_MAX - strlen(label) - 1);
	append_path(label, path);
	return false;
}

static void append_data(char *label, pid_t tid, const uint64_t args[6])
{
	char data[DATA_SHOWN + 1];
	size_t want = args[2] < DATA_SHOWN ? (size_t)args[2] : DATA_SHOWN;
	size_t got = fetch(tid, args[1], data, want);

	data[got] = '\0';
	if (got <= DATA_SKIPPED)
		return;
	/* The first packet names user and database, without a kind. */
	for (size_t i = 0; i < got; i++)
		data[i] = isprint((unsigned char)data[i]) ? data[i] : ' ';
	(void)strncat(label, " ", LABEL_MAX - strlen(label) - 1);
	append(label, data + DATA_SKIPPED + strspn(data + DATA_SKIPPED, " "));
}

/* Without a path it is about the descriptor before it (AT_EMPTY_PATH). */
static void append_path_argument(char *label, pid_t tid, uint64_t from, uint64_t fd)
{
	char path[LABEL_MAX];

	fetch_text(tid, from, path, sizeof(path));
	if (path[0] == '\0') {
		(void)append_fd(label, tid, (int)fd);
		return;
	}
	(void)strncat(label, " ", LABEL_MAX - strlen(label) - 1);
	append_path(label, path);
}

void label_make(char *label, const struct call *call, pid_t tid, const uint64_t args[6])
{
	struct sockaddr_storage address = { 0 };
	size_t size = args[2] < sizeof(address) ? (size_t)args[2] : sizeof(address);
	int length = snprintf(label, LABEL_MAX, "%s", call->name);

	switch (call->target) {
	case TARGET_FD_WORD:
		(void)snprintf(label + length, LABEL_MAX - (size_t)length, "(%llu)",
			       (unsigned long long)args[1]);
		(void)append_fd(label, tid, (int)args[0]);
		break;
	case TARGET_FD:
		(void)append_fd(label, tid, (int)args[0]);
		break;
	case TARGET_FD_DATA:
		if (append_fd(label, tid, (int)args[0]))
			append_data(label, tid, args);
		break;
	case TARGET_ADDRESS:
		(void)fetch(tid, args[1], &address, size);
		append_address(label, &address);
		break;
	case TARGET_PATH_0:
		append_path_argument(label, tid, args[0], 0);
		break;
	case TARGET_PATH_1:
		append_path_argument(label, tid, args[1], args[0]);
		break;
	case TARGET_PATH_3:
		append_path_argument(label, tid, args[3], args[2]);
		break;
	case TARGET_NONE:
		break;
	}
	/* Or the end of a line of the log could not be told. */
	for (size_t used = strlen(label); used > 0 && label[used - 1] == ' '; used--)
		label[used - 1] = '\0';
}
