/* SPDX-License-Identifier: PostgreSQL */
/* When a server is told to read its files, over every combination. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

int reload_main(int argc, char **argv);

#define main reload_main
#include "reload.c"
#undef main

/* Only one that answers, and that would take them for certain. */
static void it_is_told_only_where_it_takes_them(void **state)
{
	(void)state;
	for (int n = 0; n < (SERVER_STANDBY + 1) * 3; n++) {
		const struct facts f = { .local = (enum server_state)(n / 3),
					 .ignored = (enum fact)(n % 3) };
		const bool speaks = f.local == SERVER_PRIMARY || f.local == SERVER_STANDBY;
		bool may;
		const struct verdict verdict = decide(&f, &may);

		assert_int_equal(may, speaks && f.ignored == FACT_NO);
		assert_int_equal(verdict.outcome == OUT_YES, may);
		if (speaks && f.ignored == FACT_UNKNOWN)
			assert_int_equal(verdict.outcome, OUT_UNKNOWN);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_told_only_where_it_takes_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
