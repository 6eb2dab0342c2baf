/* SPDX-License-Identifier: PostgreSQL */
/* The rules of replication_slots over every combination of their facts, and what may never come of
 * them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/auto.h"
#include "slots/slots_rules.h"

/* As many as replication_slots takes. */
#define STEPS_MAX 12

/* ---- what must hold for every combination ---- */

static bool at_rest(const struct slots_facts *f)
{
	return f->there && !f->active;
}

static bool may_hold(const struct slots_facts *f)
{
	return f->wanted && f->bounded == FACT_YES;
}

/* A slot that somebody will want the WAL of. */
static bool in_service(const struct slots_facts *f)
{
	return may_hold(f) && f->local == SERVER_PRIMARY && f->there &&
	       (f->hold == SLOT_KEEPS || f->hold == SLOT_LATE || f->hold == SLOT_EMPTY);
}

static bool may_unname(const struct slots_facts *f)
{
	if (f->uses == SLOTS_NAME_LEFT)
		return true;
	if (f->uses != SLOTS_NAME_OWN)
		return false;
	return !f->wanted || f->local == SERVER_PRIMARY || (f->offered == FACT_NO && !f->receiving);
}

static bool may_do(const struct slots_facts *f, enum slots_step step)
{
	switch (step) {
	case SLOTS_UNNAME:
		return may_unname(f);
	case SLOTS_NAME:
		return may_hold(f) && f->local == SERVER_STANDBY && f->uses == SLOTS_NAME_NONE &&
		       f->offered == FACT_YES && !f->withdrawn;
	case SLOTS_DROP_LEFT:
		return f->left;
	case SLOTS_DROP_DEAD:
		return f->dead;
	case SLOTS_DROP:
		return at_rest(f) && (!f->wanted || f->bounded == FACT_NO);
	case SLOTS_CREATE:
		return may_hold(f) && !f->there && f->room == FACT_YES;
	case SLOTS_EMPTY:
		return may_hold(f) && at_rest(f) && f->hold == SLOT_LOST && !f->streams;
	case SLOTS_RENEW:
		return may_hold(f) && at_rest(f) && !in_service(f);
	case SLOTS_ADVANCE:
		return at_rest(f) && f->local == SERVER_STANDBY && f->place == SLOTS_BEFORE;
	case SLOTS_VERDICT:
		return true;
	case SLOTS_STEPS:
		break;
	}
	return false;
}

/* "All is as it should be." */
static bool is_well(const struct slots_facts *f)
{
	if (f->uses == SLOTS_NAME_LEFT || f->left || f->dead)
		return false;
	if (!f->wanted)
		return !f->there && f->uses != SLOTS_NAME_OWN;
	if (f->bounded != FACT_YES || !f->there)
		return false;
	if (f->local == SERVER_PRIMARY)
		return f->uses != SLOTS_NAME_OWN &&
		       (f->streams || (f->hold != SLOT_EMPTY && f->hold != SLOT_LOST));
	return f->uses == SLOTS_NAME_OWN && f->offered == FACT_YES && !f->withdrawn;
}

/* The facts after a step that worked. */
static void apply(struct slots_facts *f, enum slots_step step)
{
	switch (step) {
	case SLOTS_UNNAME:
		f->uses = SLOTS_NAME_NONE;
		break;
	case SLOTS_NAME:
		f->uses = SLOTS_NAME_OWN;
		break;
	case SLOTS_DROP_LEFT:
		f->left = false;
		break;
	case SLOTS_DROP_DEAD:
		f->dead = false;
		break;
	case SLOTS_DROP:
		f->there = false;
		break;
	case SLOTS_CREATE:
	case SLOTS_RENEW:
		f->there = true;
		f->active = false;
		f->hold = SLOT_KEEPS;
		f->place = SLOTS_AT;
		break;
	case SLOTS_EMPTY:
		f->hold = SLOT_EMPTY;
		break;
	case SLOTS_ADVANCE:
		f->place = SLOTS_AT;
		break;
	case SLOTS_VERDICT:
	case SLOTS_STEPS:
		break;
	}
}

