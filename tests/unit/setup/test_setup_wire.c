/* SPDX-License-Identifier: PostgreSQL */
/* The lines in which a node tells of itself arrive as they were, or are not known. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "setup/setup_generated.h"
#include "setup/setup_host.h"

static struct setup_host healthy(void)
{
	return (struct setup_host){ .known = true,
				    .version = "1.0",
				    .digest = "00ff",
				    .keepalived = "2.2.7",
				    .generated = FACT_YES,
				    .scripts = FACT_YES,
				    .guard = FACT_YES,
				    .one_boot = FACT_YES,
				    .called = FACT_YES,
				    .gate = FACT_YES,
				    .free_bytes = INT64_C(1) << 40,
				    .could_fence = FACT_YES,
				    .could_return = FACT_YES };
}

static char *printed(const struct setup_host *host, const char *before)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	(void)fputs(before, out);
	setup_host_print(host, out);
	(void)fputs("pg_vrrp 1 cluster=main node=n1 verdict=ready\n", out);
	assert_int_equal(fclose(out), 0);
	return text;
}

static void test_what_a_node_tells_arrives(void **state)
{
	char AUTO_FREE *text = NULL;
	struct setup_host host, there;

	(void)state;
	host = healthy();
	(void)snprintf(host.scripts_why, SETUP_WHY_MAX, "/opt: a=b\nsetup guard=yes");
	host.guard = FACT_NO;
	host.gate = FACT_UNKNOWN;
	text = printed(&host, "Welcome\n");
	assert_int_equal(setup_host_parse(&there, text), 0);
	assert_true(there.known);
	assert_string_equal(there.version, "1.0");
	assert_string_equal(there.scripts_why, "/opt: a=b setup guard=yes");
	assert_int_equal(there.guard, FACT_NO);
	assert_int_equal(there.gate, FACT_UNKNOWN);
	assert_int_equal(there.free_bytes, INT64_C(1) << 40);
}

static void test_garbage_is_not_known(void **state)
{
	static const char *const bad[] = {
		"",
		"setup version=1\n",
		"setup guard=yes\nsetup guard=no\n",
		"setup \n",
	};
	struct setup_host there;

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
		assert_int_equal(setup_host_parse(&there, bad[i]), -EINVAL);
		assert_false(there.known);
	}
	for (size_t cut = 1; cut < 20; cut++) {
		const struct setup_host host = healthy();
		char AUTO_FREE *text = printed(&host, "");

		/* Beginning with the last line of ours. */
		*(strstr(text, "pg_vrrp 1") - cut) = '\0';
		assert_int_equal(setup_host_parse(&there, text), -EINVAL);
	}
}

static void test_digest_of_what_counts(void **state)
{
	(void)state;
	assert_int_equal(setup_digest("a = 1\nb = 2\n"),
			 setup_digest("# why\n\n  a = 1  # so\r\nb = 2"));
	assert_int_not_equal(setup_digest("a = 1\n"), setup_digest("a = 2\n"));
	assert_int_not_equal(setup_digest("a = 1\nb = 2\n"), setup_digest("a = 1b = 2\n"));
	assert_int_not_equal(setup_digest("a = x#1\n"), setup_digest("a = x#2\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_a_node_tells_arrives),
		cmocka_unit_test(test_garbage_is_not_known),
		cmocka_unit_test(test_digest_of_what_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
