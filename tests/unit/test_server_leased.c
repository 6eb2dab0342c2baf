/* SPDX-License-Identifier: PostgreSQL */
/* Is the primary held to its lease?  The standby asks it in each round, and remembers the last
 * answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "check/check_leave.h"
#include "node/contact.h"
#include "node/leased.h"
#include "node/path.h"
#include "pgstage.h"
#include "postgres/pgdata.h"
#include "postgres/server_leased.h"

#define PATIENCE 5000
#define N1       0
#define N2       1

static const char revoke_sql[] =
    "REVOKE EXECUTE ON FUNCTION pg_stat_file(text, boolean) FROM pgvrrp";
static const char grant_sql[] = "GRANT EXECUTE ON FUNCTION pg_stat_file(text, boolean) TO pgvrrp";

static enum fact asked(void)
{
	const struct deadline dl = deadline_in_ms(PATIENCE);

	return server_leased(&pgstage.cfg[N2], PG_PEER, &dl);
}

/* What check_primary does on the standby; the system of whose primary that is known. */
static uint64_t left(void)
{
	const struct deadline dl = deadline_in_ms(PATIENCE);
	struct server local, peer;

	server_ask(&local, &pgstage.cfg[N2], PG_LOCAL, &dl);
	server_ask(&peer, &pgstage.cfg[N2], PG_PEER, &dl);
	assert_int_equal(local.state, SERVER_STANDBY);
	assert_int_equal(peer.state, SERVER_PRIMARY);
	check_leave_contact(&pgstage.cfg[N2], &local, &peer, &dl);
	return contact_read(&pgstage.cfg[N2]).leased_system;
}

static void take_away(void)
{
	assert_int_equal(unlink(file_data(&pgstage.cfg[N1], LEASED_DATA).text), 0);
}

static void only_the_mark_of_the_primary_itself_is_a_yes(void **state)
{
	uint64_t system;

	(void)state;
	assert_int_equal(pgdata_system(&pgstage.cfg[N1], &system), 0);
	assert_int_equal(asked(), FACT_NO);
	assert_true(left() == 0);
	/* Its own says nothing of its primary. */
	assert_int_equal(leased_write_data(&pgstage.cfg[N2], system), 0);
	assert_int_equal(asked(), FACT_NO);
	assert_true(left() == 0);
	assert_int_equal(leased_write_data(&pgstage.cfg[N1], system), 0);
	assert_int_equal(asked(), FACT_YES);
	assert_true(left() == system);
	/* Another directory may not have it. */
	take_away();
	assert_int_equal(asked(), FACT_NO);
	assert_true(left() == 0);
}

static void who_may_not_ask_does_not_know(void **state)
{
	(void)state;
	assert_int_equal(leased_write_data(&pgstage.cfg[N1], 1), 0);
	assert_int_equal(pgfixture_sql(&pgstage, N1, revoke_sql, NULL, 0), 0);
	assert_int_equal(asked(), FACT_UNKNOWN);
	assert_int_equal(pgfixture_sql(&pgstage, N1, grant_sql, NULL, 0), 0);
	assert_int_equal(asked(), FACT_YES);
	take_away();
}

static int set_up(void **state)
{
	return pgstage_pair(state) < 0 ? -1 : files_prepare(&pgstage.cfg[N2]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_the_mark_of_the_primary_itself_is_a_yes),
		cmocka_unit_test(who_may_not_ask_does_not_know),
	};

	return cmocka_run_group_tests(tests, set_up, pgstage_end);
}
