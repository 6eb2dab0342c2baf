/* SPDX-License-Identifier: PostgreSQL */
/* libpq under a deadline: which failure it was, how long it took, and nothing but what
 * was asked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/deadline.h"
#include "pgattempt.h"
#include "pgstage.h"
#include "postgres/pg.h"

#define NOBODY   "10.99.0.3" /* an address of ours without a server: the VIP of the cluster here */
#define PATIENCE 2000

static struct cfg cluster_at(const char *vip)
{
	struct cfg cfg = pgstage.cfg[0];

	(void)snprintf(cfg.vip, sizeof(cfg.vip), "%s", vip);
	return cfg;
}

/* ---- connecting ---- */

static void opens_local_by_socket_and_peer_by_tcp(void **state)
{
	(void)state;
	assert_int_equal(attempt(&pgstage.cfg[0], PG_LOCAL, PATIENCE).rc, 0);
	assert_int_equal(attempt(&pgstage.cfg[1], PG_PEER, PATIENCE).rc, 0);
}

static void refused_where_nobody_listens(void **state)
{
	const struct cfg cfg = cluster_at(NOBODY);
	const struct attempt made = attempt(&cfg, PG_VIP, PATIENCE);

	(void)state;
	assert_int_equal(made.failure, PG_FAIL_REFUSED);
	assert_int_equal(made.rc, -ECONNREFUSED);
	assert_string_equal(made.why, "Connection refused");
	assert_in_range(made.took_ms, 0, 200);
}

static void refused_without_a_socket_and_with_a_stale_one(void **state)
{
	struct cfg cfg = pgstage.cfg[0];
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int AUTO_FD fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)state;
	(void)snprintf(cfg.socket_dir, sizeof(cfg.socket_dir), "%s", pgstage.dir);
	assert_int_equal(attempt(&cfg, PG_LOCAL, PATIENCE).failure, PG_FAIL_REFUSED);

	(void)snprintf(un.sun_path, sizeof(un.sun_path), "%s/.s.PGSQL.%d", pgstage.dir,
		       PGFIXTURE_PORT);
	assert_int_equal(bind(fd, (const struct sockaddr *)&un, sizeof(un)), 0);
	assert_int_equal(attempt(&cfg, PG_LOCAL, PATIENCE).failure, PG_FAIL_REFUSED);
	assert_int_equal(unlink(un.sun_path), 0);
}

static void a_socket_whose_queue_is_full_is_late(void **state)
{
	struct cfg cfg = pgstage.cfg[0];
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int AUTO_FD fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int AUTO_FD waiting = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)state;
	(void)snprintf(cfg.socket_dir, sizeof(cfg.socket_dir), "%s", pgstage.dir);
	(void)snprintf(un.sun_path, sizeof(un.sun_path), "%s/.s.PGSQL.%d", pgstage.dir,
		       PGFIXTURE_PORT);
	assert_int_equal(bind(fd, (const struct sockaddr *)&un, sizeof(un)), 0);
	assert_int_equal(listen(fd, 0), 0);
	assert_int_equal(connect(waiting, (const struct sockaddr *)&un, sizeof(un)), 0);
	assert_int_equal(attempt(&cfg, PG_LOCAL, 200).failure, PG_FAIL_LATE);
	assert_int_equal(unlink(un.sun_path), 0);
}

static void a_network_without_a_way_there_is_silent(void **state)
{
	const struct cfg cfg = cluster_at("198.51.100.1");

	(void)state;
	assert_int_equal(attempt(&cfg, PG_VIP, PATIENCE).failure, PG_FAIL_SILENT);
}

static void a_frozen_server_is_late_at_the_deadline(void **state)
{
	struct attempt made;

	(void)state;
	assert_int_equal(kill(pgstage.postmaster[0], SIGSTOP), 0);
	for (int where = PG_LOCAL; where <= PG_PEER; where++) {
		made = attempt(&pgstage.cfg[where == PG_LOCAL ? 0 : 1], (enum pg_where)where, 150);
		assert_int_equal(made.failure, PG_FAIL_LATE);
		assert_int_equal(made.rc, -ETIMEDOUT);
		assert_string_equal(made.why, "connected, then no answer");
		assert_in_range(made.took_ms, 150, 400);
	}
	assert_int_equal(kill(pgstage.postmaster[0], SIGCONT), 0);
}

static void a_passed_deadline_asks_for_nothing_more(void **state)
{
	const struct attempt made = attempt(&pgstage.cfg[1], PG_PEER, 0);

	(void)state;
	/* Whether it was connected by then is the kernel's affair. */
	assert_int_equal(made.rc, -ETIMEDOUT);
	assert_in_range(made.took_ms, 0, 100);
}

/* ---- servers that answer no ---- */

