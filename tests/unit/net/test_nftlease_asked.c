/* SPDX-License-Identifier: PostgreSQL */
/* When the server was last asked over the network, as the kernel noted it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/proc.h"
#include "gatedport.h"
#include "net/nftlease.h"

enum { PAUSE_MS = 300, LATE_MS = 200 };

static void pause_ms(int64_t ms)
{
	const struct deadline dl = deadline_in_ms(ms);

	deadline_sleep(&dl);
}

static void nft(const char *command)
{
	const char *const argv[] = { "/usr/sbin/nft", "-f", "-", NULL };
	const struct proc_spec spec = { .argv = argv, .input = command };
	const struct deadline dl = deadline_in_ms(5000);
	struct proc AUTO_PROC child = PROC_NONE;

	assert_int_equal(proc_run(&child, &spec, &dl), 0);
	assert_int_equal(child.exit_code, 0);
}

/* The note never says that the question came earlier than it did. */
static void assert_asked(int64_t before_ms, int64_t after_ms)
{
	int64_t asked_ms = 0;

	assert_int_equal(nftlease_asked(&gated_cfg, &asked_ms), 0);
	assert_in_range(asked_ms, before_ms, after_ms + LATE_MS);
}

static void a_question_is_noted_when_it_came(void **state)
{
	struct farclient peer;
	int64_t before_ms, after_ms;

	(void)state;
	assert_int_equal(
	    farclient_connect(&peer, &gated_network, gated_listener, FAR, NEAR, GATED_PORT), 0);
	pause_ms(PAUSE_MS);
	before_ms = now_ms();
	assert_true(farclient_works(&peer));
	after_ms = now_ms();
	pause_ms(2 * PAUSE_MS);
	assert_asked(before_ms, after_ms);
	/* Whoever it is from: the primary may ask from another address than its own. */
	farclient_end(&peer);
	assert_int_equal(
	    farclient_connect(&peer, &gated_network, gated_listener, CLIENT, NEAR, GATED_PORT), 0);
	pause_ms(PAUSE_MS);
	before_ms = now_ms();
	assert_true(farclient_works(&peer));
	after_ms = now_ms();
	pause_ms(PAUSE_MS);
	assert_asked(before_ms, after_ms);
	farclient_end(&peer);
}

static void nothing_is_known_before_a_question(void **state)
{
	struct farclient peer, own;
	int64_t asked_ms;

	(void)state;
	assert_int_equal(nftlease_asked(&gated_cfg, &asked_ms), -ENODATA);
	assert_int_equal(farclient_connect(&own, NULL, gated_listener, NEAR, NEAR, GATED_PORT), 0);
	assert_true(farclient_works(&own));
	farclient_end(&own);
	assert_int_equal(nftlease_asked(&gated_cfg, &asked_ms), -ENODATA);
	assert_int_equal(
	    farclient_connect(&peer, &gated_network, gated_listener, FAR, NEAR, GATED_PORT), 0);
	assert_int_equal(nftlease_asked(&gated_cfg, &asked_ms), 0);
	/* Laid anew, it does not know what came before. */
	assert_int_equal(gatedport_open(NULL), 0);
	assert_int_equal(nftlease_asked(&gated_cfg, &asked_ms), -ENODATA);
	farclient_end(&peer);
	assert_int_equal(nftlease_remove(&gated_cfg), 0);
	assert_int_equal(nftlease_asked(&gated_cfg, &asked_ms), -ENOENT);
}

static void without_its_rule_nothing_is_known(void **state)
{
	struct farclient peer;
	int64_t asked_ms;

	(void)state;
	assert_int_equal(
	    farclient_connect(&peer, &gated_network, gated_listener, FAR, NEAR, GATED_PORT), 0);
	assert_int_equal(nftlease_asked(&gated_cfg, &asked_ms), 0);
	nft("flush chain inet pg_vrrp_main input\n");
	assert_int_equal(nftlease_asked(&gated_cfg, &asked_ms), -ENODATA);
	farclient_end(&peer);
}

/* The kernel itself forgets after a minute; here it is told that the minute is nearly over. */
static void what_it_forgot_is_not_long_ago(void **state)
{
	struct farclient peer;
	int64_t asked_ms;

	(void)state;
	assert_int_equal(
	    farclient_connect(&peer, &gated_network, gated_listener, FAR, NEAR, GATED_PORT), 0);
	nft("delete element inet pg_vrrp_main asked { 5432 }\n");
	assert_int_equal(nftlease_asked(&gated_cfg, &asked_ms), -ENODATA);
	nft("add element inet pg_vrrp_main asked { 5432 timeout 2m }\n");
	assert_int_equal(nftlease_asked(&gated_cfg, &asked_ms), -ENODATA);
	farclient_end(&peer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_question_is_noted_when_it_came, gatedport_open),
		cmocka_unit_test_setup(nothing_is_known_before_a_question, gatedport_open),
		cmocka_unit_test_setup(without_its_rule_nothing_is_known, gatedport_open),
		cmocka_unit_test_setup(what_it_forgot_is_not_long_ago, gatedport_open),
	};

	return cmocka_run_group_tests(tests, gatedport_begin, gatedport_end);
}
