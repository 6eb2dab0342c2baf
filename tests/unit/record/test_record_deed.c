/* SPDX-License-Identifier: PostgreSQL */
/* The rules of witness_record over every combination of what it may know. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/auto.h"
#include "record/record_deed.h"

static struct record_facts released_soon(void)
{
	return (struct record_facts){ .ask = RECORD_RELEASE,
				      .keeps_record = true,
				      .system = FACT_YES,
				      .trust = RECORD_GOOD,
				      .holds = true,
				      .paired = true,
				      .runs = FACT_NO,
				      .starting = FACT_NO,
				      .form = PGDATA_PRIMARY };
}

static void decides(const struct record_facts *f, enum record_step step, enum outcome outcome,
		    const char *rule)
{
	struct verdict verdict;

	assert_int_equal(record_decide(f, &verdict), step);
	assert_string_equal(verdict.rule, rule);
	assert_int_equal(verdict.outcome, outcome);
}

/* ---- all of them ---- */

static bool usable(const struct record_facts *f)
{
	return f->keeps_record && f->system == FACT_YES && f->trust == RECORD_GOOD;
}

/* Another wording of the sentence in docs/safety.md. */
static bool may_write(const struct record_facts *f)
{
	switch (f->ask) {
	case RECORD_RELEASE:
		return usable(f) && f->holds && !f->released && f->runs == FACT_NO &&
		       f->starting == FACT_NO && f->form == PGDATA_PRIMARY;
	case RECORD_PAUSE:
		return usable(f) && !f->paused;
	case RECORD_RESUME:
		return usable(f) && f->paused;
	case RECORD_SHOW:
	case RECORD_ASKS:
		break;
	}
	return false;
}

static void check(const struct record_facts *f)
{
	struct verdict verdict;
	const bool writes = record_decide(f, &verdict) == RECORD_WRITE;

	if (writes != may_write(f))
		fail_msg("rule %s", verdict.rule);
	assert_non_null(verdict.rule);
	assert_non_null(verdict.message);
	/* An unknown thing is never a yes. */
	if (verdict.outcome == OUT_YES && !usable(f))
		fail_msg("rule %s says yes about a record that cannot be used", verdict.rule);
	/* "Nothing to release" only where the other node need not wait for us. */
	if (f->ask == RECORD_RELEASE && verdict.outcome == OUT_YES && !writes && f->holds &&
	    !f->released)
		fail_msg("rule %s says that there is nothing to release", verdict.rule);
	/* Paused is what keeps the other node down: not so while it is paired. */
	if (f->ask == RECORD_PAUSE && verdict.outcome == OUT_YES && !writes && f->paired)
		fail_msg("rule %s says that takeovers pause", verdict.rule);
}

static void each_server(struct record_facts *f)
{
	for (int runs = FACT_UNKNOWN; runs <= FACT_YES; runs++)
		for (int starting = FACT_UNKNOWN; starting <= FACT_YES; starting++)
			for (int form = PGDATA_UNKNOWN; form <= PGDATA_PRIMARY; form++) {
				f->runs = (enum fact)runs;
				f->starting = (enum fact)starting;
				f->form = (enum pgdata_form)form;
				check(f);
			}
}

static void each_row(struct record_facts *f)
{
	for (unsigned row = 0; row < 16; row++) {
		f->holds = (row & 1) != 0;
		f->paired = (row & 2) != 0;
		f->released = (row & 4) != 0;
		f->paused = (row & 8) != 0;
		each_server(f);
	}
}

static void writes_exactly_when_it_may(void **unused)
{
	struct record_facts f;

	(void)unused;
	for (int ask = 0; ask < RECORD_ASKS; ask++)
		for (int trust = 0; trust <= RECORD_TRUSTS; trust++)
			for (int system = FACT_UNKNOWN; system <= FACT_YES; system++)
				for (int keeps = 0; keeps < 2; keeps++) {
					f = (struct record_facts){
						.ask = (enum record_ask)ask,
						.trust = (enum record_trust)trust,
						.system = (enum fact)system,
						.keeps_record = keeps == 1,
					};
					each_row(&f);
				}
}

/* ---- by name ---- */

static void knowing_nothing_writes_nothing(void **unused)
{
	struct record_facts f = { .ask = RECORD_RELEASE };

	(void)unused;
	decides(&f, RECORD_VERDICT, OUT_REFUSED, "keeps-no-record");
	f.keeps_record = true;
	decides(&f, RECORD_VERDICT, OUT_UNKNOWN, "system-unknown");
	f.system = FACT_YES;
	decides(&f, RECORD_VERDICT, OUT_UNKNOWN, "witness-silent");
}

