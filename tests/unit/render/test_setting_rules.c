/* SPDX-License-Identifier: PostgreSQL */
/* The value that is printed for a setting, beside that of the servers: never less. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/auto.h"
#include "render/setting_rules.h"
#include "render/template.h"

#define US    SETTING_FROM_US
#define HERE  SETTING_FROM_HERE
#define FILES SETTING_FROM_FILES
#define PEER  SETTING_FROM_PEER

/* ours, in use here, in the files, on the other node: printed, and whose it is. */
struct expected {
	const char *name;
	const char *ours;
	struct setting_seen seen;
	const char *printed;
	enum setting_from from;
};

/* clang-format off */
static const struct expected table[] = {
	{ "listen_addresses", "*", { "localhost", NULL, NULL }, "*", US },
	{ "port", "5432", { "5432", "5433", NULL }, "5432", US },
	{ "unix_socket_directories", "/run/a", { NULL, NULL, NULL }, "/run/a", US },
	{ "unix_socket_directories", "/run/a", { "/run/a", NULL, NULL }, "/run/a", US },
	{ "unix_socket_directories", "/run/a", { "/tmp", NULL, NULL }, "/tmp, /run/a", HERE },
	{ "unix_socket_directories", "/run/a", { "/tmp,/run/a", NULL, NULL }, "/tmp, /run/a", HERE },
	{ "unix_socket_directories", "/run/a", { "/b", "\"/c\", /run/a", NULL }, "/b, /c, /run/a", HERE },
	{ "unix_socket_directories", "/run/a", { NULL, "/c", NULL }, "/c, /run/a", FILES },

	{ "wal_level", "replica", { NULL, NULL, NULL }, "replica", US },
	{ "wal_level", "replica", { "minimal", "minimal", NULL }, "replica", US },
	{ "wal_level", "replica", { "replica", "replica", NULL }, "replica", US },
	{ "wal_level", "replica", { "logical", "replica", NULL }, "logical", HERE },
	{ "wal_level", "replica", { "replica", "logical", NULL }, "logical", FILES },
	{ "wal_level", "replica", { "replica", "replica", "logical" }, "logical", PEER },
	{ "hot_standby", "on", { "off", "off", "off" }, "on", US },
	{ "hot_standby", "on", { "on", NULL, NULL }, "on", US },
	{ "max_wal_senders", "10", { "10", "10", NULL }, "10", US },
	{ "max_wal_senders", "10", { "5", "3", NULL }, "10", US },
	{ "max_wal_senders", "10", { "25", "30", NULL }, "30", FILES },
	{ "max_wal_senders", "10", { "9", NULL, "11" }, "11", PEER },
	{ "wal_keep_size", "1GB", { "1024", NULL, NULL }, "1GB", US },
	{ "wal_keep_size", "1GB", { "0", "512", NULL }, "1GB", US },
	{ "wal_keep_size", "1GB", { "1025", NULL, NULL }, "1025MB", HERE },
	{ "max_slot_wal_keep_size", "4GB", { NULL, NULL, NULL }, "4GB", US },
	{ "max_slot_wal_keep_size", "4GB", { "1024", NULL, NULL }, "4GB", US },
	{ "max_slot_wal_keep_size", "4GB", { "8192", NULL, NULL }, "8192MB", HERE },
	{ "max_slot_wal_keep_size", "4GB", { "8192", NULL, "-1" }, "-1", PEER },
	{ "max_slot_wal_keep_size", "4GB", { "-1", "8192", NULL }, "-1", HERE },
	{ "max_replication_slots", "10", { "4", "100", NULL }, "100", FILES },
	{ "wal_log_hints", "on", { "off", "off", NULL }, "on", US },

	/* No value of ours: a line only where somebody has raised it. */
	{ "max_connections", "", { NULL, NULL, NULL }, "", US },
	{ "max_connections", "", { "100", "100", "100" }, "", HERE },
	{ "max_connections", "", { "20", "20", NULL }, "", HERE },
	{ "max_connections", "", { "20", "20", "20" }, "", HERE },
	{ "max_connections", "", { "20", "20", "50" }, "50", PEER },
	{ "max_connections", "", { "500", "500", NULL }, "500", HERE },
	{ "max_connections", "", { "100", "500", NULL }, "500", FILES },
	{ "max_connections", "", { "100", "100", "500" }, "500", PEER },
	{ "max_connections", "", { "100", "20", "100" }, "100", HERE },
	{ "max_worker_processes", "", { "16", NULL, NULL }, "16", HERE },
	{ "max_worker_processes", "", { "8", NULL, NULL }, "", HERE },
	{ "max_prepared_transactions", "", { "0", "0", "5" }, "5", PEER },
	{ "max_prepared_transactions", "", { "0", "0", "0" }, "", HERE },
	{ "max_locks_per_transaction", "", { "64", "256", NULL }, "256", FILES },

	{ "synchronous_standby_names", "", { "x", NULL, NULL }, "", US },
	{ "synchronous_standby_names", "ANY 1 (\"a\", \"b\")", { "", NULL, NULL },
	  "ANY 1 (\"a\", \"b\")", US },
	{ "synchronous_commit", "on", { "off", "local", NULL }, "on", US },
	{ "synchronous_commit", "on", { "remote_apply", "on", NULL }, "remote_apply", HERE },
	{ "synchronous_commit", "on", { "yes", "true", NULL }, "on", US },

	{ "wal_sender_timeout", "5000ms", { "60000", NULL, NULL }, "5000ms", US },
	{ "wal_sender_timeout", "5000ms", { "100", "0", NULL }, "5000ms", US },
	{ "wal_receiver_timeout", "5000ms", { "60000", NULL, NULL }, "5000ms", US },
	{ "wal_receiver_status_interval", "1s", { "10", "0", NULL }, "1s", US },
	{ "wal_retrieve_retry_interval", "500ms", { "5000", "100", NULL }, "100ms", FILES },
	{ "tcp_keepalives_idle", "10", { "0", "7200", NULL }, "10", US },
	{ "tcp_keepalives_idle", "10", { "4", NULL, NULL }, "4s", HERE },
	{ "tcp_keepalives_interval", "5", { "3", "2", NULL }, "2s", FILES },
	{ "tcp_keepalives_count", "3", { "1", NULL, NULL }, "1", HERE },
	{ "tcp_user_timeout", "25s", { "0", NULL, NULL }, "25s", US },
	{ "tcp_user_timeout", "25s", { "5000", NULL, NULL }, "5000ms", HERE },
};
/* clang-format on */

