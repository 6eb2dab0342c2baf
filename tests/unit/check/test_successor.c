/* SPDX-License-Identifier: PostgreSQL */
/* Would anybody take over?  Over every combination of the facts: a yes only where
 * somebody would. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "check/successor.h"

#define COMBINATIONS (6 * 81 * RECORD_TRUSTS * 16)

static struct successor_facts combination(int n)
{
	struct successor_facts f = { .local = (enum server_state)(n % 6) };

	n /= 6;
	f.follows = (enum fact)(n % 3);
	f.streams = (enum fact)(n / 3 % 3);
	f.replays = (enum fact)(n / 9 % 3);
	f.rights = (enum fact)(n / 27 % 3);
	n /= 81;
	f.trust = (enum record_trust)(n % RECORD_TRUSTS);
	n /= RECORD_TRUSTS;
	f.keeps_record = n & 1;
	f.holder = n & 2;
	f.paired = n & 4;
	f.paused = n & 8;
	return f;
}

/* Where a primary runs, its end is somebody's beginning: the one who holds the term, or the standby
 * that has everything, may do it, and is let. */
static bool somebody_would(const struct successor_facts *f)
{
	bool row = f->keeps_record && f->trust == RECORD_GOOD;
	bool theirs = row && !f->holder;
	bool may = !f->keeps_record || (row && f->paired && !f->paused);

	return theirs || (may && f->follows == FACT_YES && f->streams == FACT_YES &&
			  f->replays == FACT_YES && f->rights == FACT_YES);
}

static enum outcome expected(const struct successor_facts *f)
{
	struct successor_facts known;

	if (f->local == SERVER_DOWN || f->local == SERVER_STANDBY)
		return OUT_YES;
	if (f->local != SERVER_PRIMARY)
		return OUT_UNKNOWN;
	if (somebody_would(f))
		return OUT_YES;
	/* Where nothing but the rights is missing, and they could not be asked. */
	known = *f;
	known.rights = FACT_YES;
	return f->rights == FACT_UNKNOWN && somebody_would(&known) ? OUT_UNKNOWN : OUT_NO;
}

static void yes_exactly_where_somebody_would(void **unused)
{
	(void)unused;
	for (int n = 0; n < COMBINATIONS; n++) {
		struct successor_facts f = combination(n);
		struct verdict verdict = successor_decide(&f);

		if (verdict.outcome != expected(&f))
			print_error("combination %d: %s\n", n, verdict.rule);
		assert_int_equal(verdict.outcome, expected(&f));
	}
}

static void nothing_known_is_no_yes(void **unused)
{
	const struct successor_facts nothing = { .local = SERVER_PRIMARY };

	(void)unused;
	assert_int_equal(successor_decide(&nothing).outcome, OUT_NO);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(yes_exactly_where_somebody_would),
		cmocka_unit_test(nothing_known_is_no_yes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
