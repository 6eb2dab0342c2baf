/* SPDX-License-Identifier: PostgreSQL */
/* Only an answer of that host to our own question is contact.  Nothing here ever waits for one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "echo_server.h"
#include "net/probe.h"
#include "netfixture.h"
#include "probe_asserts.h"

#define NOBODY_MAY "1 0"
#define ALL_MAY    "0 2147483647"

static struct netfixture fixture;

static int begin(void **state)
{
	(void)state;
	return netfixture_begin(&fixture);
}

static int end(void **state)
{
	(void)state;
	netfixture_end(&fixture);
	return 0;
}

static void asks_over_a_raw_socket_where_others_are_forbidden(void **state)
{
	(void)state;
	assert_int_equal(netfixture_sysctl("ipv4/ping_group_range", NOBODY_MAY), 0);
	assert_answered_now(FAR, 0, true);
	assert_answered_now(FAR6, 0, true);
	assert_answered_now("127.0.0.1", 0, true);
	assert_answered_now("::1", 0, true);
}

static void asks_without_privilege_where_allowed(void **state)
{
	(void)state;
	assert_int_equal(netfixture_sysctl("ipv4/ping_group_range", ALL_MAY), 0);
	assert_answered_now(FAR, 0, false);
	assert_answered_now(FAR6, 0, false);
	assert_answered_now("127.0.0.1", 0, false);
	assert_int_equal(netfixture_sysctl("ipv4/ping_group_range", NOBODY_MAY), 0);
}

static void asks_a_link_local_address_on_its_interface(void **state)
{
	struct deadline soon = deadline_in_ms(2000);
	struct probe probe;

	(void)state;
	assert_answered_now("fe80::2%near0", 0, true);
	assert_int_equal(netfixture_sysctl("ipv4/ping_group_range", ALL_MAY), 0);
	assert_answered_now("fe80::2%near0", 0, false);
	assert_int_equal(netfixture_sysctl("ipv4/ping_group_range", NOBODY_MAY), 0);
	assert_int_equal(probe_open(&probe, "fe80::2%nothere0", 0, &soon), -ENODEV);
}

static void a_sequence_that_wraps_is_still_answered(void **state)
{
	struct probe probe = open_probe(FAR, 0);

	(void)state;
	probe.sequence = UINT16_MAX;
	assert_int_equal(probe_send(&probe), 0);
	assert_int_equal(probe.sequence, 0);
	assert_true(take_next(&probe) > 0);
	probe_close(&probe);
}

/* When the latest question left, as the probe remembers it. */
static int64_t latest(const struct probe *probe)
{
	return probe->sent_ms[probe->sequence % ARRAY_COUNT(probe->sent_ms)];
}

/* One question for each twist; the answer must arrive, be nothing, and leave the question open. */
static void assert_wrong_answers_are_none(const char *ping_group_range)
{
	static const enum echo_twist wrong[] = { ECHO_OTHER_NONCE, ECHO_OTHER_SEQUENCE,
						 ECHO_OTHER_TIME, ECHO_OTHER_SOURCE, ECHO_SHORT };
	struct echo_server server;
	struct probe probe;

	assert_int_equal(echo_server_begin(&server, &fixture), 0);
	assert_int_equal(netfixture_sysctl("ipv4/ping_group_range", ping_group_range), 0);
	probe = open_probe(FAR, 0);
	for (int i = 0; i < (int)ARRAY_COUNT(wrong); i++) {
		int64_t asked;

		assert_int_equal(probe_send(&probe), 0);
		asked = latest(&probe);
		assert_int_equal(echo_server_answer(&server, i, wrong[i]), 0);
		assert_int_equal(take_next(&probe), 0);
		assert_int_equal(echo_server_answer(&server, i, ECHO_HONEST), 0);
		assert_int_equal(take_next(&probe), asked);
	}
	probe_close(&probe);
	assert_int_equal(netfixture_sysctl("ipv4/ping_group_range", NOBODY_MAY), 0);
	echo_server_end(&server, &fixture);
}

static void wrong_answers_are_none_on_a_raw_socket(void **state)
{
	(void)state;
	assert_wrong_answers_are_none(NOBODY_MAY);
}

static void wrong_answers_are_none_on_an_unprivileged_socket(void **state)
{
	(void)state;
	assert_wrong_answers_are_none(ALL_MAY);
}

