/* SPDX-License-Identifier: PostgreSQL */
/* The meaning of the record in words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/auto.h"
#include "record/record_view.h"

static const struct cfg cfg = { .name = "main",
				.nodes = { { .name = "n1" }, { .name = "n2" } },
				.self = 1,
				.witness_kind = WITNESS_POSTGRES };

static struct record row(bool paired, bool released, bool paused)
{
	return (struct record){ .present = FACT_YES,
				.asked_ms = 5000,
				.schema = RECORD_SCHEMA,
				.same_system = true,
				.node_known = true,
				.sealed = true,
				.term = 2,
				.version = 9,
				.holder = "n1",
				.paired = paired,
				.released = released,
				.paused = paused,
				.lease_ms = 5000 };
}

static void means(const struct record *record, const char *taker, const char *wanted)
{
	const char *may = record_may_take(record, &cfg);
	char meaning[320];

	record_meaning(record, &cfg, meaning, sizeof(meaning));
	if (strstr(meaning, wanted) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", wanted, meaning);
	if (taker == NULL)
		assert_null(may);
	else
		assert_string_equal(may, taker);
}

static void who_may_take_over_is_said_by_name(void **unused)
{
	struct record record = row(true, false, false);

	(void)unused;
	means(&record, "n2", "n1 serves under a lease; n2 may take over");
	(void)snprintf(record.holder, sizeof(record.holder), "n2");
	means(&record, "n1", "n2 serves under a lease; n1 may take over");
	record = row(true, false, true);
	means(&record, "n2", "n1 was asked to go on alone; until it has done so, n2 may");
	record = row(true, true, false);
	means(&record, "n2", "n1 does not serve; n2 may take over at once");
	record.final_known = true;
	record.final_lsn = 0x16B374D8;
	means(&record, "n2", "at once, with all that n1 wrote up to 0/16B374D8");
}

static void who_must_not_and_why(void **unused)
{
	struct record record = row(false, false, false);

	(void)unused;
	means(&record, NULL,
	      "only n1 may serve; n2 must not be promoted, because it may lack what was "
	      "committed without it");
	record.paused = true;
	means(&record, NULL, "n2 must not be promoted, because an operator wants no takeover");
	record = row(false, true, false);
	means(&record, NULL, "only n1 may serve, and it does not; n2 must not be promoted");
}

static void still_is_counted_from_the_first_look(void **unused)
{
	struct record_view view = { .trust = RECORD_GOOD, .record = row(true, false, false) };

	(void)unused;
	assert_int_equal(record_view_still_ms(&view), -1);
	view.memory = (struct record_memory){
		.known = FACT_YES, .newest = view.record, .first_ms = 1500, .last_ms = 4000
	};
	assert_int_equal(record_view_still_ms(&view), 3500);
	view.record.version++;
	assert_int_equal(record_view_still_ms(&view), -1);
	view.record = row(true, false, false);
	view.trust = RECORD_EDITED;
	assert_int_equal(record_view_still_ms(&view), -1);
}

static char *printed(const struct record_view *view, bool as_json)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	struct json json;

	assert_non_null(out);
	if (as_json) {
		json_begin(&json, out);
		record_print_json(&json, view, &cfg);
		json_end(&json);
	} else {
		record_print(view, &cfg, out);
	}
	assert_int_equal(fclose(out), 0);
	return text;
}

static void has(const struct record_view *view, bool as_json, const char *wanted)
{
	char AUTO_FREE *text = printed(view, as_json);

	if (strstr(text, wanted) == NULL)
		fail_msg("\"%s\" is not in\n%s", wanted, text);
}

static void what_is_not_trusted_means_nothing(void **unused)
{
	struct record_view view = { .trust = RECORD_SILENT };

	(void)unused;
	(void)snprintf(view.why, sizeof(view.why), "connection refused");
	has(&view, false, "trust         no answer: connection refused\n");
	has(&view, false, "meaning       nothing: it permits no takeover\n");
	has(&view, true, "\"term\":null,\"version\":null");
	has(&view, true, "\"may_take_over\":null,\"meaning\":null");
	view = (struct record_view){ .trust = RECORD_EDITED, .record = row(true, false, false) };
	has(&view, false, "would say     term 2, version 9, holder n1\n");
	has(&view, true, "\"trust\":\"edited by hand\"");
	has(&view, true, "\"paired\":true");
	has(&view, true, "\"may_take_over\":null,\"meaning\":null");
	/* Of a schema that we do not speak no column is ours to read. */
	view.trust = RECORD_OTHER_SCHEMA;
	view.record.schema = RECORD_SCHEMA + 1;
	has(&view, true, "\"term\":null,\"version\":null");
}

static void a_good_one_is_shown_whole(void **unused)
{
	struct record_view view = { .trust = RECORD_GOOD, .record = row(true, true, true) };

	(void)unused;
	view.record.sync = true;
	view.record.final_known = true;
	view.record.final_lsn = 0x28;
	view.record.accepted_known = true;
	view.record.accepted_lsn = 0x10;
	has(&view, false, "takeover      possible: paired in sync mode\n");
	has(&view, false, "final LSN     0/28\n");
	has(&view, false, "accepted LSN  0/10\n");
	has(&view, false, "version       9, new to this node\n");
	has(&view, true, "\"final_lsn\":\"0/28\",\"accepted_lsn\":\"0/10\",\"unchanged_ms\":null");
	view.record.paired = false;
	has(&view, false, "takeover      not possible: solo\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_may_take_over_is_said_by_name),
		cmocka_unit_test(who_must_not_and_why),
		cmocka_unit_test(still_is_counted_from_the_first_look),
		cmocka_unit_test(what_is_not_trusted_means_nothing),
		cmocka_unit_test(a_good_one_is_shown_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
