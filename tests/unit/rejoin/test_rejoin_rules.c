/* SPDX-License-Identifier: PostgreSQL */
/* The rules of rejoin over every combination of their facts, and what may never come of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/auto.h"
#include "rejoin/rejoin_right.h"
#include "rejoin/rejoin_rules.h"
#include "rejoin_asserts.h"

static void print_facts(const struct rejoin_facts *f)
{
	print_error(
	    "local %d form %d version %d control %d clean %d can_rewind %d fenced %d "
	    "rewinding %d rewound %d pausing %d lease %d promoting %d\n"
	    "withdrawn %d follows %d streaming %d paused %d peer %d same %d "
	    "peer_withdrawn %d votes %d ahead %d past %d no_resume %d operator %d\n"
	    "right %d fenced by %d lift %d record %d to be promoted %d watchdog missing %d\n"
	    "undoable %d spent %d swapping %d wal_gone %d copy: pausing %d spent %d "
	    "by itself %d by hand %d discard %d\n",
	    f->local, f->form, f->right_version, f->control, f->clean, f->can_rewind, f->fenced,
	    f->rewinding, f->rewound, f->pausing, f->lease_runs, f->promoting, f->withdrawn,
	    f->follows, f->streaming, f->replay_paused, f->peer, f->same_system, f->peer_withdrawn,
	    f->peer_votes, f->peer_ahead, f->past, f->no_resume, f->peer_down_by_operator, f->right,
	    f->fenced_by, f->lift, f->keeps_record, f->to_be_promoted, f->watchdog_missing,
	    f->undoable, f->rewind_spent, f->swapping, f->wal_gone, f->copy_pausing, f->copy_spent,
	    f->copy_by_itself, f->copy_by_hand, f->discard);
}

static uint64_t steps_seen[STEPS];

static void check(const struct rejoin_facts *f)
{
	struct verdict verdict;
	enum rejoin_step step = rejoin_decide(f, &verdict);

	steps_seen[step]++;
	/* And it is started where it may be: two nodes that both stay down serve nobody. */
	if (rejoin_may_do(f, step) && rejoin_says_rightly(f, step, &verdict) &&
	    (step == STEP_RESUME || !rejoin_may_start_as_primary(f)))
		return;
	print_error("rule %s, step %d\n", verdict.rule, step);
	print_facts(f);
	fail();
}

/* ---- every combination ---- */

/* One digit of the odometer that runs through all combinations. */
struct digit {
	size_t offset;
	size_t size;
	int first;
	int values;
};
#define RANGE(field, first, values)                                             \
	{                                                                       \
		offsetof(struct rejoin_facts, field),                           \
		    sizeof(((struct rejoin_facts *)NULL)->field), first, values \
	}
#define DIGIT(field, values) RANGE(field, 0, values)
#define FACT(field)          DIGIT(field, 3)
#define KNOWN(field)         RANGE(field, FACT_NO, 2)

static void set_digit(struct rejoin_facts *f, const struct digit *digit, int step)
{
	int value = digit->first + step;
	unsigned char *at = (unsigned char *)f + digit->offset;

	if (digit->size == sizeof(int))
		memcpy(at, &value, sizeof(int));
	else
		*at = (unsigned char)value;
}

static uint64_t run_through(struct rejoin_facts f, const struct digit *digits, size_t count)
{
	int values[40] = { 0 };
	uint64_t tried = 0;
	size_t i;

	assert_true(count <= ARRAY_COUNT(values));
	for (i = 0; i < count; i++)
		set_digit(&f, &digits[i], 0);
	do {
		check(&f);
		tried++;
		for (i = 0; i < count; i++) {
			values[i] = values[i] + 1 == digits[i].values ? 0 : values[i] + 1;
			set_digit(&f, &digits[i], values[i]);
			if (values[i] != 0)
				break;
		}
	} while (i < count);
	return tried;
}

