/* SPDX-License-Identifier: PostgreSQL */
/* The slot that holds WAL for a new copy: used where it is known, done without where it is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/deadline.h"
#include "pidspace.h"
#include "rebuild/rebuild.h"
#include "rejoin_pair.h"

#define SLOT     "pgvrrp_n2"
#define RESERVED "true"

static struct cfg *const n2 = &pair_servers.cfg[1];

/* Asked by n2, of n1. */
static void is_asked(const char *slot)
{
	struct deadline dl = deadline_in_ms(10000);
	struct rebuild_source AUTO_FREE *source = malloc(sizeof(*source));
	char why[200] = "";

	assert_non_null(source);
	if (rebuild_source_ask(source, n2, &dl, why, sizeof(why)) != 0)
		fail_msg("%s", why);
	assert_string_equal(source->slot, slot);
	/* The rest that a copy needs is known whatever became of the slot. */
	assert_true(source->replication);
	assert_true(source->senders > 0);
}

static void the_slot_that_waits_for_it_is_used(void **unused)
{
	(void)unused;
	is_asked("");
	pair_sql(0, "SELECT pg_create_physical_replication_slot('" SLOT "', " RESERVED ")");
	is_asked(SLOT);
	/* Whoever streams with it has it for himself. */
	pair_sql(1, "ALTER SYSTEM SET primary_slot_name = '" SLOT "'");
	pair_sql(1, "SELECT pg_reload_conf()");
	pair_until(0, "SELECT active FROM pg_replication_slots", "t");
	is_asked("");
}

/* The primary does not say which slots it has. */
static void without_an_answer_about_slots_the_copy_is_taken_without(void **unused)
{
	const struct pair_options rebuild = { .rebuild = true };

	(void)unused;
	pair_sql(0, "SELECT pg_create_physical_replication_slot('" SLOT "', " RESERVED ")");
	is_asked(SLOT);
	pair_sql(0, "REVOKE EXECUTE ON FUNCTION pg_get_replication_slots() FROM PUBLIC");
	is_asked("");
	pair_caught_up(0, 1);
	pair_rejoins(n2, &rebuild, OUT_YES, "streaming");
	pair_until(1, "SELECT count(*) FROM t", "1");
	/* Nobody has touched the one that is there. */
	pair_until(0, "SELECT slot_name, active FROM pg_replication_slots", SLOT "|f");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, pair_set_up, pair_tear_down)

static int with_servers(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(the_slot_that_waits_for_it_is_used),
		TEST(without_an_answer_about_slots_the_copy_is_taken_without),
	};

	if (pgfixture_network() < 0)
		return 1;
	return cmocka_run_group_tests(tests, pair_make, pair_remove);
}

int main(void)
{
	return pgfixture_possible() ? pidspace_run(with_servers) : 0;
}
