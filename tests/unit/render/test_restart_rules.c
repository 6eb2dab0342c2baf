/* SPDX-License-Identifier: PostgreSQL */
/* The damage that a restart would do, from the facts about the server, its files and the other
 * node. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/auto.h"
#include "render/restart_rules.h"

/* With the values of a server for which nothing is to be said. */
static const char *const names[] = {
	"wal_level",    "max_replication_slots",     "max_wal_senders",
	"archive_mode", "max_connections",           "superuser_reserved_connections",
	"hot_standby",  "max_prepared_transactions", "max_locks_per_transaction",
	"port",         "max_worker_processes",
};
static const char *const values[] = { "replica", "10", "10", "off",  "100", "3",
				      "on",      "0",  "64", "5432", "8" };

static struct server_settings here, peer;
static struct restart_facts facts;
static struct restart_findings findings;

static void fill(struct server_settings *server)
{
	server_settings_begin(server, names, ARRAY_COUNT(names));
	server->known = server->files_known = true;
	for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
		struct server_setting *setting = &server->list[i];

		(void)snprintf(setting->now, sizeof(setting->now), "%s", values[i]);
		(void)snprintf(setting->next, sizeof(setting->next), "%s", values[i]);
		setting->now_known = setting->next_known = true;
	}
}

static int sound(void **state)
{
	(void)state;
	fill(&here);
	fill(&peer);
	facts = (struct restart_facts){ .here = &here,
					.peer = &peer,
					.standby = FACT_NO,
					.port = 5432,
					.libraries = FACT_YES,
					.libraries_why = "" };
	return 0;
}

static struct server_setting *setting(struct server_settings *server, const char *name)
{
	for (size_t i = 0; i < server->count; i++) {
		if (strcmp(server->list[i].name, name) == 0)
			return &server->list[i];
	}
	fail_msg("%s is not among the names", name);
	return &server->list[0];
}

static void then(const char *name, const char *value)
{
	(void)snprintf(setting(&here, name)->next, SERVER_SETTING_MAX, "%s", value);
}

static void now(const char *name, const char *value)
{
	(void)snprintf(setting(&peer, name)->now, SERVER_SETTING_MAX, "%s", value);
}

static void nothing_breaks(void)
{
	restart_decide(&findings, &facts);
	if (findings.count != 0)
		fail_msg("%s: %s", findings.list[0].message, findings.list[0].detail);
}

static void breaks(const char *message, const char *detail)
{
	restart_decide(&findings, &facts);
	assert_int_equal(findings.count, 1);
	assert_non_null(strstr(findings.list[0].message, message));
	assert_string_equal(findings.list[0].detail, detail);
	assert_true(findings.list[0].hint[0] != '\0');
}

static void a_sound_server_breaks_nothing(void **state)
{
	(void)state;
	nothing_breaks();
	here.logical_slots = here.slots = here.other_slots = 10;
	then("wal_level", "logical");
	nothing_breaks();
}

static void slots_need_their_level(void **state)
{
	(void)state;
	here.slots = 3;
	nothing_breaks();
	here.logical_slots = 2;
	breaks("a logical slot needs wal_level",
	       "2 logical slot(s), and wal_level would be replica");
	here.logical_slots = 0;
	then("wal_level", "minimal");
	then("max_wal_senders", "0");
	breaks("a slot needs wal_level = replica", "3 slot(s), and wal_level would be minimal");
}

static void there_is_room_for_every_slot(void **state)
{
	(void)state;
	here.slots = 10;
	nothing_breaks();
	here.slots = 11;
	breaks("more slots than it would take", "11 slots, and max_replication_slots would be 10");
}

static void minimal_takes_no_senders_and_no_archive(void **state)
{
	(void)state;
	then("wal_level", "minimal");
	breaks("wal_level = minimal", "max_wal_senders would be 10, archive_mode off");
	then("max_wal_senders", "0");
	nothing_breaks();
	then("archive_mode", "on");
	breaks("wal_level = minimal", "max_wal_senders would be 0, archive_mode on");
	then("archive_mode", "always");
	breaks("wal_level = minimal", "max_wal_senders would be 0, archive_mode on");
}

