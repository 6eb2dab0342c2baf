/* SPDX-License-Identifier: PostgreSQL */
/* May a row be believed?  Every combination, against a second wording. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "record/record_trust.h"

#define HERE "7/00000001"
#define COPY "7/00000002"

/* The row is of this term and version; what is remembered lies around it. */
#define TERM    INT64_C(5)
#define VERSION INT64_C(50)

static const struct cfg cfg = { .nodes = { { .name = "n1" }, { .name = "n2" } }, .self = 0 };

static struct record row(int64_t term, int64_t version, const char *holder)
{
	struct record record = { .present = FACT_YES,
				 .schema = RECORD_SCHEMA,
				 .same_system = true,
				 .node_known = true,
				 .sealed = true,
				 .term = term,
				 .version = version,
				 .lease_ms = 5000 };

	(void)snprintf(record.holder, sizeof(record.holder), "%s", holder);
	(void)snprintf(record.origin, sizeof(record.origin), HERE);
	return record;
}

static struct record_memory seen(enum fact known, int64_t term, int64_t version, const char *holder)
{
	struct record_memory memory = { .known = known, .term = term, .version = version };

	(void)snprintf(memory.holder, sizeof(memory.holder), "%s", holder);
	(void)snprintf(memory.origin, sizeof(memory.origin), HERE);
	return memory;
}

/* ---- the second wording ---- */

/* Nothing that was seen, by whichever file, is newer than the row or says otherwise. */
static bool agrees(const struct record *r, const struct record_memory *m)
{
	const struct record *n = &m->newest;
	const bool kept = m->known == FACT_YES && m->term >= r->term;
	const bool fresh = n->present == FACT_YES && n->term >= r->term;
	const bool kept_other = strcmp(m->holder, r->holder) != 0;
	const bool fresh_other = strcmp(n->holder, r->holder) != 0;
	const bool kept_there = strcmp(m->origin, COPY) == 0;
	const bool fresh_there = strcmp(n->origin, COPY) == 0;

	return !(kept && (m->term > r->term || m->version > r->version || kept_other)) &&
	       !(fresh && (n->term > r->term || n->version > r->version || fresh_other)) &&
	       !(kept && kept_there) && !(fresh && fresh_there) &&
	       !(fresh && n->version == r->version && n->paired != r->paired);
}

static bool is_good(const struct record *r, const struct record_memory *m)
{
	return r->present == FACT_YES && r->schema == RECORD_SCHEMA && r->same_system &&
	       r->node_known && r->sealed && m->known != FACT_UNKNOWN && agrees(r, m);
}

static enum record_trust second(const struct record *r, const struct record_memory *m)
{
	const bool there = r->present == FACT_YES;

	if (is_good(r, m))
		return RECORD_GOOD;
	if (r->present == FACT_UNKNOWN)
		return RECORD_SILENT;
	if (r->schema != RECORD_SCHEMA)
		return RECORD_OTHER_SCHEMA;
	if (!there)
		return RECORD_ABSENT;
	if (!r->same_system || !r->node_known)
		return r->same_system ? RECORD_OTHER_NODES : RECORD_OTHER_SYSTEM;
	if (r->sealed && m->known == FACT_UNKNOWN)
		return RECORD_UNPROVEN;
	return r->sealed ? RECORD_BACKWARDS : RECORD_EDITED;
}

static unsigned tried, good;

static void compare(const struct record *r, const struct record_memory *m)
{
	const enum record_trust trust = record_trust(r, m);

	if (trust != second(r, m))
		fail_msg("%d, wanted %d (term %d version %d)", (int)trust, (int)second(r, m),
			 (int)m->term, (int)m->version);
	/* Safety, once more and alone. */
	if (trust == RECORD_GOOD && !is_good(r, m))
		fail_msg("good, and it is not");
	tried++;
	good += trust == RECORD_GOOD;
}

/* Seen at this server, at another one, or by a release that did not look which one it was. */
static void from_every_server(const struct record *r, struct record_memory m)
{
	static const char *const origins[] = { HERE, COPY, "" };

	for (int i = 0; i < 9; i++) {
		(void)snprintf(m.origin, sizeof(m.origin), "%s", origins[i % 3]);
		(void)snprintf(m.newest.origin, sizeof(m.newest.origin), "%s", origins[i / 3]);
		compare(r, &m);
	}
}

/* The memory in run_dir: nothing, or a row around this one, the same or another in content. */
static void with_every_newest(const struct record *r, struct record_memory m)
{
	m.newest = (struct record){ .present = FACT_UNKNOWN };
	from_every_server(r, m);
	for (int i = 0; i < 3 * 3 * 4; i++) {
		m.newest = row(TERM - 1 + i % 3, VERSION - 1 + i / 3 % 3, i / 9 % 2 ? "n2" : "n1");
		m.newest.paired = i / 18 % 2 != 0;
		from_every_server(r, m);
	}
}

static void with_every_memory(const struct record *r)
{
	for (int i = 0; i < 3 * 3 * 3 * 2; i++)
		with_every_newest(r, seen((enum fact)(i % 3), TERM - 1 + i / 3 % 3,
					  VERSION - 1 + i / 9 % 3, i / 27 % 2 ? "n2" : "n1"));
}

static void every_combination_agrees_with_a_second_wording(void **state)
{
	(void)state;
	for (int i = 0; i < 3 * 3 * 16; i++) {
		struct record r = row(TERM, VERSION, "n1");

		r.present = (enum fact)(i % 3);
		r.schema = i / 3 % 3;
		r.same_system = i / 9 % 2 != 0;
		r.node_known = i / 18 % 2 != 0;
		r.sealed = i / 36 % 2 != 0;
		r.paired = i / 72 % 2 != 0;
		with_every_memory(&r);
	}
	assert_int_equal(tried, 144 * 54 * 37 * 9);
	assert_true(good > 0 && good < tried / 100);
}

