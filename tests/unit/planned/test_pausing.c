/* SPDX-License-Identifier: PostgreSQL */
/* The right to pause takeovers, over all combinations; and the promise of a node, in its file. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/deadline.h"
#include "base/state.h"
#include "node/path.h"
#include "nodefiles.h"
#include "planned/pausing.h"
#include <stdio.h>

/* ---- the rules ---- */

#define COMBINATIONS  (2 * 2 * RECORD_TRUSTS * 2 * 3 * SERVER_STATES)
#define SERVER_STATES (SERVER_STANDBY + 1)

static struct pausing_facts combination(unsigned n)
{
	struct pausing_facts f;

	f.resume = n % 2;
	f.keeps_record = n / 2 % 2;
	f.trust = (enum record_trust)(n / 4 % RECORD_TRUSTS);
	n /= 4 * RECORD_TRUSTS;
	f.without_end = n % 2;
	f.runs = (enum fact)(n / 2 % 3);
	f.local = (enum server_state)(n / 6 % SERVER_STATES);
	return f;
}

/* A row that can be trusted and a pause that can be read; or the node that would take over. */
static bool may_write(const struct pausing_facts *f)
{
	if (f->keeps_record)
		return f->trust == RECORD_GOOD && f->runs != FACT_UNKNOWN &&
		       (!f->resume || f->runs == FACT_YES || f->without_end);
	if (f->resume)
		return f->runs != FACT_NO;
	return f->local == SERVER_STANDBY;
}

static void writes_exactly_where_it_would_hold(void **state)
{
	unsigned writes = 0;

	(void)state;
	for (unsigned n = 0; n < COMBINATIONS; n++) {
		const struct pausing_facts f = combination(n);
		struct verdict verdict;
		const bool does = pausing_decide(&f, &verdict) == PAUSING_WRITE;

		if (does != may_write(&f))
			fail_msg("combination %u: rule %s", n, verdict.rule);
		/* The words "nothing is paused" are only for what was read. */
		if (!does && verdict.outcome == OUT_YES)
			assert_true(f.resume && f.runs == FACT_NO &&
				    (f.keeps_record || f.local == SERVER_STANDBY));
		writes += does;
	}
	assert_in_range(writes, 1, COMBINATIONS - 1);
}

/* ---- the file ---- */

static const struct pause half_an_hour = { .left_ms = 1800000,
					   .by = "alice on n2",
					   .why = "kernel\nupdate" };

static void promise_is_kept_and_ends(void **state)
{
	struct pause pause = half_an_hour;
	char words[256];

	(void)state;
	assert_int_equal(pause_read(&nodefiles_cfg).runs, FACT_NO);
	assert_int_equal(pause_write(&nodefiles_cfg, &pause), 0);
	pause = pause_read(&nodefiles_cfg);
	assert_int_equal(pause.runs, FACT_YES);
	assert_in_range(pause.left_ms, 1, 1800000);
	pause_words(&pause, words, sizeof(words));
	assert_string_equal(words, "30 min left, by alice on n2: kernel update");
	pause.left_ms = 1;
	assert_int_equal(pause_write(&nodefiles_cfg, &pause), 0);
	while (pause_read(&nodefiles_cfg).runs == FACT_YES)
		;
	assert_int_equal(pause_read(&nodefiles_cfg).runs, FACT_NO);
	assert_int_equal(pause_clear(&nodefiles_cfg), 0);
	assert_int_equal(pause_clear(&nodefiles_cfg), 0);
}

static void what_cannot_be_read_may_be_a_pause(void **state)
{
	static const char *const garbage[] = { "", "until_ms=1\n", "boot=x\nuntil_ms=1\n" };

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(garbage); i++) {
		nodefiles_put(file_state(&nodefiles_cfg, "paused"), garbage[i]);
		assert_int_equal(pause_read(&nodefiles_cfg).runs, FACT_UNKNOWN);
	}
	assert_int_equal(pause_clear(&nodefiles_cfg), 0);
	assert_int_equal(pause_read(&nodefiles_cfg).runs, FACT_NO);
}

/* Nobody knows how long the host was off, so it counts from the beginning of this boot. */
static void another_boot_begins_anew(void **state)
{
	char text[STATE_TEXT_MAX];

	(void)state;
	(void)snprintf(text, sizeof(text),
		       "boot=of-another-boot\nuntil_ms=1\nlength_ms=%" PRId64 "\nby=b\nwhy=\n",
		       now_ms() + 60000);
	nodefiles_put(file_state(&nodefiles_cfg, "paused"), text);
	if (now_ms() + 60000 <= PAUSE_MAX_MS)
		assert_int_equal(pause_read(&nodefiles_cfg).runs, FACT_YES);
	(void)snprintf(text, sizeof(text),
		       "boot=of-another-boot\nuntil_ms=1\nlength_ms=1\nby=b\nwhy=\n");
	nodefiles_put(file_state(&nodefiles_cfg, "paused"), text);
	assert_int_equal(pause_read(&nodefiles_cfg).runs, FACT_NO);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_exactly_where_it_would_hold),
		cmocka_unit_test_setup_teardown(promise_is_kept_and_ends, nodefiles_set_up,
						nodefiles_tear_down),
		cmocka_unit_test_setup_teardown(what_cannot_be_read_may_be_a_pause,
						nodefiles_set_up, nodefiles_tear_down),
		cmocka_unit_test_setup_teardown(another_boot_begins_anew, nodefiles_set_up,
						nodefiles_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
