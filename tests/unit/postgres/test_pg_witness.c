/* SPDX-License-Identifier: PostgreSQL */
/* The connection to a witness: TLS that names it, passwords by SCRAM, limits that can be kept. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/deadline.h"
#include "pgattempt.h"
#include "witnessfixture.h"

/* The configuration with this conninfo; %s is the fixture's directory. */
static struct cfg with(const char *before, const char *file, const char *after)
{
	struct cfg cfg = witness.n[0];
	char path[96];

	witness_file(path, sizeof(path), file);
	(void)snprintf(cfg.witness_conninfo, sizeof(cfg.witness_conninfo), "%s sslrootcert=%s %s",
		       before, path, after);
	return cfg;
}

static void comes_in(const struct cfg *cfg)
{
	const struct attempt made = attempt(cfg, PG_WITNESS, PATIENCE);

	if (made.rc != 0)
		fail_msg("%s: %s", cfg->witness_conninfo, made.why);
}

static void kept_out(const struct cfg *cfg, enum pg_failure failure, const char *why)
{
	const struct attempt made = attempt(cfg, PG_WITNESS, PATIENCE);

	if (made.failure != failure || strstr(made.why, why) == NULL)
		fail_msg("%s: %d: %s", cfg->witness_conninfo, (int)made.failure, made.why);
}

static void by_its_address_and_by_its_name(void **state)
{
	const struct cfg by_address = with("sslmode=verify-full", "ca.crt", "");
	const struct cfg by_name = with("sslmode=verify-full", "ca.crt", "host=" WITNESS_NAME);

	(void)state;
	comes_in(&by_address);
	/* No name is looked up: the address is what the configuration says. */
	comes_in(&by_name);
}

static void another_name_or_another_ca_is_not_it(void **state)
{
	struct cfg cfg = with("sslmode=verify-full", "ca.crt", "host=another.test");

	(void)state;
	kept_out(&cfg, PG_FAIL_AUTH, "does not match host name \"another.test\"");
	cfg = with("sslmode=verify-full", "other.crt", "");
	kept_out(&cfg, PG_FAIL_AUTH, "certificate verify failed");
	cfg = with("sslmode=verify-ca", "other.crt", "");
	kept_out(&cfg, PG_FAIL_AUTH, "certificate verify failed");
	cfg = with("sslmode=verify-full", "none.crt", "");
	kept_out(&cfg, PG_FAIL_AUTH, "does not exist");
}

static void it_takes_no_connection_without_tls(void **state)
{
	kept_out(&witness.n[0], PG_FAIL_AUTH, "no pg_hba.conf entry");
	(void)state;
}

static void its_address_is_the_configurations(void **state)
{
	/* a server that is there, of somebody else: hostaddr of the conninfo must not lead to it */
	const struct cfg cfg = with("sslmode=verify-full", "ca.crt", "hostaddr=10.99.0.2 port=1");

	(void)state;
	comes_in(&cfg);
}

static void passwords_are_of_the_witness_alone(void **state)
{
	struct cfg cfg = with("sslmode=verify-full", "ca.crt", "");

	(void)state;
	/* that of the nodes' own servers does not fit, and is not tried */
	(void)snprintf(cfg.witness_passfile, sizeof(cfg.witness_passfile), "%s", cfg.passfile);
	kept_out(&cfg, PG_FAIL_PASSWORD, "no password supplied");
	cfg = with("sslmode=verify-full", "ca.crt", "password=a-secret-that-is-wrong");
	kept_out(&cfg, PG_FAIL_PASSWORD, "password authentication failed for user \"recorder\"");
	cfg = with("password a-secret-that-is-wrong", "ca.crt", "");
	assert_null(strstr(attempt(&cfg, PG_WITNESS, PATIENCE).why, "secret"));
}

static void assert_setting(struct pg *pg, const char *name, const char *wanted)
{
	const struct deadline dl = deadline_in_ms(PATIENCE);
	struct pg_result AUTO_PG_RESULT *row = NULL;
	char sql[96], value[96];

	(void)snprintf(sql, sizeof(sql), "SELECT current_setting('%s')", name);
	assert_int_equal(pg_query(&row, pg, sql, 1, 1, &dl), 0);
	assert_int_equal(pg_get_text(row, 0, 0, value, sizeof(value)), 0);
	assert_string_equal(value, wanted);
}

/* The connection may be kept, so nothing of the moment at which it was opened may last. */
static void its_limits_are_not_those_of_the_moment(void **state)
{
	const struct deadline dl = deadline_in_ms(1500);
	const struct cfg cfg = with("sslmode=verify-full", "ca.crt", "");
	struct pg AUTO_PG *pg = NULL;
	struct pg_result AUTO_PG_RESULT *row = NULL;
	enum pg_failure failure;
	char why[160], value[64];

	(void)state;
	assert_int_equal(pg_open(&pg, &cfg, PG_WITNESS, &dl, &failure, why, sizeof(why)), 0);
	assert_setting(pg, "statement_timeout", "5s");
	assert_setting(pg, "tcp_keepalives_idle", "10");
	assert_setting(pg, "tcp_keepalives_interval", "5");
	assert_setting(pg, "tcp_keepalives_count", "3");
	assert_setting(pg, "search_path", "");
	assert_int_equal(
	    pg_query(&row, pg,
		     "SELECT application_name || ' ' || host(client_addr) || ' ' || ssl"
		     " FROM pg_stat_activity AS a, pg_stat_ssl AS s"
		     " WHERE a.pid = pg_backend_pid() AND s.pid = a.pid",
		     1, 1, &dl),
	    0);
	assert_int_equal(pg_get_text(row, 0, 0, value, sizeof(value)), 0);
	assert_string_equal(value, "n1/test_pg_witness 10.99.0.1 true");
}

static void a_record_is_kept_over_it(void **state)
{
	const struct deadline dl = deadline_in_ms(PATIENCE);
	const struct cfg cfg = with("sslmode=verify-full", "ca.crt", "host=" WITNESS_NAME);
	struct record_link AUTO_RECORD link;
	struct record record;

	(void)state;
	record_begin(&link, &cfg, SYSTEM);
	assert_int_equal(record_look(&link, &record, &dl), 0);
	assert_int_equal(record_create(&link, &record, &record, 1, &dl), 0);
	assert_int_equal(record_renew(&link, &record, &record, false, &dl), 0);
	assert_string_equal(record.refused, "");
	assert_int_equal(record.version, 2);
}

static void too_many_connections_are_busy(void **state)
{
	const struct cfg cfg = with("sslmode=verify-full", "ca.crt", "");
	struct attempt made;

	(void)state;
	witness_sql("ALTER ROLE recorder CONNECTION LIMIT 0");
	made = attempt(&cfg, PG_WITNESS, PATIENCE);
	witness_sql("ALTER ROLE recorder CONNECTION LIMIT -1");
	assert_int_equal(made.failure, PG_FAIL_BUSY);
	assert_non_null(strstr(made.why, "too many connections for role"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_its_address_and_by_its_name),
		cmocka_unit_test(another_name_or_another_ca_is_not_it),
		cmocka_unit_test(it_takes_no_connection_without_tls),
		cmocka_unit_test(its_address_is_the_configurations),
		cmocka_unit_test(passwords_are_of_the_witness_alone),
		cmocka_unit_test(its_limits_are_not_those_of_the_moment),
		cmocka_unit_test(a_record_is_kept_over_it),
		cmocka_unit_test(too_many_connections_are_busy),
	};

	return cmocka_run_group_tests(tests, witness_begin_with_tls, witness_end);
}
