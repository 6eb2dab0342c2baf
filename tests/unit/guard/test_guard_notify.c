/* SPDX-License-Identifier: PostgreSQL */
/* Messages of the guard to systemd. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/notify.h"
#include "guard/guard_notify.h"

static int heard;

static void socket_is(const char *name)
{
	/* ALLOW: systemd's one way to tell */
	assert_int_equal(setenv("NOTIFY_SOCKET", name, 1), 0);
}

/* An abstract name: nothing is left behind. */
static int listen_to(const char *name)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	size_t length = strlen(name);

	memcpy(at.sun_path + 1, name, length);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&at,
			      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + length)),
			 0);
	return fd;
}

/* "" : nothing was said. */
static const char *said(void)
{
	static char text[512];
	ssize_t length = recv(heard, text, sizeof(text) - 1, 0);

	text[length > 0 ? length : 0] = '\0';
	return text;
}

static void says_what_has_changed_and_that_it_lives(void **unused)
{
	static const struct cfg cfg = { .stop_fast_ms = 30000, .stop_immediate_ms = 18000 };
	struct guard g = { .cfg = &cfg };
	struct guard_facts f = { .now = 1000000,
				 .server = GUARD_SERVER_STANDBY,
				 .fenced = FACT_NO };
	char ready[128];

	(void)unused;
	(void)snprintf(ready, sizeof(ready),
		       "READY=1\nWATCHDOG_USEC=%lld\nWATCHDOG=1\nSTATUS=standby\n",
		       (long long)(20000 + 2 * cfg_fence_time_ms(&cfg)) * 1000);
	guard_notify(&g, &f);
	assert_string_equal(said(), ready);
	f.now += 1000;
	guard_notify(&g, &f);
	assert_string_equal(said(), "");
	f.server = GUARD_SERVER_PRIMARY;
	f.lease.until_ms = f.now + 5000;
	guard_notify(&g, &f);
	assert_string_equal(said(), "WATCHDOG=1\nSTATUS=primary, its lease runs\n");
	f.now += 5000;
	f.server = GUARD_SERVER_DOWN;
	f.fenced = FACT_YES;
	guard_notify(&g, &f);
	assert_string_equal(said(), "WATCHDOG=1\nSTATUS=no server runs; fenced\n");
	f.now += 5000;
	guard_notify(&g, &f);
	assert_string_equal(said(), "WATCHDOG=1\nSTATUS=no server runs; fenced\n");
	guard_notify_end(&g);
	assert_string_equal(said(), "STOPPING=1\n");
}

static void what_nobody_heard_is_said_again(void **unused)
{
	static const struct cfg cfg = { .stop_fast_ms = 500 };
	struct guard g = { .cfg = &cfg };
	struct guard_facts f = { .now = 1000000, .server = GUARD_SERVER_DOWN, .fenced = FACT_NO };

	(void)unused;
	socket_is("/nonexistent/socket");
	assert_true(notify_send("READY=1\n") < 0);
	guard_notify(&g, &f);
	socket_is("@pgv-test-notify");
	guard_notify(&g, &f);
	assert_int_equal(strncmp(said(), "READY=1\n", 8), 0);
	socket_is("no-path");
	assert_true(notify_send("READY=1\n") < 0);
	socket_is("");
	assert_int_equal(notify_send("READY=1\n"), 0);
	assert_string_equal(said(), "");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_what_has_changed_and_that_it_lives),
		cmocka_unit_test(what_nobody_heard_is_said_again),
	};
	int failed;

	heard = listen_to("pgv-test-notify");
	socket_is("@pgv-test-notify");
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	(void)close(heard);
	return failed;
}
