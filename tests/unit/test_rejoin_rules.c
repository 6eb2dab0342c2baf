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

/* ---- what must hold for every combination ---- */

static bool holds_term(const struct rejoin_facts *f)
{
	return f->right == RIGHT_OURS || f->right == RIGHT_OURS_SOLO;
}

/* Somebody who can know said that nobody else serves: the record, or the standby where there is
 * none, or the lease that this node never lost and nobody else keeps count of. */
static bool is_entitled(const struct rejoin_facts *f)
{
	bool unheard = f->right == RIGHT_UNUSED || f->right == RIGHT_UNWRITTEN;

	return holds_term(f) || (unheard && f->peer_votes == FACT_YES) ||
	       (f->right == RIGHT_UNUSED && f->lease_runs == FACT_YES);
}

/* A person's word about the other host, where no record speaks against it. */
static bool has_a_word(const struct rejoin_facts *f)
{
	return f->peer_down_by_operator && !f->no_resume &&
	       (f->peer == SERVER_UNKNOWN || f->peer == SERVER_DOWN) &&
	       (holds_term(f) || f->right == RIGHT_UNUSED || f->right == RIGHT_UNWRITTEN);
}

/*
 * The guard's mark says that somebody else might serve by now: whoever knows better answers it, but
 * not the lease.  The other node's mark says that it was about to take over: only a record by which
 * it may not answers it.  A person's is answered by a person.
 */
static bool fence_is_answered(const struct rejoin_facts *f, bool by_guard, bool by_peer)
{
	bool unheard = f->right == RIGHT_UNUSED || f->right == RIGHT_UNWRITTEN;

	return (by_guard && (holds_term(f) || (unheard && f->peer_votes == FACT_YES))) ||
	       (by_peer && f->right == RIGHT_OURS_SOLO);
}

static bool may_start_as_primary(const struct rejoin_facts *f)
{
	bool alone = f->right == RIGHT_OURS_SOLO;
	bool fence =
	    f->fenced == FACT_NO ||
	    (f->fenced == FACT_YES &&
	     (has_a_word(f) || fence_is_answered(f, f->fenced_by_guard, f->fenced_by_peer)));
	bool directory = f->local == LOCAL_DOWN && f->form == PGDATA_PRIMARY &&
			 f->right_version == FACT_YES && f->control == FACT_YES &&
			 f->rewinding == FACT_NO;
	bool history = f->same_system != FACT_NO && f->peer != SERVER_PRIMARY &&
		       f->peer_ahead != FACT_YES && f->past != PAST_DIVERGED &&
		       f->past != PAST_UNRELATED;
	/* A standby that may take over, and is about to, or is given the time to. */
	bool others_turn = !alone && (f->peer_withdrawn == FACT_YES || f->no_resume);

	return directory && fence && history && !others_turn && (is_entitled(f) || has_a_word(f));
}

static bool may_rewind(const struct rejoin_facts *f)
{
	return (f->local == LOCAL_DOWN || f->local == LOCAL_STANDBY) &&
	       f->form != PGDATA_RECOVERY && f->right_version == FACT_YES &&
	       f->control == FACT_YES && f->peer == SERVER_PRIMARY && f->same_system == FACT_YES &&
	       f->past == PAST_DIVERGED && f->can_rewind == FACT_YES && f->pausing != FACT_YES &&
	       f->rewinding != FACT_UNKNOWN &&
	       (f->local != LOCAL_STANDBY || f->streaming != FACT_YES);
}

static bool may_do(const struct rejoin_facts *f, enum rejoin_step step)
{
	bool down = f->local == LOCAL_DOWN && f->right_version == FACT_YES;

	switch (step) {
	case STEP_RESUME:
		return may_start_as_primary(f);
	case STEP_REWIND:
		return may_rewind(f);
	case STEP_START:
		return down && f->form == PGDATA_STANDBY && f->rewinding == FACT_NO;
	case STEP_FOLLOW:
		return down && f->rewinding == FACT_NO && f->peer == SERVER_PRIMARY &&
		       f->same_system == FACT_YES && f->past == PAST_SHARED;
	case STEP_UNDO:
		return down && f->rewinding == FACT_YES && f->undoable == FACT_YES &&
		       f->rewound != FACT_YES && f->peer == SERVER_PRIMARY &&
		       f->same_system == FACT_YES && f->pausing != FACT_YES;
	case STEP_ADOPT:
		return down && f->rewinding == FACT_YES && f->rewound == FACT_YES &&
		       f->same_system != FACT_NO;
	case STEP_FINISH:
		return f->local == LOCAL_STANDBY && f->streaming == FACT_YES &&
		       f->promoting == FACT_NO;
	case STEP_RESTORE:
		return f->local == LOCAL_STANDBY && f->promoting == FACT_NO &&
		       (f->withdrawn == FACT_YES || f->follows == FACT_NO);
	case STEP_CLEAR:
		return f->local == LOCAL_ORPHANS;
	case STEP_WAIT:
		return f->local == LOCAL_STARTING || f->local == LOCAL_STANDBY;
	case STEP_VERDICT:
		return true;
	case STEPS:
		break;
	}
	return false;
}

