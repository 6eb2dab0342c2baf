/* SPDX-License-Identifier: PostgreSQL */
/* The conclusions of cluster_status: never "all is well" while something is wrong or not known. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/auto.h"
#include "status/status_rules.h"

#define COMBINATIONS 3000000

static const struct status_facts good = {
	.local = SERVER_PRIMARY,
	.peer = SERVER_STANDBY,
	.same_system = FACT_YES,
	.read_only = FACT_NO,
	.withdrawn = FACT_NO,
	.streaming = FACT_YES,
	.replay_paused = FACT_NO,
	.fresh = FACT_YES,
	.rights = FACT_YES,
	.own_connect = FACT_YES,
	.reloads = FACT_YES,
	.undelayed = FACT_YES,
	.writable = FACT_YES,
	.mode_sync = true,
	.sync_held = FACT_YES,
	.sync_bypass = FACT_NO,
	.sync_late = FACT_NO,
	.signal_file = FACT_NO,
	.disk_full = FACT_NO,
	.fenced = FACT_NO,
	.lease_runs = FACT_YES,
	.says_serving = FACT_YES,
	.keepalived = FACT_YES,
	.guard = FACT_YES,
	.kernel_lease = FACT_YES,
	.watchdog = FACT_YES,
	.could_return = FACT_YES,
	.witness = FACT_YES,
	.has_record = true,
	.record_trusted = FACT_YES,
	.record_names_primary = FACT_YES,
	.record_paired = FACT_YES,
	.paused = FACT_NO,
	.slots_wanted = true,
	.slots_bounded = FACT_YES,
	.slot_used = FACT_YES,
	.slot_holds = FACT_YES,
	.slots_near = FACT_NO,
	.vip = VIP_HERE,
};

/* Every fact that is a tri-state, with the value that it has when all is well. */
#define FACTS 33
static void facts_of(struct status_facts *f, enum fact *facts[FACTS])
{
	enum fact *const all[FACTS] = {
		&f->same_system,
		&f->read_only,
		&f->withdrawn,
		&f->streaming,
		&f->fresh,
		&f->replay_paused,
		&f->sync_held,
		&f->sync_bypass,
		&f->fenced,
		&f->lease_runs,
		&f->says_serving,
		&f->keepalived,
		&f->guard,
		&f->witness,
		&f->kernel_lease,
		&f->record_trusted,
		&f->record_names_primary,
		&f->record_paired,
		&f->paused,
		&f->slots_bounded,
		&f->slot_used,
		&f->slot_holds,
		&f->slots_near,
		&f->watchdog,
		&f->could_return,
		&f->rights,
		&f->signal_file,
		&f->own_connect,
		&f->reloads,
		&f->undelayed,
		&f->writable,
		&f->disk_full,
		&f->sync_late,
	};

	memcpy(facts, all, sizeof(all));
}

static bool matters(const struct status_facts *f, size_t fact)
{
	if (fact == 6 || fact == 7 || fact == FACTS - 1)
		return f->mode_sync;
	if (fact == 9 || fact == 10)
		return f->local == SERVER_PRIMARY;
	if (fact >= 19 && fact < 22)
		return f->slots_wanted;
	return fact < 15 || fact == 18 || fact >= 22 || f->has_record;
}

static bool one_serves_one_stands_by(const struct status_facts *f)
{
	return (f->local == SERVER_PRIMARY && f->peer == SERVER_STANDBY && f->vip == VIP_HERE) ||
	       (f->local == SERVER_STANDBY && f->peer == SERVER_PRIMARY && f->vip == VIP_PEER);
}

/* Is there, for certain, something that is not as it ought to be? */
static bool wrong(const struct status_facts *f)
{
	struct status_facts wanted = good;
	struct status_facts is = *f;
	enum fact *are[FACTS];
	enum fact *ought[FACTS];

	facts_of(&is, are);
	facts_of(&wanted, ought);
	for (size_t i = 0; i < FACTS; i++) {
		if (matters(f, i) && *are[i] != FACT_UNKNOWN && *are[i] != *ought[i])
			return true;
	}
	if (f->local == SERVER_UNKNOWN || f->peer == SERVER_UNKNOWN)
		return f->local == SERVER_DOWN || f->local == SERVER_STARTING ||
		       f->peer == SERVER_DOWN || f->peer == SERVER_STARTING ||
		       f->local == SERVER_REFUSES || f->peer == SERVER_REFUSES ||
		       f->vip != VIP_UNKNOWN;
	return !one_serves_one_stands_by(f);
}

