/* SPDX-License-Identifier: PostgreSQL */
/* Connections as questions, and one question until the deadline: yes, no, or it could not
 * be asked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/probe.h"
#include "netfixture.h"
#include "probe_asserts.h"

/* Nobody listens on PORT_CLOSED. */
enum { PORT_OPEN = 2201, PORT_DROPS = 2202, PORT_CLOSED = 2204 };

static struct netfixture fixture;
static int listener = -1;

static int begin(void **state)
{
	int rc = netfixture_begin(&fixture);

	(void)state;
	if (rc == 0)
		listener = netfixture_far_listen(&fixture, PORT_OPEN);
	return rc != 0 ? rc : listener < 0;
}

static int end(void **state)
{
	(void)state;
	(void)close(listener);
	netfixture_end(&fixture);
	return 0;
}

static int is_reset(const void *fd)
{
	struct pollfd wanted = { .fd = *(const int *)fd };

	return poll(&wanted, 1, 0) == 1 && (wanted.revents & POLLERR) != 0;
}

static void an_accepted_connection_is_an_answer(void **state)
{
	(void)state;
	assert_answered_now(FAR, PORT_OPEN, false);
	assert_answered_now(FAR6, PORT_OPEN, false);
	assert_answered_now("fe80::2%near0", PORT_OPEN, false);
}

static void a_connection_dropped_at_once_was_accepted(void **state)
{
	const struct linger reset = { .l_onoff = 1 };
	struct probe probe;
	int port_own = PORT_OPEN + 100;
	int own = netfixture_far_listen(&fixture, (uint16_t)port_own);
	int client;

	(void)state;
	assert_true(own >= 0);
	probe = open_probe(FAR, (uint16_t)port_own);
	assert_int_equal(probe_send(&probe), 0);
	client = accept4(own, NULL, NULL, SOCK_CLOEXEC);
	assert_true(client >= 0);
	assert_int_equal(setsockopt(client, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)), 0);
	assert_int_equal(close(client), 0);
	assert_int_equal(netfixture_until(is_reset, &probe.fd, 1), 1);
	assert_true(probe_take(&probe) > 0);
	probe_close(&probe);
	assert_int_equal(close(own), 0);
}

static void a_refused_connection_is_told_apart(void **state)
{
	struct probe probe = open_probe(FAR, PORT_CLOSED);
	struct deadline limit = deadline_in_ms(5000);
	char why[120];

	(void)state;
	assert_int_equal(probe_send(&probe), 0);
	assert_int_equal(take_next(&probe), -ECONNREFUSED);
	assert_int_equal(probe_pollfd(&probe).fd, -1);
	assert_int_equal(probe_take(&probe), 0);
	probe_close(&probe);
	assert_int_equal(probe_once(FAR, PORT_CLOSED, 50, &limit, why, sizeof(why)), FACT_NO);
	assert_string_equal(why, FAR " port 2204 refused the connection");
	/* a definite answer is not waited out */
	assert_true(deadline_left_ms(&limit) > 4000);
}

static void asking_never_waits_and_keeps_one_descriptor(void **state)
{
	static const struct {
		const char *address;
		uint16_t port;
	} silent[] = { { "192.0.2.9", 0 }, { "192.0.2.9", PORT_OPEN }, { FAR, PORT_DROPS } };

	(void)state;
	assert_int_equal(netfixture_far_drops(&fixture, "tcp dport 2202"), 0);
	for (size_t i = 0; i < ARRAY_COUNT(silent); i++) {
		struct probe probe = open_probe(silent[i].address, silent[i].port);
		int64_t begun_ms = now_ms();
		int before;

		assert_int_equal(probe_send(&probe), 0);
		before = netfixture_descriptors();
		for (int n = 0; n < 40; n++) {
			assert_int_equal(probe_send(&probe), 0);
			assert_int_equal(probe_take(&probe), 0);
		}
		assert_int_equal(netfixture_descriptors(), before);
		assert_in_range(now_ms() - begun_ms, 0, 500);
		probe_close(&probe);
	}
	assert_int_equal(netfixture_far_drops(&fixture, ""), 0);
}