static const struct digit all_digits[] = {
	DIGIT(local, LOCALS),
	DIGIT(form, PGDATA_PRIMARY + 1),
	FACT(right_version),
	FACT(control),
	FACT(clean),
	FACT(can_rewind),
	FACT(fenced),
	FACT(rewinding),
	FACT(rewound),
	FACT(pausing),
	FACT(undoable),
	FACT(lease_runs),
	FACT(promoting),
	FACT(withdrawn),
	FACT(follows),
	FACT(streaming),
	FACT(replay_paused),
	FACT(target),
	DIGIT(peer, SERVER_STANDBY + 1),
	FACT(same_system),
	FACT(peer_withdrawn),
	FACT(peer_votes),
	FACT(peer_ahead),
	DIGIT(past, PASTS),
	DIGIT(no_resume, 2),
	DIGIT(peer_down_by_operator, 2),
	DIGIT(fenced_by, FENCED_BY_PEER + 1),
	DIGIT(keeps_record, 2),
	DIGIT(to_be_promoted, 2),
	DIGIT(lift, 2),
	DIGIT(watchdog_missing, 2),
	DIGIT(right, RIGHTS),
	FACT(rewind_spent),
	FACT(swapping),
	FACT(wal_gone),
	FACT(copy_pausing),
	FACT(copy_spent),
	DIGIT(copy_by_itself, 2),
	DIGIT(copy_by_hand, 2),
	DIGIT(discard, 2),
};

/* A server that is down, in a directory that is one: all that the second half of the rules sees. */
static void down_holds_for_every_combination(void **unused)
{
	static const struct digit digits[] = {
		KNOWN(clean),
		KNOWN(can_rewind),
		KNOWN(rewound),
		KNOWN(undoable),
		KNOWN(pausing),
		FACT(fenced),
		FACT(rewinding),
		FACT(lease_runs),
		DIGIT(peer, SERVER_STANDBY + 1),
		FACT(same_system),
		FACT(peer_withdrawn),
		FACT(peer_votes),
		FACT(peer_ahead),
		DIGIT(past, PASTS),
		DIGIT(no_resume, 2),
		DIGIT(peer_down_by_operator, 2),
		RANGE(fenced_by, FENCED_BY_GUARD, 2),
	};
	struct rejoin_facts f = { .local = LOCAL_DOWN,
				  .right_version = FACT_YES,
				  .control = FACT_YES };
	uint64_t tried = 0;

	(void)unused;
	f.form = PGDATA_PRIMARY;
	tried += run_through(f, digits, ARRAY_COUNT(digits));
	f.form = PGDATA_STANDBY;
	tried += run_through(f, digits, ARRAY_COUNT(digits));
	assert_int_equal(tried, 2 * 32 * 8 * 6 * PASTS * 2187);
}

/*
 * The same with the record, which is asked for a primary's directory only.  What pg_rewind left and
 * needs says nothing new here: it is run beside a primary, where nothing else starts, and what it
 * left half-way is one fact.
 */
static void down_holds_whatever_the_record_says(void **unused)
{
	static const struct digit digits[] = {
		FACT(fenced),
		FACT(rewinding),
		FACT(lease_runs),
		DIGIT(peer, SERVER_STANDBY + 1),
		FACT(same_system),
		FACT(peer_withdrawn),
		FACT(peer_votes),
		FACT(peer_ahead),
		DIGIT(past, PASTS),
		DIGIT(no_resume, 2),
		DIGIT(peer_down_by_operator, 2),
		DIGIT(fenced_by, FENCED_BY_PEER + 1),
		DIGIT(lift, 2),
		DIGIT(watchdog_missing, 2),
		DIGIT(right, RIGHTS),
	};
	struct rejoin_facts f = { .local = LOCAL_DOWN,
				  .form = PGDATA_PRIMARY,
				  .right_version = FACT_YES,
				  .control = FACT_YES,
				  .clean = FACT_NO,
				  .can_rewind = FACT_YES,
				  .rewound = FACT_NO,
				  .undoable = FACT_NO,
				  .pausing = FACT_NO };

	(void)unused;
	assert_int_equal(run_through(f, digits, ARRAY_COUNT(digits)),
			 64 * 6 * PASTS * RIGHTS * 2187);
}

