/* SPDX-License-Identifier: PostgreSQL */
/* A vote can be withdrawn, and given back, whatever is the matter with the server's configuration
 * files; and what is the matter is told while nothing depends on it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/deadline.h"
#include "base/state.h"
#include "node/mark.h"
#include "node/path.h"
#include "pgstage.h"
#include "postgres/server.h"
#include "postgres/server_config.h"

#define PATIENCE 3000
/* With it the window of the witness host would begin too long before the withdrawal. */
#define MARGIN 1000
#define N1     0
#define N2     1

static void sql(size_t node, const char *text)
{
	assert_int_equal(pgfixture_sql(&pgstage, node, text, NULL, 0), 0);
}

static void until(size_t node, const char *query, const char *wanted)
{
	assert_int_equal(pgfixture_until(&pgstage, node, query, wanted), 0);
}

/* The file that the nodes' postgresql.conf includes. */
static void put_extra(size_t node, const char *text)
{
	const struct file_path path = file_data(&pgstage.cfg[node], "extra.conf");

	assert_int_equal(state_write(path.text, text, 0644, false), 0);
}

static struct server asked(size_t from, enum pg_where where)
{
	const struct deadline dl = deadline_in_ms(PATIENCE);
	struct server server;

	server_ask(&server, &pgstage.cfg[from], where, &dl);
	return server;
}

static enum fact vote(void)
{
	const struct server local = asked(N1, PG_LOCAL);
	const struct server peer = asked(N1, PG_PEER);

	return server_votes_for(&peer, pgstage.cfg[N1].nodes[N1].address, local.system_identifier,
				local.timeline);
}

static struct server_config config_of(size_t from, enum pg_where where)
{
	const struct deadline dl = deadline_in_ms(PATIENCE);
	struct server_config config;

	server_config_ask(&config, &pgstage.cfg[from], where, &dl);
	return config;
}

static int set_up(void **state)
{
	static const char include[] = "include_if_exists = 'extra.conf'\n";
	int rc = pgstage_pair(state);

	for (size_t i = 0; i < CFG_NODES && rc == 0; i++) {
		struct cfg *cfg = &pgstage.cfg[i];

		(void)snprintf(cfg->state_dir, sizeof(cfg->state_dir), "%s/state%zu", pgstage.dir,
			       i);
		rc = mkdir(cfg->state_dir, 0755);
		if (rc == 0)
			rc = pgfixture_configure(&pgstage, i, include);
	}
	return rc;
}

/* The conninfo that the standby was begun with. */
static char conninfo[SERVER_CONNINFO_MAX];

static int back_in_order(void **state)
{
	(void)state;
	put_extra(N1, "");
	put_extra(N2, "");
	assert_int_equal(withdrawn_clear(&pgstage.cfg[N2]), 0);
	if (conninfo[0] == '\0')
		assert_int_equal(
		    server_conninfo_to_peer(&pgstage.cfg[N2], conninfo, sizeof(conninfo)), 0);
	assert_int_equal(
	    server_follow(&pgstage.cfg[N2], conninfo, &(struct deadline){ now_ms() + PATIENCE }),
	    0);
	until(N1, "SELECT state FROM pg_stat_replication", "streaming");
	assert_int_equal(vote(), FACT_YES);
	return 0;
}

static int withdraw(void)
{
	const struct deadline dl = deadline_in_ms(PATIENCE);
	const int64_t begun = now_ms();
	int rc = withdrawn_write(&pgstage.cfg[N2], conninfo);

	if (rc == 0)
		rc = server_withdraw(&pgstage.cfg[N2], &dl);
	assert_in_range(now_ms() - begun, 0, MARGIN);
	return rc;
}

static void give_back(void)
{
	const struct deadline dl = deadline_in_ms(PATIENCE);

	assert_int_equal(server_follow(&pgstage.cfg[N2], conninfo, &dl), 0);
	assert_int_equal(withdrawn_clear(&pgstage.cfg[N2]), 0);
	assert_int_equal(vote(), FACT_YES);
}

/* ---- what is the matter ---- */

static void files_in_order_are_told_to_be(void **state)
{
	(void)state;
	assert_int_equal(config_of(N1, PG_LOCAL).ignored, FACT_NO);
	assert_int_equal(config_of(N1, PG_PEER).ignored, FACT_NO);
}

static void an_unknown_word_is_told_with_its_place(void **state)
{
	struct server_config config;

	(void)state;
	put_extra(N2, "\nnonsense = on\n");
	config = config_of(N2, PG_LOCAL);
	assert_int_equal(config.ignored, FACT_YES);
	assert_non_null(strstr(config.why, "extra.conf, line 2: nonsense: unrecognized"));
	assert_int_equal(config_of(N1, PG_PEER).ignored, FACT_YES);
	assert_int_equal(config_of(N1, PG_LOCAL).ignored, FACT_NO);
	put_extra(N2, "work_mem = = 3\n");
	config = config_of(N2, PG_LOCAL);
	assert_int_equal(config.ignored, FACT_YES);
	assert_non_null(strstr(config.why, "extra.conf, line 1: syntax error"));
}