static void silence_is_no(void **state)
{
	struct deadline limit = deadline_in_ms(200);
	char why[120];

	(void)state;
	assert_int_equal(netfixture_far_drops(&fixture, "icmp type echo-request"), 0);
	assert_int_equal(probe_once(FAR, 0, 50, &limit, why, sizeof(why)), FACT_NO);
	assert_memory_equal(why, "no ICMP echo reply from " FAR " in 2", 37);
	assert_in_range(now_ms(), (uintmax_t)limit.at_ms, (uintmax_t)limit.at_ms + 400);

	assert_int_equal(netfixture_far_drops(&fixture, "icmpv6 type echo-request"), 0);
	limit = deadline_in_ms(200);
	assert_int_equal(probe_once(FAR6, 0, 50, &limit, why, sizeof(why)), FACT_NO);

	assert_int_equal(netfixture_far_drops(&fixture, "tcp dport 2202"), 0);
	limit = deadline_in_ms(200);
	assert_int_equal(probe_once(FAR, PORT_DROPS, 50, &limit, why, sizeof(why)), FACT_NO);
	assert_memory_equal(why, "no TCP connection to " FAR " port 2202 in 2", 44);
	assert_int_equal(netfixture_far_drops(&fixture, ""), 0);
}

static void one_answer_is_yes_even_after_losses(void **state)
{
	struct deadline limit = deadline_in_ms(5000);
	char why[120];

	(void)state;
	assert_int_equal(probe_once(FAR, 0, 50, &limit, why, sizeof(why)), FACT_YES);
	assert_int_equal(probe_once(FAR6, 0, 50, &limit, why, sizeof(why)), FACT_YES);
	assert_int_equal(probe_once(FAR, PORT_OPEN, 50, &limit, why, sizeof(why)), FACT_YES);
	assert_int_equal(probe_once(FAR6, PORT_OPEN, 50, &limit, why, sizeof(why)), FACT_YES);
	assert_non_null(strstr(why, FAR6 " port 2201 answered after "));
	/* two of three get lost: it asks again */
	assert_int_equal(
	    netfixture_far_drops(&fixture, "icmp type echo-request numgen inc mod 3 < 2"), 0);
	assert_int_equal(probe_once(FAR, 0, 20, &limit, why, sizeof(why)), FACT_YES);
	assert_int_equal(netfixture_far_drops(&fixture, ""), 0);
	assert_false(deadline_passed(&limit));
}

static void no_route_is_unknown(void **state)
{
	struct probe probe = open_probe("203.0.113.1", 0);
	struct deadline limit = deadline_in_ms(100);
	char why[120];

	(void)state;
	assert_int_equal(probe_send(&probe), -ENETUNREACH);
	assert_int_equal(probe_take(&probe), 0);
	/* what did not leave is no question */
	assert_int_equal(probe.sent_ms[probe.sequence % 16], 0);
	probe_close(&probe);
	probe = open_probe("203.0.113.1", PORT_OPEN);
	assert_int_equal(probe_send(&probe), -ENETUNREACH);
	assert_int_equal(probe_take(&probe), 0);
	probe_close(&probe);
	assert_int_equal(probe_once("203.0.113.1", 0, 50, &limit, why, sizeof(why)), FACT_UNKNOWN);
	assert_string_equal(why, "could not ask 203.0.113.1: Network is unreachable");
}

static void no_time_is_unknown(void **state)
{
	struct deadline passed = deadline_in_ms(0);
	char why[120];

	(void)state;
	assert_int_equal(probe_once(FAR, 0, 50, &passed, why, sizeof(why)), FACT_UNKNOWN);
	assert_string_equal(why, "could not ask " FAR ": Connection timed out");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_accepted_connection_is_an_answer),
		cmocka_unit_test(a_connection_dropped_at_once_was_accepted),
		cmocka_unit_test(a_refused_connection_is_told_apart),
		cmocka_unit_test(asking_never_waits_and_keeps_one_descriptor),
		cmocka_unit_test(silence_is_no),
		cmocka_unit_test(one_answer_is_yes_even_after_losses),
		cmocka_unit_test(no_route_is_unknown),
		cmocka_unit_test(no_time_is_unknown),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