static void somebody_can_connect(void **state)
{
	(void)state;
	peer.known = false;
	then("max_connections", "4");
	nothing_breaks();
	then("max_connections", "3");
	breaks("no connection is left",
	       "superuser_reserved_connections would be 3, max_connections 3");
}

static void files_and_libraries_are_there(void **state)
{
	(void)state;
	facts.libraries = FACT_UNKNOWN;
	nothing_breaks();
	facts.libraries = FACT_NO;
	facts.libraries_why = "/lib/x.so: No such file";
	breaks("a library that it loads is missing", "/lib/x.so: No such file");
	facts.libraries = FACT_YES;
	here.files_unusable = true;
	(void)snprintf(here.files_why, sizeof(here.files_why), "syntax error");
	breaks("does not take its files", "syntax error");
}

static void a_standby_has_no_less_than_its_primary(void **state)
{
	static const char *const limits[] = { "max_connections", "max_worker_processes",
					      "max_wal_senders", "max_prepared_transactions",
					      "max_locks_per_transaction" };

	for (size_t i = 0; i < ARRAY_COUNT(limits); i++) {
		(void)sound(state);
		now(limits[i], "200");
		nothing_breaks(); /* here is a primary, and so may the other be */
		facts.standby = FACT_UNKNOWN;
		nothing_breaks();
		facts.standby = FACT_YES;
		restart_decide(&findings, &facts);
		assert_int_equal(findings.count, 1);
		assert_non_null(strstr(findings.list[0].message, "this standby would not start"));
		assert_non_null(strstr(findings.list[0].detail, limits[i]));
		here.known = false; /* a server that is down has files all the same */
		restart_decide(&findings, &facts);
		assert_int_equal(findings.count, 1);
		then(limits[i], "200");
		nothing_breaks();
	}
}

static void a_primary_gets_no_more_than_its_standby_has(void **state)
{
	(void)state;
	peer.standby = true;
	then("max_connections", "101");
	breaks("the standby would stop to replay", "max_connections: 100, the primary has 101");
	now("max_connections", "101");
	nothing_breaks();
	peer.known = false;
	then("max_connections", "500");
	nothing_breaks();
}

static void the_cluster_finds_its_server(void **state)
{
	(void)state;
	then("hot_standby", "off");
	breaks("would answer nobody", "hot_standby would be off");
	then("hot_standby", "on");
	then("port", "5433");
	breaks("listen where nobody looks", "port would be 5433, the configuration says 5432");
}

/* No file changes that. */
static void the_command_line_stands(void **state)
{
	struct server_setting *port = setting(&here, "port");

	(void)state;
	then("port", "5433");
	port->by_call = true;
	nothing_breaks();
	port->now_known = false;
	assert_null(restart_value(&here, "port"));
	nothing_breaks();
}

static void what_is_not_known_breaks_nothing(void **state)
{
	(void)state;
	here.slots = here.logical_slots = 99;
	for (size_t i = 0; i < here.count; i++)
		here.list[i].next_known = false;
	nothing_breaks();
	(void)sound(state);
	here.known = false;
	here.slots = here.logical_slots = 99;
	nothing_breaks();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_sound_server_breaks_nothing, sound),
		cmocka_unit_test_setup(slots_need_their_level, sound),
		cmocka_unit_test_setup(there_is_room_for_every_slot, sound),
		cmocka_unit_test_setup(minimal_takes_no_senders_and_no_archive, sound),
		cmocka_unit_test_setup(somebody_can_connect, sound),
		cmocka_unit_test_setup(files_and_libraries_are_there, sound),
		cmocka_unit_test_setup(a_standby_has_no_less_than_its_primary, sound),
		cmocka_unit_test_setup(a_primary_gets_no_more_than_its_standby_has, sound),
		cmocka_unit_test_setup(the_cluster_finds_its_server, sound),
		cmocka_unit_test_setup(the_command_line_stands, sound),
		cmocka_unit_test_setup(what_is_not_known_breaks_nothing, sound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