static bool all_known(const struct status_facts *f)
{
	struct status_facts is = *f;
	enum fact *are[FACTS];

	facts_of(&is, are);
	for (size_t i = 0; i < FACTS; i++) {
		if (matters(f, i) && *are[i] == FACT_UNKNOWN)
			return false;
	}
	return f->local != SERVER_UNKNOWN && f->peer != SERVER_UNKNOWN && f->vip != VIP_UNKNOWN;
}

static void check(const struct status_facts *f)
{
	const struct verdict verdict = status_decide(f);

	assert_non_null(verdict.message);
	if (verdict.outcome == OUT_YES) {
		assert_false(wrong(f));
		assert_true(all_known(f));
		assert_true(one_serves_one_stands_by(f));
	} else if (verdict.outcome == OUT_NO) {
		assert_true(wrong(f));
	} else {
		assert_int_equal(verdict.outcome, OUT_UNKNOWN);
		assert_false(all_known(f));
	}
	/* A certain fault of a known pair is never hidden by an unknown fact. */
	if (f->local != SERVER_UNKNOWN && f->peer != SERVER_UNKNOWN && wrong(f) &&
	    f->vip != VIP_UNKNOWN)
		assert_int_equal(verdict.outcome, OUT_NO);
}

static void well_only_when_all_is_known_and_right(void **state)
{
	static const enum server_state states[] = {
		SERVER_UNKNOWN, SERVER_DOWN,    SERVER_STARTING,
		SERVER_REFUSES, SERVER_PRIMARY, SERVER_STANDBY
	};
	uint64_t seed = 1;

	(void)state;
	assert_int_equal(status_decide(&good).outcome, OUT_YES);
	for (int i = 0; i < COMBINATIONS; i++) {
		struct status_facts f = good;
		enum fact *facts[FACTS];
		uint64_t dice;

		/* Half of them near the good state: far from it the first rules decide all. */
		seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		dice = seed >> 20;
		facts_of(&f, facts);
		if (i % 2 == 0) {
			*facts[dice % FACTS] = (enum fact)(dice / FACTS % 3);
			*facts[dice / 64 % FACTS] = (enum fact)(dice / 1024 % 3);
			f.vip =
			    dice & 4096 ? VIP_HERE : (enum status_vip)(dice / 8192 % VIP_WHERES);
			f.peer = dice & 65536 ? SERVER_STANDBY : states[dice / 131072 % 6];
		} else {
			for (size_t k = 0; k < FACTS; k++, dice /= 3)
				*facts[k] = (enum fact)(dice % 3);
			f.vip = (enum status_vip)((seed >> 8) % VIP_WHERES);
			f.local = states[(seed >> 12) % 6];
			f.peer = states[(seed >> 16) % 6];
		}
		f.mode_sync = seed >> 63;
		f.has_record = (seed >> 62 & 1) != 0;
		f.slots_wanted = (seed >> 61 & 1) != 0;
		check(&f);
	}
}

/* One thing amiss or unknown, all else well: named by its own rule. */
static void each_fault_alone_has_its_own_rule(void **state)
{
	static const char *const expected[FACTS] = {
		"other-system",
		"read-only",
		"vote-withdrawn",
		"not-streaming",
		"lag",
		"replay-paused",
		"sync-off",
		"sync-bypassed",
		"fenced",
		"no-lease",
		"not-serving",
		"keepalived-gone",
		"guard-gone",
		"witness-unseen",
		"kernel-lease",
		"record-untrusted",
		"record-holder",
		"solo",
		"paused",
		"slots-unbounded",
		"slot-unused",
		"slot-empty",
		"slots-nearly-full",
		"watchdog-missing",
		"rejoin-blocked",
		"rights-missing",
		"signal-file",
		"connect-borrowed",
		"config-error",
		"apply-delay",
		"unwritable",
		"disk-full",
		"sync-late",
	};

	(void)state;
	for (size_t i = 0; i < FACTS; i++) {
		struct status_facts f = good;
		enum fact *facts[FACTS];

		facts_of(&f, facts);
		*facts[i] = *facts[i] == FACT_YES ? FACT_NO : FACT_YES;
		assert_string_equal(status_decide(&f).rule, expected[i]);
		*facts[i] = FACT_UNKNOWN;
		assert_string_equal(status_decide(&f).rule,
				    facts[i] == &f.could_return ? "rejoin-unchecked"
				    : facts[i] == &f.reloads    ? "config-unknown"
								: "not-all-known");
	}
}

