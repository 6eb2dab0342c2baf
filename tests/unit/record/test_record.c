/* SPDX-License-Identifier: PostgreSQL */
/* Each write of the record at a real witness: what it does, and everything that it refuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/deadline.h"
#include "witnessfixture.h"

#define N1  0
#define N2  1
#define LSN UINT64_C(0x3000060)

enum write { RENEW, RESUME, GO_SOLO, PAIR, RELEASE, TAKE, BY_WORD, PAUSE, UNPAUSE, WRITES };

static int write_by(struct record_link *link, enum write write, struct record *record,
		    const struct record *seen)
{
	const struct deadline dl = deadline_in_ms(PATIENCE);

	switch (write) {
	case RENEW:
		return record_renew(link, record, seen, false, &dl);
	case RESUME:
		return record_renew(link, record, seen, true, &dl);
	case GO_SOLO:
		return record_go_solo(link, record, seen, &dl);
	case PAIR:
		return record_pair(link, record, seen, &dl);
	case RELEASE:
		return record_release(link, record, seen, LSN, &dl);
	case TAKE:
		return record_take(link, record, seen, &dl);
	case BY_WORD:
		return record_take_by_word(link, record, seen, LSN, &dl);
	case PAUSE:
		return record_pause(link, record, seen, true, &dl);
	case UNPAUSE:
		return record_pause(link, record, seen, false, &dl);
	case WRITES:
		break;
	}
	return -1;
}

/* By a node, for the row that it has seen; must be answered. */
static struct record written(size_t node, enum write write, const struct record *seen)
{
	struct record_link AUTO_RECORD link;
	struct record record;

	record_begin(&link, &witness.n[node], SYSTEM);
	if (write_by(&link, write, &record, seen) != 0)
		fail_msg("write %d: %s", (int)write, link.why);
	assert_false(record_unsent(&link));
	assert_int_equal(record.schema, RECORD_SCHEMA);
	assert_true(record.asked_ms > 0 && record.answered_ms >= record.asked_ms);
	return record;
}

/* The row that stands there now is `record`, in all that the witness tells of it. */
static void assert_stands(const struct record *record)
{
	struct record there = witness_look(N1);

	there.asked_ms = record->asked_ms;
	there.answered_ms = record->answered_ms;
	memcpy(there.refused, record->refused, sizeof(there.refused));
	assert_memory_equal(&there, record, sizeof(there));
}

/* Done: the next version of what was seen; else the row as it stands, unchanged. */
static struct record done(size_t node, enum write write, const struct record *seen)
{
	const struct record record = written(node, write, seen);

	assert_refused(&record, "");
	assert_int_equal(record.version, seen->version + 1);
	assert_int_equal(record.present, FACT_YES);
	assert_true(record.same_system && record.node_known && record.sealed);
	assert_stands(&record);
	return record;
}

static void refuses(size_t node, enum write write, const struct record *seen, const char *why)
{
	const struct record before = witness_look(N1);
	const struct record record = written(node, write, seen);

	assert_refused(&record, why);
	assert_true(record.version == before.version);
	if (node == N1)
		assert_stands(&record);
}

/* ---- what each does ---- */

static void there_is_none_at_first(void **state)
{
	const struct record record = witness_look(N2);

	(void)state;
	assert_int_equal(record.present, FACT_NO);
	assert_int_equal(record.schema, RECORD_SCHEMA);
	assert_int_equal(record.term, 0);
	assert_string_equal(record.holder, "");
	for (int write = 0; write < WRITES; write++)
		refuses(N1, (enum write)write, &record, "absent");
}

static void a_new_one_is_solo(void **state)
{
	const struct record record = witness_solo();

	(void)state;
	assert_int_equal(record.present, FACT_YES);
	assert_true(record.same_system && record.node_known && record.sealed);
	assert_int_equal(record.term, 1);
	assert_int_equal(record.version, 1);
	assert_string_equal(record.holder, "n1");
	assert_false(record.paired || record.released || record.paused || record.sync);
	assert_int_equal(record.lease_ms, witness.n[N1].lease_ms);
	assert_false(record.final_known || record.accepted_known);
}

