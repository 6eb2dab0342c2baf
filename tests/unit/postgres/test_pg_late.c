/* SPDX-License-Identifier: PostgreSQL */
/* A connection that a busy server does not answer within one deadline is waited for in the next. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>

#include "base/auto.h"
#include "base/deadline.h"
#include "pgstage.h"
#include "postgres/pg.h"

#define PATIENCE 3000
#define N1       0
#define N2       1
/* Sessions of the role of the helpers on a server. */
#define SESSIONS                                                         \
	"SELECT count(*) FROM pg_stat_activity WHERE usename = 'pgvrrp'" \
	" AND backend_type = 'client backend'"

static int keeping(void **state)
{
	(void)state;
	pg_keep();
	return 0;
}

static int keeping_no_more(void **state)
{
	(void)state;
	pg_keep_end();
	return 0;
}

static enum pg_failure borrowed(struct pg **pg, enum pg_where where, int64_t ms)
{
	const struct deadline dl = deadline_in_ms(ms);
	enum pg_failure failure;
	char why[160];

	return pg_borrow(pg, &pgstage.cfg[N1], where, &dl, &failure, why, sizeof(why)) == 0
		   ? PG_FAIL_NONE
		   : failure;
}

/* Each of these is too short for the server; the one connection that was begun is long enough. */
static void one_that_comes_too_late_is_waited_for(void **state)
{
	const enum pg_where places[] = { PG_LOCAL, PG_PEER };
	char count[8];

	(void)state;
	for (size_t node = N1; node <= N2; node++) {
		struct pg AUTO_PG *pg = NULL;

		assert_int_equal(kill(pgstage.postmaster[node], SIGSTOP), 0);
		for (int i = 0; i < 3; i++)
			assert_int_equal(borrowed(&pg, places[node], 50), PG_FAIL_LATE);
		assert_null(pg);
		assert_int_equal(kill(pgstage.postmaster[node], SIGCONT), 0);
		assert_int_equal(borrowed(&pg, places[node], PATIENCE), PG_FAIL_NONE);
		assert_true(pg_was_kept(pg));
		pg_return(&pg);
		assert_int_equal(pgfixture_sql(&pgstage, node, SESSIONS, count, sizeof(count)), 0);
		assert_string_equal(count, "1");
	}
}

static void one_that_comes_too_late_may_never_come(void **state)
{
	struct pg AUTO_PG *pg = NULL;

	(void)state;
	assert_int_equal(kill(pgstage.postmaster[N2], SIGSTOP), 0);
	assert_int_equal(borrowed(&pg, PG_PEER, 50), PG_FAIL_LATE);
	assert_int_equal(pgfixture_stop(&pgstage, N2, SIGKILL), 0);
	assert_int_equal(borrowed(&pg, PG_PEER, PATIENCE), PG_FAIL_REFUSED);
	assert_int_equal(pgfixture_start(&pgstage, N2, true), 0);
	assert_int_equal(borrowed(&pg, PG_PEER, PATIENCE), PG_FAIL_NONE);
	assert_false(pg_was_kept(pg));
}

static void who_asks_once_does_not_wait_for_it(void **state)
{
	struct pg AUTO_PG *pg = NULL;

	(void)state;
	assert_int_equal(kill(pgstage.postmaster[N2], SIGSTOP), 0);
	assert_int_equal(borrowed(&pg, PG_PEER, 50), PG_FAIL_LATE);
	assert_int_equal(kill(pgstage.postmaster[N2], SIGCONT), 0);
	assert_int_equal(borrowed(&pg, PG_PEER, PATIENCE), PG_FAIL_NONE);
	assert_false(pg_was_kept(pg));
}

#define KEEPING(test) cmocka_unit_test_setup_teardown(test, keeping, keeping_no_more)

int main(void)
{
	const struct CMUnitTest tests[] = {
		KEEPING(one_that_comes_too_late_is_waited_for),
		KEEPING(one_that_comes_too_late_may_never_come),
		cmocka_unit_test(who_asks_once_does_not_wait_for_it),
	};

	return cmocka_run_group_tests(tests, pgstage_pair, pgstage_end);
}