static void a_release_needs_a_server_that_is_down(void **unused)
{
	struct record_facts f = released_soon();

	(void)unused;
	decides(&f, RECORD_WRITE, OUT_YES, "release");
	f.runs = FACT_YES;
	decides(&f, RECORD_VERDICT, OUT_REFUSED, "server-runs");
	f.runs = FACT_UNKNOWN;
	decides(&f, RECORD_VERDICT, OUT_UNKNOWN, "not-proven-down");
	f = released_soon();
	f.starting = FACT_YES;
	decides(&f, RECORD_VERDICT, OUT_REFUSED, "start-under-way");
	f.starting = FACT_UNKNOWN;
	decides(&f, RECORD_VERDICT, OUT_UNKNOWN, "not-proven-down");
	f = released_soon();
	f.form = PGDATA_STANDBY;
	decides(&f, RECORD_VERDICT, OUT_REFUSED, "no-primary");
	f.form = PGDATA_MISSING;
	decides(&f, RECORD_VERDICT, OUT_UNKNOWN, "directory-unreadable");
}

static void nothing_to_release_needs_no_proof(void **unused)
{
	struct record_facts f = { .ask = RECORD_RELEASE,
				  .keeps_record = true,
				  .system = FACT_YES,
				  .trust = RECORD_GOOD };

	(void)unused;
	decides(&f, RECORD_VERDICT, OUT_YES, "held-by-other");
	f.holds = true;
	f.released = true;
	decides(&f, RECORD_VERDICT, OUT_YES, "already-released");
}

static void a_record_that_is_not_trusted_is_told_by_name(void **unused)
{
	static const struct {
		enum record_trust trust;
		const char *rule;
	} faults[] = {
		{ RECORD_OTHER_SCHEMA, "record-other-schema" },
		{ RECORD_OTHER_SYSTEM, "record-other-system" },
		{ RECORD_OTHER_NODES, "record-other-nodes" },
		{ RECORD_ABSENT, "record-absent" },
		{ RECORD_EDITED, "record-edited" },
		{ RECORD_BACKWARDS, "record-backwards" },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_COUNT(faults); i++) {
		struct record_facts f = released_soon();

		f.trust = faults[i].trust;
		decides(&f, RECORD_VERDICT, OUT_UNKNOWN, faults[i].rule);
		f.ask = RECORD_SHOW;
		decides(&f, RECORD_VERDICT, OUT_NO, faults[i].rule);
		f.ask = RECORD_PAUSE;
		decides(&f, RECORD_VERDICT, OUT_REFUSED, faults[i].rule);
		f.ask = RECORD_RESUME;
		decides(&f, RECORD_VERDICT, OUT_REFUSED, faults[i].rule);
	}
}

static void a_pause_is_over_when_the_holder_is_solo(void **unused)
{
	struct record_facts f = released_soon();

	(void)unused;
	f.ask = RECORD_PAUSE;
	decides(&f, RECORD_WRITE, OUT_YES, "pause");
	f.paused = true;
	decides(&f, RECORD_VERDICT, OUT_INCOMPLETE, "still-paired");
	f.paired = false;
	decides(&f, RECORD_VERDICT, OUT_YES, "paused");
	f.ask = RECORD_RESUME;
	decides(&f, RECORD_WRITE, OUT_YES, "resume");
	f.paused = false;
	decides(&f, RECORD_VERDICT, OUT_YES, "not-paused");
}

static void what_is_shown_has_a_name(void **unused)
{
	struct record_facts f = released_soon();

	(void)unused;
	f.ask = RECORD_SHOW;
	decides(&f, RECORD_VERDICT, OUT_YES, "paired");
	f.paired = false;
	decides(&f, RECORD_VERDICT, OUT_YES, "solo");
	f.released = true;
	decides(&f, RECORD_VERDICT, OUT_YES, "released");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_exactly_when_it_may),
		cmocka_unit_test(knowing_nothing_writes_nothing),
		cmocka_unit_test(a_release_needs_a_server_that_is_down),
		cmocka_unit_test(nothing_to_release_needs_no_proof),
		cmocka_unit_test(a_record_that_is_not_trusted_is_told_by_name),
		cmocka_unit_test(a_pause_is_over_when_the_holder_is_solo),
		cmocka_unit_test(what_is_shown_has_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
