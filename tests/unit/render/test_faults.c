/* SPDX-License-Identifier: PostgreSQL */
/* Which faults are survived: every configuration against what docs/safety.md says of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "render/faults.h"

static struct cfg make(unsigned bits)
{
	return (struct cfg){
		.witness_kind = (bits & 1) != 0   ? WITNESS_POSTGRES
				: (bits & 2) != 0 ? WITNESS_TCP
						  : WITNESS_PING,
		.witness_ssh = (bits & 4) != 0,
		.mode = (bits & 8) != 0 ? MODE_SYNC : MODE_ASYNC,
		.unproven = (bits & 16) != 0 ? UNPROVEN_PROMOTE : UNPROVEN_REFUSE,
		.kernel_lease = (bits & 32) != 0,
		.lease_ms = 300000,
		.margin_ms = 60000,
		.solo_after_ms = 60000,
	};
}

static const struct fault *find(const struct fault *faults, size_t count, const char *what)
{
	for (size_t i = 0; i < count; i++) {
		if (strstr(faults[i].what, what) != NULL)
			return &faults[i];
	}
	fail_msg("no fault \"%s\"", what);
	return faults;
}

/* The last three of each list are two faults at once. */
static void record_survives_every_single_fault(void **state)
{
	(void)state;
	for (unsigned bits = 0; bits < 64; bits++) {
		struct cfg cfg = make(bits);
		struct fault faults[FAULTS_MAX];
		size_t count = faults_of(&cfg, faults);

		if (!cfg_has_record(&cfg) || !cfg.kernel_lease)
			continue;
		for (size_t i = 0; i < count; i++)
			assert_int_equal(faults[i].end,
					 i < count - 3 ? FAULT_SURVIVED : FAULT_REFUSED);
	}
}

static void two_writers_are_named_where_they_are_possible(void **state)
{
	(void)state;
	for (unsigned bits = 0; bits < 64; bits++) {
		struct cfg cfg = make(bits);
		struct fault faults[FAULTS_MAX];
		size_t count = faults_of(&cfg, faults);
		bool guess =
		    cfg.unproven == UNPROVEN_PROMOTE && !cfg.witness_ssh && !cfg_has_record(&cfg);
		bool late = cfg.mode == MODE_ASYNC && !cfg.kernel_lease;

		for (size_t i = 0; i < count; i++) {
			bool cut = faults[i].what == find(faults, count, "cut from each")->what;
			bool froze = faults[i].what == find(faults, count, "freezes")->what;

			assert_int_equal(faults[i].end == FAULT_DANGER,
					 (cut && guess) || (froze && late));
		}
	}
}

static void stateless_witness_cannot_replace_a_silent_host_without_proof(void **state)
{
	(void)state;
	for (unsigned bits = 0; bits < 64; bits++) {
		struct cfg cfg = make(bits);
		struct fault faults[FAULTS_MAX];
		size_t count = faults_of(&cfg, faults);
		bool refused =
		    !cfg_has_record(&cfg) && !cfg.witness_ssh && cfg.unproven == UNPROVEN_REFUSE;

		assert_int_equal(find(faults, count, "loses power")->end,
				 refused ? FAULT_REFUSED : FAULT_SURVIVED);
		assert_int_equal(find(faults, count, "cut from everything")->end,
				 refused ? FAULT_REFUSED : FAULT_SURVIVED);
		if (cfg.kernel_lease)
			assert_int_equal(find(faults, count, "freezes")->end,
					 refused ? FAULT_REFUSED : FAULT_SURVIVED);
	}
}

static void a_host_that_can_be_switched_off_is_replaced(void **state)
{
	(void)state;
	for (unsigned bits = 0; bits < 64; bits++) {
		struct cfg cfg = make(bits);
		struct fault faults[FAULTS_MAX];
		size_t count;

		cfg.methods[0] = FENCING_SSH;
		cfg.methods[1] = FENCING_AGENT;
		cfg.method_count = 2;
		cfg.power_timeout_ms = 20000;
		count = faults_of(&cfg, faults);
		assert_int_equal(find(faults, count, "loses power")->end, FAULT_SURVIVED);
		assert_int_equal(find(faults, count, "from everything")->end, FAULT_SURVIVED);
		if (!cfg_has_record(&cfg) && cfg.unproven == UNPROVEN_REFUSE)
			assert_non_null(
			    strstr(find(faults, count, "cut from each")->words, "switched off"));
	}
}

static void only_a_record_lets_sync_go_on_without_the_standby(void **state)
{
	(void)state;
	for (unsigned bits = 0; bits < 64; bits++) {
		struct cfg cfg = make(bits);
		struct fault faults[FAULTS_MAX];
		size_t count = faults_of(&cfg, faults);

		assert_int_equal(find(faults, count, "standby is lost")->end,
				 cfg.mode == MODE_SYNC && !cfg_has_record(&cfg) ? FAULT_WAITS
										: FAULT_SURVIVED);
	}
}

static void every_line_fits(void **state)
{
	(void)state;
	for (unsigned bits = 0; bits < 64; bits++) {
		struct cfg cfg = make(bits);
		struct fault faults[FAULTS_MAX];
		size_t count = faults_of(&cfg, faults);

		assert_true(count <= FAULTS_MAX);
		for (size_t i = 0; i < count; i++) {
			assert_true(strlen(faults[i].words) > 0);
			assert_true(strlen(faults[i].words) < sizeof(faults[i].words) - 1);
			assert_true(strlen(fault_end_word(faults[i].end)) <= 9);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(record_survives_every_single_fault),
		cmocka_unit_test(two_writers_are_named_where_they_are_possible),
		cmocka_unit_test(stateless_witness_cannot_replace_a_silent_host_without_proof),
		cmocka_unit_test(a_host_that_can_be_switched_off_is_replaced),
		cmocka_unit_test(only_a_record_lets_sync_go_on_without_the_standby),
		cmocka_unit_test(every_line_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