static void an_answer_to_another_process_is_not_ours(void **state)
{
	struct probe mine = open_probe(FAR, 0);
	struct probe theirs = open_probe(FAR, 0);

	(void)state;
	/* Alike in all but the nonce; on raw sockets both hear every answer. */
	theirs.id = mine.id;
	assert_int_not_equal(mine.nonce, theirs.nonce);
	assert_int_equal(probe_send(&theirs), 0);
	mine.sequence = theirs.sequence;
	memcpy(mine.sent_ms, theirs.sent_ms, sizeof(mine.sent_ms));
	assert_int_equal(take_next(&mine), 0);
	assert_true(take_next(&theirs) > 0);
	/* the same with the nonce alike: so it was the nonce that counted */
	mine.nonce = theirs.nonce;
	assert_int_equal(probe_send(&theirs), 0);
	mine.sequence = theirs.sequence;
	memcpy(mine.sent_ms, theirs.sent_ms, sizeof(mine.sent_ms));
	assert_true(take_next(&mine) > 0);
	probe_close(&mine);
	probe_close(&theirs);
}

static void two_runs_do_not_share_a_nonce(void **state)
{
	struct probe one = open_probe(FAR, 0);
	struct probe other = open_probe(FAR, 0);

	(void)state;
	assert_int_not_equal(one.nonce, other.nonce);
	probe_close(&one);
	probe_close(&other);
}

static void an_answer_counts_once_and_only_while_it_is_fresh(void **state)
{
	struct echo_server server;
	struct probe probe;
	int64_t third = 0;

	(void)state;
	assert_int_equal(echo_server_begin(&server, &fixture), 0);
	probe = open_probe(FAR, 0);
	for (int i = 0; i < 18; i++) {
		struct deadline next = deadline_in_ms(2); /* so that no two left at one time */

		assert_int_equal(probe_send(&probe), 0);
		if (i == 2)
			third = latest(&probe);
		deadline_sleep(&next);
	}
	/* the first and the second are older than the last sixteen */
	assert_int_equal(echo_server_answer(&server, 0, ECHO_HONEST), 0);
	assert_int_equal(take_next(&probe), 0);
	assert_int_equal(echo_server_answer(&server, 1, ECHO_HONEST), 0);
	assert_int_equal(take_next(&probe), 0);
	assert_int_equal(echo_server_answer(&server, 2, ECHO_HONEST), 0);
	assert_int_equal(take_next(&probe), third);
	assert_int_equal(echo_server_answer(&server, 2, ECHO_HONEST), 0);
	assert_int_equal(take_next(&probe), 0);
	probe_close(&probe);
	echo_server_end(&server, &fixture);
}

static void the_newest_answer_is_told(void **state)
{
	struct echo_server server;
	struct probe probe;
	struct deadline next;
	int64_t newest;

	(void)state;
	assert_int_equal(echo_server_begin(&server, &fixture), 0);
	probe = open_probe(FAR, 0);
	assert_int_equal(probe_send(&probe), 0);
	next = deadline_in_ms(2);
	deadline_sleep(&next);
	assert_int_equal(probe_send(&probe), 0);
	newest = latest(&probe);
	assert_int_equal(echo_server_answer(&server, 1, ECHO_HONEST), 0);
	assert_int_equal(echo_server_answer(&server, 0, ECHO_HONEST), 0);
	assert_int_equal(take_next(&probe), newest);
	probe_close(&probe);
	echo_server_end(&server, &fixture);
}

static void what_was_never_opened_is_harmless(void **state)
{
	struct probe zeros = { 0 };
	struct probe none = PROBE_NONE;

	(void)state;
	assert_int_equal(probe_send(&none), -EBADF);
	assert_int_equal(probe_take(&none), -EBADF);
	assert_int_equal(probe_pollfd(&none).fd, -1);
	assert_int_equal(probe_send(&zeros), -EBADF);
	assert_int_equal(probe_take(&zeros), -EBADF);
	assert_int_equal(probe_pollfd(&zeros).fd, -1);
	probe_close(&none);
	probe_close(&zeros);
	assert_true(fcntl(0, F_GETFD) >= 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(asks_over_a_raw_socket_where_others_are_forbidden),
		cmocka_unit_test(asks_without_privilege_where_allowed),
		cmocka_unit_test(asks_a_link_local_address_on_its_interface),
		cmocka_unit_test(a_sequence_that_wraps_is_still_answered),
		cmocka_unit_test(wrong_answers_are_none_on_a_raw_socket),
		cmocka_unit_test(wrong_answers_are_none_on_an_unprivileged_socket),
		cmocka_unit_test(an_answer_to_another_process_is_not_ours),
		cmocka_unit_test(two_runs_do_not_share_a_nonce),
		cmocka_unit_test(an_answer_counts_once_and_only_while_it_is_fresh),
		cmocka_unit_test(the_newest_answer_is_told),
		cmocka_unit_test(what_was_never_opened_is_harmless),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