/* Beside a primary: all that a new copy depends on. */
static void a_new_copy_holds_for_every_combination(void **unused)
{
	static const struct digit digits[] = {
		DIGIT(form, PGDATA_PRIMARY + 1),
		KNOWN(can_rewind),
		KNOWN(undoable),
		KNOWN(rewound),
		FACT(rewinding),
		FACT(same_system),
		KNOWN(rewind_spent),
		KNOWN(copy_pausing),
		KNOWN(copy_spent),
		KNOWN(wal_gone),
		KNOWN(control),
		KNOWN(swapping),
		DIGIT(past, PASTS),
		DIGIT(right, RIGHTS),
		DIGIT(copy_by_itself, 2),
		DIGIT(copy_by_hand, 2),
		DIGIT(discard, 2),
	};
	struct rejoin_facts f = { .local = LOCAL_DOWN,
				  .right_version = FACT_YES,
				  .clean = FACT_YES,
				  .fenced = FACT_YES,
				  .promoting = FACT_NO,
				  .follows = FACT_YES,
				  .withdrawn = FACT_NO,
				  .streaming = FACT_NO,
				  .peer = SERVER_PRIMARY };
	uint64_t all = UINT64_C(5) * 4096 * 9 * PASTS * RIGHTS, tried;

	(void)unused;
	tried = run_through(f, digits, ARRAY_COUNT(digits));
	f.local = LOCAL_STANDBY;
	tried += run_through(f, digits, ARRAY_COUNT(digits));
	assert_int_equal(tried, 2 * all);
}

/* The mark is asked for once more just before the start, as it is then. */
static void a_mark_gives_way_to_whoever_knows_better(void **unused)
{
	(void)unused;
	for (int n = 0; n < RIGHTS * 3 * 2 * 4; n++) {
		struct rejoin_facts f = { .right = (enum rejoin_right)(n / 24),
					  .peer_votes = (enum fact)(n / 8 % 3),
					  .lift = n & 4,
					  .lease_runs = FACT_YES };
		enum fenced_by by = (enum fenced_by)(n % 4);

		assert_int_equal(rejoin_mark_answered(&f, by), rejoin_fence_is_answered(&f, by));
	}
}

static void running_holds_for_every_combination(void **unused)
{
	static const struct digit digits[] = {
		DIGIT(local, LOCALS), FACT(control),     FACT(fenced),
		FACT(rewinding),      FACT(can_rewind),  FACT(promoting),
		FACT(withdrawn),      FACT(follows),     FACT(streaming),
		FACT(replay_paused),  FACT(same_system), DIGIT(peer, SERVER_STANDBY + 1),
		DIGIT(past, PASTS),
	};
	struct rejoin_facts f = { .form = PGDATA_STANDBY, .right_version = FACT_YES };

	(void)unused;
	assert_int_equal(run_through(f, digits, ARRAY_COUNT(digits)), LOCALS * 6 * 6 * 59049);
}

/* A standby that was fenced, and what a person's word does about it. */
static void a_running_standby_is_lifted_for_every_combination(void **unused)
{
	static const struct digit digits[] = {
		FACT(fenced),
		FACT(promoting),
		FACT(withdrawn),
		FACT(follows),
		FACT(streaming),
		DIGIT(peer, SERVER_STANDBY + 1),
		DIGIT(fenced_by, FENCED_BY_PEER + 1),
		DIGIT(keeps_record, 2),
		DIGIT(to_be_promoted, 2),
		DIGIT(lift, 2),
		DIGIT(peer_down_by_operator, 2),
	};
	struct rejoin_facts f = { .local = LOCAL_STANDBY,
				  .form = PGDATA_STANDBY,
				  .right_version = FACT_YES };

	(void)unused;
	assert_int_equal(run_through(f, digits, ARRAY_COUNT(digits)), 243 * 6 * 4 * 16);
}

/* All facts together are too many; these are as good as any. */
static void anything_holds_for_many_combinations(void **unused)
{
	uint64_t random = 88172645463325252ULL;
	struct rejoin_facts f = { 0 };

	(void)unused;
	for (int i = 0; i < 3000000; i++) {
		for (size_t digit = 0; digit < ARRAY_COUNT(all_digits); digit++) {
			random ^= random << 13; /* xorshift64, Marsaglia 2003 */
			random ^= random >> 7;
			random ^= random << 17;
			set_digit(&f, &all_digits[digit],
				  (int)(random >> 33) % all_digits[digit].values);
		}
		check(&f);
	}
	for (int step = 0; step < STEPS; step++)
		assert_true(steps_seen[step] > 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(down_holds_for_every_combination),
		cmocka_unit_test(down_holds_whatever_the_record_says),
		cmocka_unit_test(a_new_copy_holds_for_every_combination),
		cmocka_unit_test(a_mark_gives_way_to_whoever_knows_better),
		cmocka_unit_test(running_holds_for_every_combination),
		cmocka_unit_test(a_running_standby_is_lifted_for_every_combination),
		cmocka_unit_test(anything_holds_for_many_combinations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
