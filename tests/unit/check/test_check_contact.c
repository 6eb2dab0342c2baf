/* SPDX-License-Identifier: PostgreSQL */
/* The knowledge that a standby keeps of its primary (the contact file), and whether that one is
 * held to its lease: the standby asks in each round, and remembers the last answer. */
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

/* Does the part of check_primary on the standby; the system of whose primary that is known. */
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

/* Two rounds at once: the one that asked first writes last. */
static void answer_that_was_overtaken_changes_nothing(void **state)
{
	const struct deadline dl = deadline_in_ms(PATIENCE);
	struct contact later;
	struct contact is;
	struct server local, peer;

	(void)state;
	server_ask(&local, &pgstage.cfg[N2], PG_LOCAL, &dl);
	server_ask(&peer, &pgstage.cfg[N2], PG_PEER, &dl);
	check_leave_contact(&pgstage.cfg[N2], &local, &peer, &dl);
	later = contact_read(&pgstage.cfg[N2]);
	assert_true(later.known);
	assert_true(later.streaming_ms > 0);
	local.asked_ms--;
	peer.asked_ms--;
	peer.write_lsn--;
	check_leave_contact(&pgstage.cfg[N2], &local, &peer, &dl);
	is = contact_read(&pgstage.cfg[N2]);
	assert_memory_equal(&is, &later, sizeof(is));
}

/* Known things stay, with their times; and where nothing was known, nothing is made up. */
static void primary_that_does_not_answer_changes_nothing(void **state)
{
	const struct deadline dl = deadline_in_ms(PATIENCE);
	struct contact before = contact_read(&pgstage.cfg[N2]);
	struct contact is;
	struct server local, peer = { .state = SERVER_UNKNOWN };

	(void)state;
	server_ask(&local, &pgstage.cfg[N2], PG_LOCAL, &dl);
	check_leave_contact(&pgstage.cfg[N2], &local, &peer, &dl);
	is = contact_read(&pgstage.cfg[N2]);
	assert_memory_equal(&is, &before, sizeof(is));
	assert_int_equal(unlink(file_run(&pgstage.cfg[N2], "contact").text), 0);
	check_leave_contact(&pgstage.cfg[N2], &local, &peer, &dl);
	assert_false(contact_read(&pgstage.cfg[N2]).known);
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
		cmocka_unit_test(answer_that_was_overtaken_changes_nothing),
		cmocka_unit_test(primary_that_does_not_answer_changes_nothing),
	};

	return cmocka_run_group_tests(tests, set_up, pgstage_end);
}
