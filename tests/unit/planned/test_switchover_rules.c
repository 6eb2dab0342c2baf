/* SPDX-License-Identifier: PostgreSQL */
/* When a switchover may begin, over every combination; how long its stop may take; what proves that
 * the standby has all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/auto.h"
#include "planned/planned.h"
#include "planned/switchover_rules.h"

static const enum fact all_facts[] = { FACT_UNKNOWN, FACT_NO, FACT_YES };
static const enum server_state all_states[] = { SERVER_UNKNOWN, SERVER_DOWN,    SERVER_STARTING,
						SERVER_REFUSES, SERVER_PRIMARY, SERVER_STANDBY };
static const enum outcome all_outcomes[] = { OUT_YES, OUT_NO, OUT_UNKNOWN };

static unsigned digit(unsigned *n, unsigned base)
{
	const unsigned value = *n % base;

	*n /= base;
	return value;
}

static bool combination(struct switchover_facts *f, unsigned n)
{
	f->to_self = digit(&n, 2);
	f->to_peer = digit(&n, 2);
	f->local = all_states[digit(&n, ARRAY_COUNT(all_states))];
	f->peer = all_states[digit(&n, ARRAY_COUNT(all_states))];
	f->fenced = all_facts[digit(&n, 3)];
	f->serves = all_facts[digit(&n, 3)];
	f->guard = all_facts[digit(&n, 3)];
	f->successor = all_outcomes[digit(&n, ARRAY_COUNT(all_outcomes))];
	f->close = all_facts[digit(&n, 3)];
	f->stable = all_facts[digit(&n, 3)];
	return n == 0;
}

/* Unknown stops nobody's server. */
static void begins_exactly_when_every_condition_is_known_to_hold(void **state)
{
	struct switchover_facts f;
	struct verdict verdict;
	unsigned begun = 0;

	(void)state;
	for (unsigned n = 0; combination(&f, n); n++) {
		const bool may = f.local == SERVER_PRIMARY && !f.to_self && f.fenced == FACT_NO &&
				 f.serves == FACT_YES && f.guard == FACT_YES;
		const enum switchover_step step = switchover_decide(&f, &verdict);

		const bool fit = f.successor == OUT_YES;
		const bool ready = fit && f.close == FACT_YES && f.stable == FACT_YES;

		assert_int_equal(step == SWITCHOVER_GO, may && ready);
		/* Only for a standby that comes along is there anything to wait for. */
		assert_int_equal(step == SWITCHOVER_WAIT,
				 may && (f.stable != FACT_YES || (fit && !ready)));
		assert_int_equal(step == SWITCHOVER_ASK, f.local == SERVER_STANDBY &&
							     f.peer == SERVER_PRIMARY &&
							     !f.to_peer);
		assert_non_null(verdict.rule);
		begun += step == SWITCHOVER_GO;
	}
	/* Whatever is seen of the other node's server, and whether --to names it or not. */
	assert_int_equal(begun, 2 * ARRAY_COUNT(all_states));
}

static void the_slot_has_to_be_in_use_where_there_is_one_to_use(void **state)
{
	struct server_slots slots = { .known = true, .bound_bytes = 1 << 20, .room = 1 };

	(void)state;
	/* A slot is about to be made: but not without a bound, and not without room. */
	assert_int_equal(switchover_slot_settled(&slots, "n2"), FACT_NO);
	slots.bound_bytes = -1;
	assert_int_equal(switchover_slot_settled(&slots, "n2"), FACT_YES);
	slots.bound_bytes = 1 << 20;
	slots.room = 0;
	assert_int_equal(switchover_slot_settled(&slots, "n2"), FACT_YES);
	/* The slot is there: the standby is about to use it, but not one that is lost. */
	slots.count = 1;
	slots.slots[0] = (struct server_slot){ .name = "pgvrrp_n2", .hold = SLOT_KEEPS };
	assert_int_equal(switchover_slot_settled(&slots, "n2"), FACT_NO);
	slots.slots[0].hold = SLOT_LOST;
	assert_int_equal(switchover_slot_settled(&slots, "n2"), FACT_YES);
	slots.slots[0] =
	    (struct server_slot){ .name = "pgvrrp_n2", .hold = SLOT_KEEPS, .active = true };
	assert_int_equal(switchover_slot_settled(&slots, "n2"), FACT_YES);
	slots.known = false;
	assert_int_equal(switchover_slot_settled(&slots, "n2"), FACT_UNKNOWN);
}

static void stop_is_over_before_the_guard_fences(void **state)
{
	(void)state;
	for (int64_t left_ms = -1000; left_ms < 20000; left_ms += 50) {
		for (int64_t limit_ms = 1000; limit_ms <= 30000; limit_ms += 1000) {
			const int64_t stop_ms = planned_stop_ms(left_ms, 1500, limit_ms);

			assert_true(stop_ms >= 0 && stop_ms <= limit_ms);
			assert_true(stop_ms == 0 || stop_ms < left_ms - 1500);
		}
	}
	assert_int_equal(planned_stop_ms(5000, 1500, 10000), 3200);
	assert_int_equal(planned_stop_ms(5000, 1500, 1000), 1000);
}

static void only_what_was_received_proves_it(void **state)
{
	struct server standby = { .state = SERVER_STANDBY, .received_lsn = 0x5000060 };

	(void)state;
	assert_int_equal(switchover_has_all(&standby, 0x5000060), FACT_YES);
	assert_int_equal(switchover_has_all(&standby, 0x5000028), FACT_YES);
	assert_int_equal(switchover_has_all(&standby, 0x5000061), FACT_NO);
	/* Not shut down in good order: nobody knows where its WAL ends. */
	assert_int_equal(switchover_has_all(&standby, 0), FACT_UNKNOWN);
	for (size_t i = 0; i < ARRAY_COUNT(all_states); i++) {
		standby.state = all_states[i];
		if (standby.state != SERVER_STANDBY)
			assert_int_equal(switchover_has_all(&standby, 0x5000028), FACT_UNKNOWN);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(begins_exactly_when_every_condition_is_known_to_hold),
		cmocka_unit_test(the_slot_has_to_be_in_use_where_there_is_one_to_use),
		cmocka_unit_test(stop_is_over_before_the_guard_fences),
		cmocka_unit_test(only_what_was_received_proves_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
