/* SPDX-License-Identifier: PostgreSQL */
/*
 * watchdog_device SOCKET - the watchdog of a host of the lab, outside of that host.
 *
 * Says "armed", "disarmed" and "reset" when that is so, one a line with its time; who started it
 * switches the host off then.  Told "fail ERRNO" it fails from there on, "fail 0": it works again.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "../unit/fixtures/fakewatchdog.c" /* NOLINT(bugprone-suspicious-include) */
#include "watchdog_wire.h"

enum { LISTENER, ORDERS, CALLER, FDS = 8 };

static struct fakewatchdog device;
static struct pollfd fds[FDS];
static int holder = -1;

static int64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_BOOTTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void say(const char *word)
{
	(void)printf("%s %lld\n", word, (long long)now_ms());
	(void)fflush(stdout);
}

static void open_for(int fd, struct wire_answer *answer)
{
	answer->rc = fakewatchdog_open(&device, now_ms());
	if (answer->rc == 0)
		holder = fd;
}

static void answer_call(int fd, struct wire_ask *ask, struct wire_answer *answer)
{
	void *argument = &answer->argument;

	answer->argument = ask->argument;
	if (ask->call == WIRE_OPEN) {
		open_for(fd, answer);
	} else if (fd != holder) {
		answer->rc = -EBADF;
	} else if (ask->call == WIRE_WRITE) {
		answer->rc = fakewatchdog_write(&device, now_ms(), ask->data, ask->count);
	} else {
		if (ask->request == WDIOC_GETSUPPORT)
			argument = &answer->info;
		answer->rc = fakewatchdog_ioctl(&device, now_ms(), ask->request, argument);
	}
}

static void serve(struct pollfd *caller)
{
	struct wire_answer answer = { 0 };
	struct wire_ask ask;

	if (recv(caller->fd, &ask, sizeof(ask), 0) != (ssize_t)sizeof(ask) ||
	    ask.count > sizeof(ask.data)) {
		if (caller->fd == holder) {
			fakewatchdog_release(&device, now_ms());
			holder = -1;
		}
		(void)close(caller->fd);
		caller->fd = -1;
		return;
	}
	answer_call(caller->fd, &ask, &answer);
	(void)send(caller->fd, &answer, sizeof(answer), MSG_NOSIGNAL);
}

static void take_caller(void)
{
	int fd = accept(fds[LISTENER].fd, NULL, NULL);

	for (int i = CALLER; i < FDS && fd >= 0; i++) {
		if (fds[i].fd < 0) {
			fds[i] = (struct pollfd){ .fd = fd, .events = POLLIN };
			return;
		}
	}
	if (fd >= 0)
		(void)close(fd);
}

/* The end of the orders is the end of the device. */
static void take_order(void)
{
	char line[32];

	if (fgets(line, sizeof(line), stdin) == NULL)
		exit(0);
	if (strncmp(line, "fail ", 5) == 0)
		device.failing = (int)strtol(line + 5, NULL, 10);
}

static int pause_ms(void)
{
	int64_t left;

	if (!device.active)
		return -1;
	left = device.fed_ms + device.timeout_s * INT64_C(1000) - now_ms();
	return left > 0 ? (int)left : 0;
}

static void go_on(void)
{
	bool was = device.active;

	if (poll(fds, FDS, pause_ms()) < 0)
		exit(71);
	if (fakewatchdog_fires(&device, now_ms())) {
		say("reset");
		exit(0);
	}
	if (fds[LISTENER].revents != 0)
		take_caller();
	if (fds[ORDERS].revents != 0)
		take_order();
	for (int i = CALLER; i < FDS; i++) {
		if (fds[i].fd >= 0 && fds[i].revents != 0)
			serve(&fds[i]);
	}
	if (device.active != was)
		say(device.active ? "armed" : "disarmed");
}

int main(int argc, char **argv)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (argc != 2)
		return 64;
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", argv[1]);
	if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(listener, FDS) < 0)
		return 71;
	device = fakewatchdog_good;
	for (int i = 0; i < FDS; i++)
		fds[i] = (struct pollfd){ .fd = -1, .events = POLLIN };
	fds[LISTENER].fd = listener;
	fds[ORDERS].fd = STDIN_FILENO;
	/* Each line of it is waited for by poll. */
	(void)setvbuf(stdin, NULL, _IONBF, 0);
	say("ready");
	for (;;)
		go_on();
}