static void check(const struct slots_facts *f)
{
	struct slots_facts is = *f;
	struct verdict verdict;
	enum slots_step step = SLOTS_STEPS;

	for (int steps = 0; step != SLOTS_VERDICT; steps++) {
		step = slots_decide(&is, &verdict);
		if (!may_do(&is, step))
			fail_msg("%s: may not %s", verdict.rule, slots_step_word(step));
		if (step != SLOTS_VERDICT && verdict.outcome != OUT_INCOMPLETE)
			fail_msg("%s has a step, and says that it is over", verdict.rule);
		if (!is.known && (step != SLOTS_VERDICT || verdict.outcome != OUT_UNKNOWN))
			fail_msg("%s: nothing is known, and it is not said", verdict.rule);
		if (steps == STEPS_MAX)
			fail_msg("%s: it goes round in circles", verdict.rule);
		if (step == SLOTS_VERDICT && verdict.outcome == OUT_YES && !is_well(&is))
			fail_msg("%s: it is not well", verdict.rule);
		apply(&is, step);
	}
}

/* ---- all of them ---- */

static unsigned digit(uint64_t *number, unsigned base)
{
	const unsigned value = (unsigned)(*number % base);

	*number /= base;
	return value;
}

static bool make(uint64_t number, struct slots_facts *f)
{
	static const enum server_state states[] = { SERVER_UNKNOWN, SERVER_PRIMARY,
						    SERVER_STANDBY };

	*f = (struct slots_facts){ .known = digit(&number, 2) != 0 };
	f->wanted = digit(&number, 2) != 0;
	f->local = states[digit(&number, ARRAY_COUNT(states))];
	f->bounded = (enum fact)digit(&number, 3);
	f->room = (enum fact)digit(&number, 3);
	f->uses = (enum slots_name)digit(&number, SLOTS_NAMES);
	f->left = digit(&number, 2) != 0;
	f->dead = digit(&number, 2) != 0;
	f->there = digit(&number, 2) != 0;
	f->active = digit(&number, 2) != 0;
	f->hold = (enum slot_hold)digit(&number, SLOT_HOLDS);
	f->place = (enum slots_place)digit(&number, SLOTS_PLACES);
	f->streams = digit(&number, 2) != 0;
	f->receiving = digit(&number, 2) != 0;
	f->withdrawn = digit(&number, 2) != 0;
	f->primary = (enum fact)digit(&number, 3);
	f->offered = (enum fact)digit(&number, 3);
	f->peer_bounded = (enum fact)digit(&number, 3);
	/* Whoever offers something is a primary. */
	if (f->primary != FACT_YES)
		f->offered = FACT_UNKNOWN;
	/* A server that is neither is not known. */
	f->known = f->known && f->local != SERVER_UNKNOWN;
	return number == 0;
}

static void every_combination(void **state)
{
	struct slots_facts f;
	uint64_t number = 0;

	(void)state;
	while (make(number, &f)) {
		check(&f);
		number++;
	}
	assert_true(number > 20000000);
}

/* ---- and what it is for ---- */

static void expect(const struct slots_facts *f, enum slots_step step, const char *rule)
{
	struct verdict verdict;

	assert_int_equal(slots_decide(f, &verdict), step);
	assert_string_equal(verdict.rule, rule);
}

static const struct slots_facts on_primary = {
	.wanted = true,
	.local = SERVER_PRIMARY,
	.known = true,
	.bounded = FACT_YES,
	.room = FACT_YES,
	.there = true,
	.active = true,
	.hold = SLOT_KEEPS,
	.streams = true,
};

static const struct slots_facts on_standby = {
	.wanted = true,
	.local = SERVER_STANDBY,
	.known = true,
	.bounded = FACT_YES,
	.room = FACT_YES,
	.uses = SLOTS_NAME_OWN,
	.there = true,
	.hold = SLOT_KEEPS,
	.receiving = true,
	.primary = FACT_YES,
	.offered = FACT_YES,
	.peer_bounded = FACT_YES,
};

