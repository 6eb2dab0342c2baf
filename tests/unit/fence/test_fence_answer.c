/* SPDX-License-Identifier: PostgreSQL */
/* The two lines of the fencing protocol: nothing but the exact line is a proof. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/auto.h"
#include "fence/fence.h"
#include "fence/fence_answer.h"

static void request_survives_the_way(void **state)
{
	(void)state;
	for (int ask = 0; ask < FENCE_ASKS; ask++) {
		struct fence_line sent = { .cluster = "main",
					   .node = "n1",
					   .ask = (enum fence_ask)ask,
					   .window_ms = 6000 };
		struct fence_line got;
		char line[FENCE_LINE_MAX];

		assert_int_equal(fence_request_format(&sent, line, sizeof(line)), 0);
		assert_int_equal(fence_request_parse(line, &got), 0);
		assert_string_equal(got.cluster, "main");
		assert_string_equal(got.node, "n1");
		assert_int_equal(got.ask, sent.ask);
		assert_int_equal(got.window_ms, 6000);
	}
}

static void request_is_strict(void **state)
{
	static const char *const bad[] = {
		"",
		"pg_vrrp",
		"pg_vrrp 2 cluster=main node=n1 request=fence window_ms=0",
		"pg_vrrp 1 cluster= node=n1 request=fence window_ms=0",
		"pg_vrrp 1 cluster=main request=fence window_ms=0",
		"pg_vrrp 1 cluster=main node=n1 request=kill window_ms=0",
		"pg_vrrp 1 cluster=main node=n1 request=fence",
		"pg_vrrp 1 cluster=main node=n1 request=fence window_ms=-1",
		"pg_vrrp 1 cluster=main node=n1 request=fence window_ms=99999999999999999999",
		"pg_vrrp 1 cluster=main node=n1 request=fence window_ms=0 and more",
		"bash -c reboot",
	};
	struct fence_line got;

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(bad); i++)
		assert_int_equal(fence_request_parse(bad[i], &got), -EINVAL);
}

static void answer_is_strict(void **state)
{
	static const char *const bad[] = {
		"",
		"fenced",
		"pg_vrrp 1 cluster=other node=n1 verdict=fenced\n",
		"pg_vrrp 1 cluster=main node=n2 verdict=fenced\n",
		"pg_vrrp 2 cluster=main node=n1 verdict=fenced\n",
		"pg_vrrp 1 cluster=main node=n1 verdict=\n",
		"pg_vrrp 1 cluster=main node=n1 verdict=fenced or not\n",
		"pg_vrrp 1 cluster=main node=n1\nverdict=fenced\n",
		"pg_vrrp 1 cluster=main node=n1 request=fence window_ms=0\n",
		/* Whichever of the two is meant. */
		("pg_vrrp 1 cluster=main node=n1 verdict=fenced\n"
		 "pg_vrrp 1 cluster=main node=n1 verdict=alive\n"),
		("pg_vrrp 1 cluster=main node=n1 verdict=fenced\n"
		 "pg_vrrp 1 cluster=main node=n1 verdict=fenced\n"),
		"pg_vrrp 1 cluster=main node=n1 verdict=a-word-that-is-far-too-long-for-it\n",
	};
	char verdict[16];

	(void)state;
	assert_int_equal(fence_answer_parse("pg_vrrp 1 cluster=main node=n1 verdict=fenced\n",
					    "main", "n1", verdict, sizeof(verdict)),
			 0);
	assert_string_equal(verdict, "fenced");
	for (size_t i = 0; i < ARRAY_COUNT(bad); i++)
		assert_int_equal(fence_answer_parse(bad[i], "main", "n1", verdict, sizeof(verdict)),
				 -EINVAL);
}

/* sshd has a shell run the forced command, and .bashrc is read before it. */
static void answer_is_found_among_what_a_login_prints(void **state)
{
#define LINE "pg_vrrp 1 cluster=main node=n1 verdict=fenced\n"
	static const struct {
		const char *text, *noise;
	} printed[] = {
		{ LINE, "" },
		{ "Welcome to n1\n" LINE, "Welcome to n1" },
		{ "\n\tlast login\nnever\n" LINE "bye\n", " last login" },
		{ "\xc2\x9b"
		  "2J\x1b[2J\x7f" LINE,
		  " 2J [2J " },
		{ "no end of line" LINE, "no end of line" },
		{ LINE "logout\n", "logout" },
		{ "pg_vrrp 1 cluster=main node=n1 request=spare window_ms=0\nhello\n" LINE,
		  "hello" },
		{ "pg_vrrp 1 cluster=other node=n1 verdict=alive\n" LINE, "" },
	};
	char verdict[16], noise[40];

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(printed); i++) {
		assert_int_equal(
		    fence_answer_parse(printed[i].text, "main", "n1", verdict, sizeof(verdict)), 0);
		assert_string_equal(verdict, "fenced");
		fence_answer_noise(printed[i].text, noise, sizeof(noise));
		assert_string_equal(noise, printed[i].noise);
	}
	fence_answer_noise("cut off where it is too long", noise, 8);
	assert_string_equal(noise, "cut off");
#undef LINE
}

/* Only a node's own word decides against the other ways; an observation never outweighs one. */
static void verdict_of_all_ways(void **state)
{
	(void)state;
	for (int a = 0; a < FENCE_VERDICTS; a++) {
		for (int b = 0; b < FENCE_VERDICTS; b++) {
			struct fence fence = { .answers = { (enum fence_verdict)a,
							    (enum fence_verdict)b,
							    FENCE_ISOLATED } };
			enum fence_verdict all = fence_verdict(&fence);

			if (a == FENCE_FENCED || b == FENCE_FENCED)
				assert_int_equal(all, FENCE_FENCED);
			else if (a == FENCE_UNKNOWN && b == FENCE_UNKNOWN)
				assert_int_equal(all, FENCE_ISOLATED);
			else if ((a == FENCE_ALIVE && b == FENCE_UNKNOWN) || b == FENCE_ALIVE)
				assert_int_equal(all, FENCE_ALIVE);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(request_survives_the_way),
		cmocka_unit_test(request_is_strict),
		cmocka_unit_test(answer_is_strict),
		cmocka_unit_test(answer_is_found_among_what_a_login_prints),
		cmocka_unit_test(verdict_of_all_ways),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