/* On each node by what that one knows; with a record the row tells. */
static void a_primary_that_is_not_held_to_a_lease_is_told_on_both(void **state)
{
	struct status_facts f = good;

	(void)state;
	f.leased = FACT_NO;
	assert_string_equal(status_decide(&f).rule, "healthy");
	f.lease_runs = FACT_NO;
	assert_string_equal(status_decide(&f).rule, "unpaired");
	f.leased = FACT_UNKNOWN;
	assert_string_equal(status_decide(&f).rule, "no-lease");
	f = good, f.local = SERVER_STANDBY, f.peer = SERVER_PRIMARY, f.vip = VIP_PEER;
	f.leased = FACT_NO;
	assert_string_equal(status_decide(&f).rule, "healthy");
	f.has_record = false;
	assert_string_equal(status_decide(&f).rule, "lease-unseen");
	f.leased = FACT_YES;
	assert_string_equal(status_decide(&f).rule, "healthy");
}

/* Also of a primary, which is the standby of tomorrow; one that was not tested yet says nothing. */
static void fencing_that_does_not_work_is_told(void **state)
{
	struct status_facts f = good;

	(void)state;
	f.could_fence = FACT_NO;
	assert_string_equal(status_decide(&f).rule, "fencing-broken");
	f.could_fence = FACT_YES;
	assert_string_equal(status_decide(&f).rule, "healthy");
	f.could_fence = FACT_UNKNOWN;
	assert_string_equal(status_decide(&f).rule, "healthy");
}

static void busy_is_not_silent(void **state)
{
	struct status_facts f = good;

	(void)state;
	f.only_late = true;
	assert_string_equal(status_decide(&f).rule, "healthy");
	f.peer = SERVER_UNKNOWN, f.vip = VIP_UNKNOWN;
	assert_string_equal(status_decide(&f).rule, "server-busy");
	assert_int_equal(status_decide(&f).outcome, OUT_UNKNOWN);
	f.only_late = false;
	assert_string_equal(status_decide(&f).rule, "server-silent");

	/* They have said what they are, and no more. */
	f = good, f.more_late = true;
	assert_string_equal(status_decide(&f).rule, "healthy");
	f.rights = FACT_UNKNOWN;
	assert_string_equal(status_decide(&f).rule, "server-busy");
	f.rights = FACT_YES, f.reloads = FACT_UNKNOWN;
	assert_string_equal(status_decide(&f).rule, "server-busy");
	f.more_late = false;
	assert_string_equal(status_decide(&f).rule, "config-unknown");
}

static void a_busy_witness_is_not_one_that_is_not_seen(void **state)
{
	struct status_facts f = good;

	(void)state;
	f.witness = FACT_UNKNOWN, f.witness_late = true;
	assert_string_equal(status_decide(&f).rule, "witness-busy");
	assert_int_equal(status_decide(&f).outcome, OUT_UNKNOWN);
	f.witness_late = false;
	assert_string_equal(status_decide(&f).rule, "not-all-known");
}

static void commits_that_wait_for_nobody_come_before_the_standby_that_is_lost(void **state)
{
	struct status_facts f = good;

	(void)state;
	f.peer = SERVER_DOWN;
	assert_string_equal(status_decide(&f).rule, "standby-down");
	f.commits_wait = true;
	assert_string_equal(status_decide(&f).rule, "commits-wait");
	assert_int_equal(status_decide(&f).outcome, OUT_NO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(well_only_when_all_is_known_and_right),
		cmocka_unit_test(each_fault_alone_has_its_own_rule),
		cmocka_unit_test(a_primary_that_is_not_held_to_a_lease_is_told_on_both),
		cmocka_unit_test(fencing_that_does_not_work_is_told),
		cmocka_unit_test(a_busy_witness_is_not_one_that_is_not_seen),
		cmocka_unit_test(busy_is_not_silent),
		cmocka_unit_test(commits_that_wait_for_nobody_come_before_the_standby_that_is_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
