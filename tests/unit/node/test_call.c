/* SPDX-License-Identifier: PostgreSQL */
/* How one program calls another one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/auto.h"
#include "node/call.h"

static struct cfg config(void)
{
	struct cfg cfg = { .self = 1 };

	(void)snprintf(cfg.libexec_dir, sizeof(cfg.libexec_dir), "/opt/pgv");
	(void)snprintf(cfg.path, sizeof(cfg.path), "/etc/pg_vrrp/main.ini");
	(void)snprintf(cfg.nodes[1].name, sizeof(cfg.nodes[1].name), "n2");
	return cfg;
}

static void expect(const struct call *call, const char *const *words)
{
	size_t i;

	for (i = 0; words[i] != NULL; i++)
		assert_string_equal(call->argv[i], words[i]);
	assert_null(call->argv[i]);
}

static void it_is_for_the_same_cluster_and_node(void **state)
{
	const char *const words[] = { "--auto", NULL, "--never" };
	const struct cfg cfg = config();
	struct call call;

	(void)state;
	call_make(&call, &cfg, "rejoin", words);
	expect(&call, (const char *[]){ "/opt/pgv/rejoin", "-c", "/etc/pg_vrrp/main.ini", "-n",
					"n2", "--auto", NULL });
}

static void it_ends_after_as_many_words_as_there_is_room_for(void **state)
{
	const char *const words[CALL_WORDS + 1] = { "1", "2", "3", "4", "5", "6", "7" };
	const struct cfg cfg = config();
	struct call call;

	(void)state;
	call_make(&call, &cfg, "rejoin", words);
	assert_string_equal(call.argv[4 + CALL_WORDS], "6");
	assert_null(call.argv[5 + CALL_WORDS]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_for_the_same_cluster_and_node),
		cmocka_unit_test(it_ends_after_as_many_words_as_there_is_room_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
