/* SPDX-License-Identifier: PostgreSQL */
/* When a drill may begin, and how long clients had no primary. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "drill/drill_rules.h"
#include "drill/drill_watch.h"

static struct drill_facts good(enum drill_kind kind)
{
	return (struct drill_facts){ .kind = kind, .survived = true, .wanted = FACT_YES };
}

static void expect(struct drill_facts f, const char *rule)
{
	struct verdict verdict;
	const bool goes = drill_decide(&f, &verdict);

	assert_string_equal(verdict.rule, rule);
	assert_int_equal(goes, strcmp(rule, "dry-run") == 0);
}

static void each_has_a_word(void **state)
{
	enum drill_kind kind;

	(void)state;
	for (int i = DRILL_SWITCHOVER; i <= DRILL_ISOLATE; i++) {
		assert_true(drill_parse(drill_word((enum drill_kind)i), &kind));
		assert_int_equal(kind, i);
	}
	assert_false(drill_parse("", &kind));
	assert_false(drill_parse("crashed", &kind));
}

static void every_condition_has_to_hold(void **state)
{
	struct drill_facts f;

	(void)state;
	for (int i = DRILL_SWITCHOVER; i <= DRILL_ISOLATE; i++) {
		const enum drill_kind kind = (enum drill_kind)i;

		expect(good(kind), "dry-run");
		f = good(kind), f.on_standby = true, expect(f, "not-here");
		f = good(kind), f.wanted = FACT_NO, expect(f, "unwanted");
		f = good(kind), f.wanted = FACT_UNKNOWN, expect(f, "unconfirmed");
	}
}

static void commits_are_lost_only_where_that_is_accepted(void **state)
{
	struct drill_facts f;

	(void)state;
	f = good(DRILL_CRASH), f.async = true, expect(f, "may-lose");
	f.may_lose = true, expect(f, "dry-run");
	f = good(DRILL_ISOLATE), f.async = true, expect(f, "may-lose");
	f.may_lose = true, expect(f, "dry-run");
	f = good(DRILL_SWITCHOVER), f.async = true, expect(f, "dry-run");
}

static void fault_has_to_be_survived(void **state)
{
	struct drill_facts f;

	(void)state;
	f = good(DRILL_CRASH), f.survived = false, expect(f, "not-survived");
	f = good(DRILL_ISOLATE), f.survived = false, expect(f, "not-survived");
	f = good(DRILL_ISOLATE), f.powers_off = true, expect(f, "powers-off");
	/* A crashed server's host answers, so nobody has to switch it off. */
	f = good(DRILL_CRASH), f.powers_off = true, expect(f, "dry-run");
}

static void outage_is_from_the_last_answer_to_the_next(void **state)
{
	struct drill_watch watch = { 0 };

	(void)state;
	/* Before anything was answered nobody had lost anything. */
	drill_watch_note(&watch, false, false, 100);
	drill_watch_note(&watch, true, false, 200);
	assert_int_equal(watch.outage_ms, 0);
	drill_watch_note(&watch, true, false, 300);
	drill_watch_note(&watch, false, false, 350);
	drill_watch_note(&watch, false, true, 600);
	assert_true(watch.lost);
	assert_false(watch.elsewhere);
	drill_watch_note(&watch, true, true, 900);
	assert_int_equal(watch.outage_ms, 600);
	assert_false(watch.lost);
	assert_true(watch.elsewhere);
	/* A shorter one is not what is told. */
	drill_watch_note(&watch, false, false, 950);
	drill_watch_note(&watch, true, false, 1000);
	assert_int_equal(watch.outage_ms, 600);
	assert_false(watch.elsewhere);
	/* A long time between two answers is one in which nobody looked. */
	drill_watch_note(&watch, true, false, 9000);
	assert_int_equal(watch.outage_ms, 600);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_has_a_word),
		cmocka_unit_test(every_condition_has_to_hold),
		cmocka_unit_test(commits_are_lost_only_where_that_is_accepted),
		cmocka_unit_test(fault_has_to_be_survived),
		cmocka_unit_test(outage_is_from_the_last_answer_to_the_next),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