static void each_line_is_what_the_table_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(table); i++) {
		const struct expected *e = &table[i];
		struct setting_choice choice;

		if (setting_choose(&choice, setting_rule(e->name), e->ours, &e->seen) != 0 ||
		    strcmp(choice.value, e->printed) != 0 || choice.from != e->from)
			fail_msg("row %zu, %s: \"%s\" from %d", i, e->name, choice.value,
				 (int)choice.from);
	}
}

/* ---- whatever the values, over every setting of the template ---- */

/* Of each kind, from the least; as a server and as a file may have them. */
static size_t values_of(const struct setting_rule *rule, const char *values[8])
{
	static const char *const numbers[] = { "0", "1", "7", "100", "1000", "99999" };
	static const char *const bounds[] = { "0", "1", "4096", "99999", "-1" };
	static const char *const levels[] = { "minimal", "replica", "logical" };
	static const char *const commits[] = { "off", "local", "remote_write", "on",
					       "remote_apply" };
	static const char *const modes[] = { "off", "on", "always" };
	static const char *const words[] = { "off", "on" };
	const char *const *from = numbers;
	size_t count = ARRAY_COUNT(numbers);

	if (rule->kind == SETTING_BOUND) {
		from = bounds;
		count = ARRAY_COUNT(bounds);
	} else if (rule->kind == SETTING_WORD) {
		const bool level = strcmp(rule->name, "wal_level") == 0;
		const bool commit = strcmp(rule->name, "synchronous_commit") == 0;
		const bool mode = strcmp(rule->name, "archive_mode") == 0;

		from = level ? levels : commit ? commits : mode ? modes : words;
		count = level ? 3 : commit ? 5 : mode ? 3 : 2;
	}
	for (size_t i = 0; i < count; i++)
		values[i] = from[i];
	values[count] = NULL; /* not known */
	return count + 1;
}

static void not_less(const struct setting_rule *rule, const char *printed, const char *than)
{
	int order = 0;

	if (than == NULL)
		return;
	assert_int_equal(setting_compare(rule, printed, than, &order), 0);
	if (order < 0)
		fail_msg("%s: %s is less than %s", rule->name, printed, than);
}

static void compare_all(const struct setting_rule *rule, const char *ours)
{
	const char *values[8];
	const size_t count = values_of(rule, values);

	for (size_t i = 0; i < count * count * count; i++) {
		const struct setting_seen seen = { values[i % count], values[i / count % count],
						   values[i / count / count] };
		struct setting_choice choice;

		assert_int_equal(setting_choose(&choice, rule, ours, &seen), 0);
		if (choice.value[0] == '\0') {
			/* No line: what the files say stands, and is as much as the other
			 * node has. */
			assert_string_equal(ours, "");
			if (seen.files != NULL && seen.peer != NULL)
				not_less(rule, seen.files, seen.peer);
			continue;
		}
		not_less(rule, choice.value, ours[0] != '\0' ? ours : NULL);
		not_less(rule, choice.value, seen.here);
		not_less(rule, choice.value, seen.files);
		not_less(rule, choice.value, seen.peer);
	}
}