static void the_holder_renews_pairs_and_goes_solo(void **state)
{
	struct record record = witness_solo();

	(void)state;
	record = done(N1, RENEW, &record);
	assert_false(record.paired);
	witness.n[N1].mode = MODE_SYNC;
	record = done(N1, PAIR, &record);
	witness.n[N1].mode = MODE_ASYNC;
	assert_true(record.paired && record.sync);
	record = done(N1, RENEW, &record);
	assert_true(record.paired && record.sync);
	record = done(N1, GO_SOLO, &record);
	assert_false(record.paired || record.sync);
	record = done(N1, PAIR, &record);
	assert_true(record.paired && !record.sync);
}

static void a_renewal_tells_the_lease_of_today(void **state)
{
	struct record record = witness_paired();

	(void)state;
	witness.n[N1].lease_ms = 7000;
	record = done(N1, RENEW, &record);
	witness.n[N1].lease_ms = 5000;
	assert_int_equal(record.lease_ms, 7000);
}

static void a_release_is_resumed_only_by_word_of_it(void **state)
{
	struct record record = witness_paired();

	(void)state;
	record = done(N1, RELEASE, &record);
	assert_true(record.released && record.paired && record.final_known);
	assert_true(record.final_lsn == LSN);
	refuses(N1, RENEW, &record, "released");
	refuses(N1, GO_SOLO, &record, "released");
	refuses(N1, PAIR, &record, "released");
	record = done(N1, RESUME, &record);
	assert_false(record.released || record.final_known);
	assert_true(record.paired);
}

static void a_release_without_an_end_has_none(void **state)
{
	const struct deadline dl = deadline_in_ms(PATIENCE);
	struct record_link AUTO_RECORD link;
	struct record record = witness_paired();

	(void)state;
	record_begin(&link, &witness.n[N1], SYSTEM);
	assert_int_equal(record_release(&link, &record, &record, 0, &dl), 0);
	assert_true(record.released);
	assert_false(record.final_known);
}

static void the_other_node_takes_over_when_paired(void **state)
{
	struct record record = witness_paired();

	(void)state;
	record = done(N1, RELEASE, &record);
	record = done(N2, TAKE, &record);
	assert_int_equal(record.term, 2);
	assert_string_equal(record.holder, "n2");
	assert_false(record.paired || record.released || record.final_known || record.sync);
	refuses(N1, TAKE, &record, "solo");
	refuses(N1, RENEW, &record, "holder");
}

static void a_solo_term_goes_to_nobody_but_its_holder(void **state)
{
	struct record record = witness_solo();

	(void)state;
	refuses(N2, TAKE, &record, "solo");
	record = done(N1, TAKE, &record);
	assert_int_equal(record.term, 2);
	assert_string_equal(record.holder, "n1");
}

static void an_operators_word_takes_it_from_any_state(void **state)
{
	struct record record = witness_solo();

	(void)state;
	record = done(N2, BY_WORD, &record);
	assert_int_equal(record.term, 2);
	assert_string_equal(record.holder, "n2");
	assert_true(record.accepted_known && record.accepted_lsn == LSN);
	record = done(N2, RENEW, &record);
	assert_true(record.accepted_known);
	record = done(N2, PAIR, &record);
	assert_false(record.accepted_known);
}

static void a_pause_stands_until_it_is_lifted(void **state)
{
	struct record record = witness_paired();

	(void)state;
	record = done(N2, PAUSE, &record);
	assert_true(record.paused && record.paired);
	record = done(N1, GO_SOLO, &record);
	refuses(N1, PAIR, &record, "paused");
	record = done(N1, RENEW, &record);
	record = done(N1, TAKE, &record);
	assert_true(record.paused);
	record = done(N1, UNPAUSE, &record);
	assert_false(record.paused);
	(void)done(N1, PAIR, &record);
}

/* ---- what each refuses ---- */

static void nothing_is_written_for_an_older_row(void **state)
{
	struct record seen = witness_paired();
	struct record record;

	(void)state;
	(void)done(N1, RENEW, &seen);
	for (int write = 0; write < WRITES; write++)
		refuses(N1, (enum write)write, &seen, "stale");
	/* the version alone does not make it, nor the term */
	record = witness_look(N1);
	seen = record;
	seen.term++;
	refuses(N1, RENEW, &seen, "stale");
	seen = record;
	seen.version++;
	refuses(N1, RENEW, &seen, "stale");
	/* both: of the term before */
	record = done(N2, TAKE, &record);
	seen = record;
	seen.term--;
	refuses(N2, RENEW, &seen, "stale");
}