static void starting_when_it_takes_no_questions_yet(void **state)
{
	struct attempt made = { .failure = PG_FAIL_REFUSED };

	(void)state;
	assert_int_equal(pgfixture_clone(&pgstage), 0);
	assert_int_equal(pgfixture_configure(&pgstage, 1, "hot_standby = off\n"), 0);
	assert_int_equal(pgfixture_start(&pgstage, 1, false), 0);
	for (int i = 0; i < 500 && made.failure == PG_FAIL_REFUSED; i++) {
		const struct deadline pause = deadline_in_ms(10);

		made = attempt(&pgstage.cfg[1], PG_LOCAL, PATIENCE);
		deadline_sleep(&pause);
	}
	assert_int_equal(made.failure, PG_FAIL_STARTING);
	assert_int_equal(made.rc, -EAGAIN);
	assert_non_null(strstr(made.why, "the database system is"));
	assert_null(strstr(made.why, "57P03"));
	assert_int_equal(pgfixture_stop(&pgstage, 1, SIGQUIT), 0);
}

/* In sync mode, clients that wait for an absent standby keep every connection that there is. */
static void asks_as_a_walsender_when_there_is_no_connection_left(void **state)
{
	const struct deadline dl = deadline_in_ms(PATIENCE);
	struct pg_result AUTO_PG_RESULT *result = NULL;
	struct pg AUTO_PG *pg = NULL;
	enum pg_failure failure;
	char why[160];
	int64_t value = 0;

	(void)state;
	assert_int_equal(
	    pgfixture_sql(&pgstage, 0, "ALTER ROLE pgvrrp CONNECTION LIMIT 0", NULL, 0), 0);
	assert_int_equal(pg_open(&pg, &pgstage.cfg[0], PG_LOCAL, &dl, &failure, why, sizeof(why)),
			 0);
	assert_int_equal(pg_query(&result, pg, "SELECT 41 + 1", 1, 1, &dl), 0);
	assert_int_equal(pg_get_i64(result, 0, 0, &value), 0);
	assert_int_equal(value, 42);
	assert_int_equal(
	    pgfixture_sql(&pgstage, 0, "ALTER ROLE pgvrrp CONNECTION LIMIT -1", NULL, 0), 0);
}

static void auth_when_it_does_not_know_us(void **state)
{
	struct cfg cfg = pgstage.cfg[1];
	struct attempt made;

	(void)state;
	/* no line in pg_hba.conf for that role */
	(void)snprintf(cfg.role, sizeof(cfg.role), "somebody");
	assert_int_equal(attempt(&cfg, PG_PEER, PATIENCE).failure, PG_FAIL_AUTH);
	/* no password */
	cfg = pgstage.cfg[1];
	(void)snprintf(cfg.passfile, sizeof(cfg.passfile), "%s/none", pgstage.dir);
	made = attempt(&cfg, PG_PEER, PATIENCE);
	assert_int_equal(made.failure, PG_FAIL_PASSWORD);
	assert_int_equal(made.rc, -EACCES);
	/* a wrong one, and it is not shown */
	(void)snprintf(cfg.conninfo, sizeof(cfg.conninfo), "password=wrong-as-wrong");
	made = attempt(&cfg, PG_PEER, PATIENCE);
	assert_int_equal(made.failure, PG_FAIL_PASSWORD);
	assert_string_equal(made.why, "password authentication failed for user \"pgvrrp\"");
	/* TLS where there is none */
	cfg = pgstage.cfg[1];
	(void)snprintf(cfg.conninfo, sizeof(cfg.conninfo), "sslmode=require");
	assert_int_equal(attempt(&cfg, PG_PEER, PATIENCE).failure, PG_FAIL_AUTH);
}

static void other_when_the_database_is_not_there(void **state)
{
	struct cfg cfg = pgstage.cfg[0];
	struct attempt made;

	(void)state;
	(void)snprintf(cfg.database, sizeof(cfg.database), "nowhere");
	made = attempt(&cfg, PG_LOCAL, PATIENCE);
	assert_int_equal(made.failure, PG_FAIL_DATABASE);
	assert_string_equal(made.why, "database \"nowhere\" does not exist");
}

static void a_broken_conninfo_is_not_quoted_back(void **state)
{
	struct cfg cfg = pgstage.cfg[1];
	struct attempt made;

	(void)state;
	(void)snprintf(cfg.conninfo, sizeof(cfg.conninfo), "password secret-of-ours");
	made = attempt(&cfg, PG_PEER, PATIENCE);
	assert_int_equal(made.failure, PG_FAIL_OTHER);
	assert_null(strstr(made.why, "secret"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(opens_local_by_socket_and_peer_by_tcp),
		cmocka_unit_test(refused_where_nobody_listens),
		cmocka_unit_test(refused_without_a_socket_and_with_a_stale_one),
		cmocka_unit_test(a_socket_whose_queue_is_full_is_late),
		cmocka_unit_test(a_network_without_a_way_there_is_silent),
		cmocka_unit_test(a_frozen_server_is_late_at_the_deadline),
		cmocka_unit_test(a_passed_deadline_asks_for_nothing_more),
		cmocka_unit_test(starting_when_it_takes_no_questions_yet),
		cmocka_unit_test(asks_as_a_walsender_when_there_is_no_connection_left),
		cmocka_unit_test(auth_when_it_does_not_know_us),
		cmocka_unit_test(other_when_the_database_is_not_there),
		cmocka_unit_test(a_broken_conninfo_is_not_quoted_back),
	};

	return cmocka_run_group_tests(tests, pgstage_one, pgstage_end);
}