static void a_primary_holds_for_its_standby(void **state)
{
	struct slots_facts f = on_primary;

	(void)state;
	expect(&f, SLOTS_VERDICT, "wal-held");
	f.active = f.streams = false;
	expect(&f, SLOTS_VERDICT, "wal-held");
	f.hold = SLOT_LOST;
	expect(&f, SLOTS_EMPTY, "slot-lost");
	f.hold = SLOT_EMPTY;
	expect(&f, SLOTS_VERDICT, "away-too-long");
	f.hold = SLOT_LOST;
	f.streams = true;
	expect(&f, SLOTS_RENEW, "slot-lost");
	f.there = false;
	expect(&f, SLOTS_CREATE, "slot-missing");
	f.room = FACT_NO;
	expect(&f, SLOTS_VERDICT, "no-room");
	f.uses = SLOTS_NAME_OWN;
	expect(&f, SLOTS_UNNAME, "slot-name-stale");
}

static void nothing_is_held_without_a_bound(void **state)
{
	struct slots_facts f = on_primary;

	(void)state;
	f.bounded = FACT_NO;
	expect(&f, SLOTS_VERDICT, "unbounded");
	f.active = false;
	expect(&f, SLOTS_DROP, "slot-unbounded");
	f.there = false;
	expect(&f, SLOTS_VERDICT, "unbounded");
	f = on_standby;
	f.uses = SLOTS_NAME_NONE;
	f.offered = f.peer_bounded = FACT_NO;
	expect(&f, SLOTS_VERDICT, "primary-unbounded");
	f.peer_bounded = FACT_YES;
	expect(&f, SLOTS_VERDICT, "not-offered");
}

static void a_standby_names_only_what_is_there(void **state)
{
	struct slots_facts f = on_standby;

	(void)state;
	expect(&f, SLOTS_VERDICT, "wal-held");
	f.offered = FACT_NO;
	expect(&f, SLOTS_VERDICT, "not-offered");
	f.receiving = false;
	expect(&f, SLOTS_UNNAME, "slot-name-unknown");
	f.offered = f.primary = FACT_UNKNOWN;
	expect(&f, SLOTS_VERDICT, "no-primary");
	f = on_standby;
	f.uses = SLOTS_NAME_NONE;
	expect(&f, SLOTS_NAME, "name-missing");
	f.withdrawn = true;
	expect(&f, SLOTS_VERDICT, "takeover");
	f.uses = SLOTS_NAME_LEFT;
	expect(&f, SLOTS_UNNAME, "slot-name-stale");
	f.uses = SLOTS_NAME_FOREIGN;
	expect(&f, SLOTS_VERDICT, "name-foreign");
}

static void a_standby_holds_for_the_old_primary_and_no_more(void **state)
{
	struct slots_facts f = on_standby;

	(void)state;
	f.place = SLOTS_BEFORE;
	expect(&f, SLOTS_ADVANCE, "slot-behind");
	f.active = true;
	expect(&f, SLOTS_VERDICT, "wal-held");
	f.active = false;
	f.place = SLOTS_BEYOND;
	expect(&f, SLOTS_RENEW, "slot-short");
	f.place = SLOTS_AT;
	f.hold = SLOT_LOST;
	expect(&f, SLOTS_RENEW, "slot-short");
}

static void without_slots_all_of_ours_go(void **state)
{
	struct slots_facts f = on_standby;

	(void)state;
	f.wanted = false;
	expect(&f, SLOTS_UNNAME, "name-unwanted");
	f.uses = SLOTS_NAME_FOREIGN;
	expect(&f, SLOTS_DROP, "slot-unwanted");
	f.there = false;
	expect(&f, SLOTS_VERDICT, "not-wanted");
	f = on_primary;
	f.wanted = false;
	expect(&f, SLOTS_VERDICT, "slot-used");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_primary_holds_for_its_standby),
		cmocka_unit_test(nothing_is_held_without_a_bound),
		cmocka_unit_test(a_standby_names_only_what_is_there),
		cmocka_unit_test(a_standby_holds_for_the_old_primary_and_no_more),
		cmocka_unit_test(without_slots_all_of_ours_go),
		cmocka_unit_test(every_combination),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