/* A reload takes all else. */
static void what_only_wants_a_restart_is_no_error(void **state)
{
	const struct deadline dl = deadline_in_ms(PATIENCE);
	struct server_config config;

	(void)state;
	put_extra(N2, "max_connections = 77\nwork_mem = 3\n");
	config = config_of(N2, PG_LOCAL);
	assert_int_equal(config.ignored, FACT_NO);
	assert_non_null(strstr(config.passed, "extra.conf, line 1: max_connections: "));
	assert_string_equal(config.why, "");
	assert_int_equal(server_config_reload(&pgstage.cfg[N2], &dl), 0);
	until(N2, "SELECT count(*) FROM pg_settings WHERE pending_restart", "1");
	assert_string_equal(config_of(N1, PG_PEER).pending, "max_connections");
	assert_int_equal(withdraw(), 0);
	assert_string_equal(asked(N2, PG_LOCAL).primary_conninfo, "");
}

static void without_the_right_to_ask_it_is_unknown(void **state)
{
	struct server_config config;

	(void)state;
	sql(N1, "REVOKE EXECUTE ON FUNCTION pg_show_all_file_settings() FROM pgvrrp");
	config = config_of(N1, PG_LOCAL);
	assert_int_equal(config.ignored, FACT_UNKNOWN);
	assert_non_null(strstr(config.why, "permission denied"));
	sql(N1, "GRANT EXECUTE ON FUNCTION pg_show_all_file_settings() TO pgvrrp");
	assert_int_equal(config_of(N1, PG_LOCAL).ignored, FACT_NO);
}

/* ---- the vote ---- */

static void a_reload_that_is_taken_ends_the_receiver(void **state)
{
	(void)state;
	assert_int_equal(withdraw(), 0);
	assert_int_equal(vote(), FACT_NO);
	assert_string_equal(asked(N2, PG_LOCAL).primary_conninfo, "");
	until(N2, "SELECT count(*) FROM pg_stat_wal_receiver", "0");
	give_back();
}

static void no_reload_is_needed(void **state)
{
	(void)state;
	put_extra(N2, "nonsense = on\n");
	assert_int_equal(withdraw(), 0);
	/* Its setting stands as it was; what it says to the other node does not. */
	assert_string_equal(asked(N1, PG_PEER).primary_conninfo, conninfo);
	assert_true(asked(N1, PG_PEER).withdrawn);
	assert_int_equal(vote(), FACT_NO);
	give_back();
	/* Nothing of it is left that would take effect later. */
	put_extra(N2, "");
	sql(N2, "SELECT pg_reload_conf()");
	until(N2, "SELECT count(*) FROM pg_stat_wal_receiver", "1");
	assert_int_equal(vote(), FACT_YES);
}

/* In its place, so that it stays its owner's. */
static void overwrite(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

/* ALTER SYSTEM itself fails there. */
static void nor_is_an_auto_conf_that_can_be_read(void **state)
{
	const struct file_path path = file_data(&pgstage.cfg[N2], "postgresql.auto.conf");
	char before[STATE_TEXT_MAX], broken[STATE_TEXT_MAX + 32];

	(void)state;
	assert_int_equal(state_read(path.text, before, sizeof(before)), 0);
	(void)snprintf(broken, sizeof(broken), "%sgarbage\n", before);
	overwrite(path.text, broken);
	assert_int_equal(withdraw(), 0);
	assert_int_equal(vote(), FACT_NO);
	give_back();
	overwrite(path.text, before);
}

/* Whatever was asked for, the other node would still be told "I follow you". */
static void without_the_mark_it_is_not_withdrawn(void **state)
{
	const struct deadline dl = deadline_in_ms(PATIENCE);

	(void)state;
	put_extra(N2, "nonsense = on\n");
	assert_int_equal(server_withdraw(&pgstage.cfg[N2], &dl), -ETIMEDOUT);
	assert_int_equal(vote(), FACT_YES);
}

static void a_restart_does_not_give_it_back(void **state)
{
	(void)state;
	put_extra(N2, "nonsense = on\n");
	assert_int_equal(withdraw(), 0);
	put_extra(N2, "");
	assert_int_equal(pgfixture_stop(&pgstage, N2, SIGQUIT), 0);
	assert_int_equal(pgfixture_start(&pgstage, N2, true), 0);
	assert_int_equal(vote(), FACT_NO);
}

#define TEST(name) cmocka_unit_test_setup(name, back_in_order)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(files_in_order_are_told_to_be),
		TEST(an_unknown_word_is_told_with_its_place),
		TEST(what_only_wants_a_restart_is_no_error),
		TEST(without_the_right_to_ask_it_is_unknown),
		TEST(a_reload_that_is_taken_ends_the_receiver),
		TEST(no_reload_is_needed),
		TEST(nor_is_an_auto_conf_that_can_be_read),
		TEST(without_the_mark_it_is_not_withdrawn),
		TEST(a_restart_does_not_give_it_back),
	};

	return cmocka_run_group_tests(tests, set_up, pgstage_end);
}
