/* SPDX-License-Identifier: PostgreSQL */
/* Two real servers: what n2 would print and restart with is compared with n1, before and after. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "pgstage.h"
#include "render/compared.h"
#include "render/restart.h"
#include "render/setting_lines.h"

#define N1 0
#define N2 1
#define LINES                    \
	"wal_level = replica\n"  \
	"max_wal_senders = 10\n" \
	"max_connections =\n"    \
	"max_worker_processes =\n"

static struct compared compared;

static char *print(size_t node)
{
	struct setting_report report = { .fault = "" };
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	compared_look(&compared, &pgstage.cfg[node], true);
	assert_int_equal(setting_lines(out, LINES, &compared, &pgstage.cfg[node], &report), 0);
	assert_int_equal(fclose(out), 0);
	return text;
}

static char *check(size_t node, struct restart_findings *findings)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	compared_look(&compared, &pgstage.cfg[node], true);
	restart_print(out, findings, &compared, &pgstage.cfg[node], LINES);
	assert_int_equal(fclose(out), 0);
	return text;
}

static void has(const char *text, const char *words)
{
	if (strstr(text, words) == NULL)
		fail_msg("\"%s\" is not in\n%s", words, text);
}

static void configure(size_t node, const char *lines)
{
	assert_int_equal(pgfixture_configure(&pgstage, node, lines), 0);
}

static void start_again(size_t node)
{
	assert_int_equal(pgfixture_stop(&pgstage, node, SIGINT), 0);
	assert_int_equal(pgfixture_start(&pgstage, node, true), 0);
}

static void a_pair_that_is_alike_needs_nothing(void **state)
{
	struct restart_findings findings;
	char AUTO_FREE *text = print(N2);
	char AUTO_FREE *said = check(N2, &findings);

	(void)state;
	has(text, "# Compared with the server of n1.\n");
	has(text, "wal_level = replica\n");
	assert_null(strstr(text, "max_connections"));
	assert_int_equal(findings.count, 0);
	has(said, "breaks nothing");
}

/* As the README has it: n1 is raised, and n2 prints for itself. */
static void a_standby_gets_what_its_primary_has(void **state)
{
	struct restart_findings findings;
	char AUTO_FREE *text = NULL;
	char AUTO_FREE *primary = NULL;
	char AUTO_FREE *standby = NULL;

	(void)state;
	configure(N1, "wal_level = logical\nmax_connections = 130\nmax_wal_senders = 20\n");
	/* Before the restart of n1 it is the standby that would stop. */
	primary = check(N1, &findings);
	has(primary, "changes    max_connections: '20' now, '130' by the files\n");
	assert_int_equal(findings.count, 1);
	has(findings.list[0].message, "the standby would stop to replay");
	has(findings.list[0].detail, "max_connections: 20, the primary has 130");
	assert_int_equal(pgfixture_stop(&pgstage, N2, SIGINT), 0);
	start_again(N1);
	/* n2 is down, as after the copy. */
	standby = check(N2, &findings);
	has(standby, "not known  the server here");
	assert_int_equal(findings.count, 1);
	has(findings.list[0].message, "this standby would not start");
	has(findings.list[0].detail,
	    "max_connections: 20, the primary has 130; max_wal_senders: 10,"
	    " the primary has 20");
	text = print(N2);
	has(text, "wal_level = logical\t# in use on n1: logical; ours: replica\n");
	has(text, "max_connections = 130\t# in use on n1: 130\n");
	has(text, "max_wal_senders = 20\t# in use on n1: 20; ours: 10\n");
	assert_null(strstr(text, "max_worker_processes"));
	/* PostgreSQL's own word on both: it stops to replay without, and goes on with it. */
	assert_int_equal(pgfixture_start(&pgstage, N2, true), 0);
	assert_int_equal(
	    pgfixture_until(&pgstage, N2, "SELECT pg_get_wal_replay_pause_state()", "paused"), 0);
	configure(N2, text);
	start_again(N2);
	assert_int_equal(pgfixture_until(&pgstage, N2,
					 "SELECT pg_get_wal_replay_pause_state() || "
					 "pg_is_in_recovery()::text",
					 "not pausedtrue"),
			 0);
	free(standby);
	standby = check(N2, &findings);
	assert_int_equal(findings.count, 0);
	has(standby, "breaks nothing");
}

/* Neither its owner nor our role may see everything there. */
static void our_role_is_asked_where_the_owner_is_not_let_in(void **state)
{
	struct restart_findings findings;
	struct cfg *cfg = &pgstage.cfg[N1];
	char AUTO_FREE *said = NULL;

	(void)state;
	assert_int_equal(
	    pgfixture_sql(&pgstage, N1, "ALTER SYSTEM SET max_connections = 131", NULL, 0), 0);
	assert_int_equal(pgfixture_sql(&pgstage, N1, "SELECT pg_reload_conf()", NULL, 0), 0);
	assert_int_equal(pgfixture_until(&pgstage, N1,
					 "SELECT pending_restart FROM pg_settings"
					 " WHERE name = 'max_connections'",
					 "t"),
			 0);
	(void)snprintf(cfg->os_user, sizeof(cfg->os_user), "nobody");
	(void)snprintf(cfg->bin_dir, sizeof(cfg->bin_dir), "/nonexistent");
	said = check(N1, &findings);
	(void)snprintf(cfg->os_user, sizeof(cfg->os_user), "postgres");
	(void)snprintf(cfg->bin_dir, sizeof(cfg->bin_dir), "%s", pgstage.bin_dir);
	assert_int_equal(findings.count, 0);
	has(said, "changes    max_connections: '130' now, another value in the files\n");
	has(said, "not known  its files");
	assert_true(compared.here.known);
	assert_string_equal(server_setting(&compared.here, "max_connections")->now, "130");
	assert_false(compared.here.files_known);
	assert_true(compared.peer.known);
	assert_true(compared.peer.standby);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pair_that_is_alike_needs_nothing),
		cmocka_unit_test(a_standby_gets_what_its_primary_has),
		cmocka_unit_test(our_role_is_asked_where_the_owner_is_not_let_in),
	};

	return cmocka_run_group_tests(tests, pgstage_pair, pgstage_end);
}