/* "NAME = VALUE" of the template, behind its conditions. */
static bool setting_of_line(const char *line, char *name, char *value)
{
	const char *at = line;

	while (at[0] == '@' && (at[1] == '?' || at[1] == '!'))
		at = strchr(at + 2, '@') + 1;
	value[0] = '\0';
	return sscanf(at, "%63[a-z_] = %*1[']%63[^'\n]", name, value) >= 1 &&
	       strchr(at, '=') != NULL && at[0] != '#' &&
	       (value[0] != '\0' || sscanf(at, "%63[a-z_] = %63[^'\n]", name, value) >= 1);
}

static void no_setting_of_the_template_is_lowered(void **state)
{
	char path[512], name[64], value[64];
	FILE AUTO_FILE *file =
	    template_open("keepalived", "postgresql.conf.in", path, sizeof(path));
	char AUTO_FREE *line = NULL;
	size_t capacity = 0, compared = 0, lines = 0;

	(void)state;
	assert_non_null(file);
	while (getline(&line, &capacity, file) >= 0) {
		const struct setting_rule *rule;
		bool listed = false;

		if (!setting_of_line(line, name, value))
			continue;
		lines++;
		rule = setting_rule(name);
		if (rule == NULL)
			fail_msg("%s has no rule", name);
		for (size_t i = 0; i < ARRAY_COUNT(table); i++)
			listed = listed || strcmp(table[i].name, name) == 0;
		if (!listed)
			fail_msg("%s is not in this test's table", name);
		if (rule->kind == SETTING_OURS || rule->kind == SETTING_LIST)
			continue;
		compare_all(rule, value);
		compared++;
	}
	assert_in_range(lines, 24, 40);
	assert_in_range(compared, 16, 40);
}

static void a_setting_without_a_value_has_the_standard(void **state)
{
	(void)state;
	for (size_t i = 0; i < SETTING_RULES; i++) {
		if (setting_rules[i].standard != NULL)
			compare_all(&setting_rules[i], "");
	}
}

/* ---- reading ---- */

static void values_are_compared_whatever_their_unit(void **state)
{
	const struct setting_rule *keep = setting_rule("wal_keep_size");
	int order = 9;

	(void)state;
	assert_int_equal(setting_compare(keep, "1GB", "1024", &order), 0);
	assert_int_equal(order, 0);
	assert_int_equal(setting_compare(keep, "1.5 GB", "1535MB", &order), 0);
	assert_int_equal(order, 1);
	assert_int_equal(setting_compare(keep, "1048575kB", "1TB", &order), 0);
	assert_int_equal(order, -1);
	assert_true(setting_same(setting_rule("wal_sender_timeout"), "5s", "5000"));
	assert_true(setting_same(setting_rule("wal_sender_timeout"), "1min", "60000ms"));
	assert_false(setting_same(setting_rule("wal_sender_timeout"), "5s", "5"));
}

/* A word that is not known may be more than all: nothing is printed then. */
static void what_cannot_be_read_is_not_compared(void **state)
{
	static const char *const bad[][2] = {
		{ "wal_level", "everything" }, { "wal_keep_size", "much" },
		{ "wal_keep_size", "1 mile" }, { "max_connections", "" },
		{ "max_wal_senders", "10MB" }, { "max_wal_senders", "nan" },
		{ "max_wal_senders", "1e300" }
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
		const struct setting_seen seen = { .here = bad[i][1] };
		struct setting_choice choice;

		assert_int_equal(setting_choose(&choice, setting_rule(bad[i][0]), "1", &seen),
				 -EINVAL);
	}
	assert_null(setting_rule("no_such_setting"));
}

static void what_is_replaced_or_raised_is_told(void **state)
{
	const struct setting_seen off = { .here = "off" }, same = { .here = "5000" };
	struct setting_choice choice;

	(void)state;
	assert_int_equal(setting_choose(&choice, setting_rule("hot_standby"), "on", &off), 0);
	assert_string_equal(choice.raised, "off");
	assert_int_equal(
	    setting_choose(&choice, setting_rule("wal_sender_timeout"), "5000ms", &same), 0);
	assert_null(choice.replaced);
	assert_int_equal(setting_choose(&choice, setting_rule("wal_sender_timeout"), "4s", &same),
			 0);
	assert_string_equal(choice.replaced, "5000");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_line_is_what_the_table_says),
		cmocka_unit_test(no_setting_of_the_template_is_lowered),
		cmocka_unit_test(a_setting_without_a_value_has_the_standard),
		cmocka_unit_test(values_are_compared_whatever_their_unit),
		cmocka_unit_test(what_cannot_be_read_is_not_compared),
		cmocka_unit_test(what_is_replaced_or_raised_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