/* ---- single cases, in words ---- */

static void nothing_is_good_by_default(void **state)
{
	const struct record record = { 0 };
	const struct record_memory memory = { 0 };

	(void)state;
	assert_int_equal(record_trust(&record, &memory), RECORD_SILENT);
	assert_int_equal(RECORD_SILENT, 0);
}

static void a_copy_counts_from_the_first_term_that_is_new(void **state)
{
	struct record record = row(TERM, VERSION + 9, "n1");
	struct record_memory memory = seen(FACT_YES, TERM, VERSION, "n1");

	(void)state;
	assert_int_equal(record_trust(&record, &memory), RECORD_GOOD);
	(void)snprintf(record.origin, sizeof(record.origin), COPY);
	assert_int_equal(record_trust(&record, &memory), RECORD_BACKWARDS);
	record.term++;
	assert_int_equal(record_trust(&record, &memory), RECORD_GOOD);
}

static void every_field_but_the_version_counts_as_a_change(void **state)
{
	const struct record a = row(TERM, VERSION, "n1");
	struct record others[11];
	struct record same = a;

	(void)state;
	same.version++;
	same.asked_ms++;
	same.answered_ms++;
	assert_true(record_says_same(&a, &same));
	for (size_t i = 0; i < ARRAY_COUNT(others); i++)
		others[i] = a;
	others[0].term++;
	others[1].holder[1] = '2';
	others[2].paired = true;
	others[3].released = true;
	others[4].paused = true;
	others[5].sync = true;
	others[6].lease_ms++;
	others[7].final_known = true;
	others[8].final_lsn = 1;
	others[9].accepted_known = true;
	others[10].accepted_lsn = 1;
	for (size_t i = 0; i < ARRAY_COUNT(others); i++)
		assert_false(record_says_same(&a, &others[i]));
}

static void what_may_be_replaced(void **state)
{
	(void)state;
	for (int trust = 0; trust < RECORD_TRUSTS; trust++) {
		const bool may =
		    trust == RECORD_ABSENT || trust == RECORD_EDITED || trust == RECORD_BACKWARDS;

		assert_true(record_replaceable((enum record_trust)trust) == may);
	}
}

static void the_next_term_is_above_all_that_are_known(void **state)
{
	const struct record absent = { .present = FACT_NO };
	struct record record = row(TERM, VERSION, "n1");
	struct record_memory memory = { .known = FACT_NO, .term = 99 };

	(void)state;
	assert_int_equal(record_next_term(&absent, &memory), 1);
	assert_int_equal(record_next_term(&record, &memory), TERM + 1);
	memory.known = FACT_YES;
	assert_int_equal(record_next_term(&record, &memory), 100);
	memory.newest = row(200, 1, "n1");
	assert_int_equal(record_next_term(&record, &memory), 201);
	record.term = 300;
	assert_int_equal(record_next_term(&record, &memory), 301);
	/* by hand, and it would leave no term for the next change of primary */
	record.term = INT64_MAX;
	assert_int_equal(record_next_term(&record, &memory), 201);
}

static void each_has_its_words(void **state)
{
	(void)state;
	for (int i = 0; i < RECORD_TRUSTS; i++) {
		const enum record_trust trust = (enum record_trust)i;

		assert_string_not_equal(record_trust_word(trust), "");
		assert_true((record_trust_message(trust) == NULL) == (trust == RECORD_GOOD));
		assert_true((record_trust_hint(trust) == NULL) == (trust == RECORD_GOOD));
		for (int j = 0; j < i; j++)
			assert_string_not_equal(record_trust_word((enum record_trust)j),
						record_trust_word(trust));
	}
}

static void assert_words(const struct record *record, const char *wanted)
{
	char text[200];

	record_words(record, &cfg, text, sizeof(text));
	assert_string_equal(text, wanted);
	/* cut, not overrun */
	record_words(record, &cfg, text, 20);
	assert_int_equal(strlen(text), 19);
}

static void a_row_in_one_sentence(void **state)
{
	struct record record = row(4, 1, "n1");

	(void)state;
	assert_words(&record, "n1 holds term 4 alone");
	record.paired = true;
	assert_words(&record, "n1 holds term 4 and n2 may take over (async)");
	record.sync = true;
	assert_words(&record, "n1 holds term 4 and n2 may take over (sync)");
	record.released = true;
	assert_words(&record, "n1 holds term 4 and n2 may take over (sync); it is down");
	record.final_known = true;
	record.final_lsn = UINT64_C(0x1600000060);
	assert_words(&record, "n1 holds term 4 and n2 may take over (sync); it is down, its WAL "
			      "ends at 16/60");
	record = row(12, 1, "n2");
	record.paused = true;
	record.accepted_known = true;
	record.accepted_lsn = 0x10;
	assert_words(&record, "n2 holds term 12 alone; failover is paused; an operator accepted "
			      "what there was up to 0/10");
	record = row(12, 1, "n2");
	record.paired = true;
	assert_words(&record, "n2 holds term 12 and n1 may take over (async)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_combination_agrees_with_a_second_wording),
		cmocka_unit_test(nothing_is_good_by_default),
		cmocka_unit_test(a_copy_counts_from_the_first_term_that_is_new),
		cmocka_unit_test(every_field_but_the_version_counts_as_a_change),
		cmocka_unit_test(what_may_be_replaced),
		cmocka_unit_test(the_next_term_is_above_all_that_are_known),
		cmocka_unit_test(each_has_its_words),
		cmocka_unit_test(a_row_in_one_sentence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