/* A verdict says yes only of a server that runs, and not of a fenced one. */
static bool says_rightly(const struct rejoin_facts *f, enum rejoin_step step,
			 const struct verdict *verdict)
{
	if (verdict->outcome == OUT_BUG || verdict->rule == NULL || verdict->message == NULL)
		return false;
	if (step != STEP_VERDICT || verdict->outcome != OUT_YES)
		return true;
	return (f->local == LOCAL_PRIMARY || f->local == LOCAL_STANDBY) && f->fenced == FACT_NO;
}

static void print_facts(const struct rejoin_facts *f)
{
	print_error("local %d form %d version %d control %d clean %d can_rewind %d fenced %d "
		    "rewinding %d rewound %d pausing %d lease %d promoting %d\n"
		    "withdrawn %d follows %d streaming %d paused %d peer %d same %d "
		    "peer_withdrawn %d votes %d ahead %d past %d no_resume %d operator %d\n"
		    "right %d by guard %d by peer %d\n",
		    f->local, f->form, f->right_version, f->control, f->clean, f->can_rewind,
		    f->fenced, f->rewinding, f->rewound, f->pausing, f->lease_runs, f->promoting,
		    f->withdrawn, f->follows, f->streaming, f->replay_paused, f->peer,
		    f->same_system, f->peer_withdrawn, f->peer_votes, f->peer_ahead, f->past,
		    f->no_resume, f->peer_down_by_operator, f->right, f->fenced_by_guard,
		    f->fenced_by_peer);
}

static uint64_t steps_seen[STEPS];

static void check(const struct rejoin_facts *f)
{
	struct verdict verdict;
	enum rejoin_step step = rejoin_decide(f, &verdict);

	steps_seen[step]++;
	/* And it is started where it may be: two nodes that both stay down serve nobody. */
	if (may_do(f, step) && says_rightly(f, step, &verdict) &&
	    (step == STEP_RESUME || !may_start_as_primary(f)))
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
	int values[32] = { 0 };
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
	DIGIT(peer, SERVER_STANDBY + 1),
	FACT(same_system),
	FACT(peer_withdrawn),
	FACT(peer_votes),
	FACT(peer_ahead),
	DIGIT(past, PASTS),
	DIGIT(no_resume, 2),
	DIGIT(peer_down_by_operator, 2),
	DIGIT(fenced_by_guard, 2),
	DIGIT(fenced_by_peer, 2),
	DIGIT(right, RIGHTS),
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
		DIGIT(fenced_by_guard, 2),
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
	assert_int_equal(tried, 2 * 32 * 8 * 5 * PASTS * 2187);
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
		DIGIT(fenced_by_guard, 2),
		DIGIT(fenced_by_peer, 2),
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
			 16 * 5 * PASTS * RIGHTS * 2187);
}

/* It is asked once more just before the start, of the mark that is there then. */
static void a_mark_gives_way_to_whoever_knows_better(void **unused)
{
	(void)unused;
	for (int n = 0; n < RIGHTS * 3 * 2 * 2; n++) {
		struct rejoin_facts f = { .right = (enum rejoin_right)(n / 12),
					  .peer_votes = (enum fact)(n / 4 % 3),
					  .lease_runs = FACT_YES };
		bool by_guard = n & 1;
		bool by_peer = n & 2;

		assert_int_equal(rejoin_mark_answered(&f, by_guard, by_peer),
				 fence_is_answered(&f, by_guard, by_peer));
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
	assert_int_equal(run_through(f, digits, ARRAY_COUNT(digits)), LOCALS * 5 * 6 * 59049);
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
		cmocka_unit_test(a_mark_gives_way_to_whoever_knows_better),
		cmocka_unit_test(running_holds_for_every_combination),
		cmocka_unit_test(anything_holds_for_many_combinations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