static void only_the_holder_writes_what_is_the_holders(void **state)
{
	const struct record record = witness_paired();

	(void)state;
	refuses(N2, RENEW, &record, "holder");
	refuses(N2, RESUME, &record, "holder");
	refuses(N2, GO_SOLO, &record, "holder");
	refuses(N2, PAIR, &record, "holder");
	refuses(N2, RELEASE, &record, "holder");
}

static void another_system_and_another_node_write_nothing(void **state)
{
	const struct record seen = witness_paired();
	const struct cfg cfg = witness.n[N1];

	(void)state;
	for (int write = 0; write < WRITES; write++) {
		struct record_link AUTO_RECORD link;
		struct record record;

		record_begin(&link, &witness.n[N1], SYSTEM + 1);
		assert_int_equal(write_by(&link, (enum write)write, &record, &seen), 0);
		assert_refused(&record, "system");
		assert_false(record.same_system);
		assert_string_equal(record.holder, "n1");
	}
	(void)snprintf(witness.n[N1].nodes[N1].name, sizeof(witness.n[N1].nodes[N1].name), "n3");
	for (int write = 0; write < WRITES; write++) {
		const struct record record = written(N1, (enum write)write, &seen);

		assert_refused(&record, "node");
		assert_false(record.node_known);
		assert_string_equal(record.holder, "n1");
	}
	witness.n[N1] = cfg;
	/* our name is in it, and its holder is a node that we do not know */
	(void)snprintf(witness.n[N2].nodes[N1].name, sizeof(witness.n[N2].nodes[N1].name), "n3");
	assert_false(witness_look(N2).node_known);
	witness.n[N2] = cfg;
	witness.n[N2].self = N2;
}

static void what_a_hand_has_changed_is_written_by_nothing(void **state)
{
	static const char *const hands[] = {
		"term = 9",          "holder = 'n2'",        "paired = false, sync = false",
		"released = true",   "paused = true",        "version = 9",
		"sync = true",       "final_lsn = '0/1'",    "lease_ms = 1",
		"nodes = '{n2,n1}'", "accepted_lsn = '0/1'", "seal = ''",
	};
	const struct record seen = witness_paired();

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(hands); i++) {
		char sql[256];
		struct record record;

		(void)snprintf(sql, sizeof(sql), "UPDATE pgvrrp.record SET %s", hands[i]);
		witness_sql("CREATE TABLE kept AS SELECT * FROM pgvrrp.record");
		witness_sql(sql);
		record = witness_look(N1);
		assert_false(record.sealed);
		for (int write = 0; write < WRITES; write++)
			refuses(N1, (enum write)write, &record, "seal");
		witness_sql("TRUNCATE pgvrrp.record;"
			    "INSERT INTO pgvrrp.record SELECT * FROM kept; DROP TABLE kept");
		assert_true(witness_look(N1).sealed);
	}
	(void)done(N1, RENEW, &seen);
}

#define TEST(name) cmocka_unit_test_setup(name, witness_empty)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(there_is_none_at_first),
		TEST(a_new_one_is_solo),
		TEST(the_holder_renews_pairs_and_goes_solo),
		TEST(a_renewal_tells_the_lease_of_today),
		TEST(a_release_is_resumed_only_by_word_of_it),
		TEST(a_release_without_an_end_has_none),
		TEST(the_other_node_takes_over_when_paired),
		TEST(a_solo_term_goes_to_nobody_but_its_holder),
		TEST(an_operators_word_takes_it_from_any_state),
		TEST(a_pause_stands_until_it_is_lifted),
		TEST(nothing_is_written_for_an_older_row),
		TEST(only_the_holder_writes_what_is_the_holders),
		TEST(another_system_and_another_node_write_nothing),
		TEST(what_a_hand_has_changed_is_written_by_nothing),
	};

	return cmocka_run_group_tests(tests, witness_begin, witness_end);
}
