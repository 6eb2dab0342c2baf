/* SPDX-License-Identifier: PostgreSQL */
/* cluster_status on a real pair: what is seen is what is there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/deadline.h"
#include "base/lock.h"
#include "base/outcome.h"
#include "base/state.h"
#include "node/attempt.h"
#include "node/mark.h"
#include "node/path.h"
#include "node/stamp.h"
#include "node/track.h"
#include "pgstage.h"
#include "status/status.h"

#define N1 0
#define N2 1
/* Far less than a connection takes that nobody bounds. */
#define SLACK_MS 5000
/* A server that is slow to answer is not what is tested here. */
#define PATIENT_MS 500

static void sql(const char *text)
{
	assert_int_equal(pgfixture_sql(&pgstage, N1, text, NULL, 0), 0);
}

static struct verdict look(struct status *status, size_t from)
{
	const struct cfg *cfg = &pgstage.cfg[from];
	const int64_t begun = now_ms();
	struct status_facts facts;

	status_gather(status, cfg);
	/* servers; witness, address by its neighbours, address by its server; a machine that is
	 * busy */
	assert_in_range(now_ms() - begun, 0, 1000 + 3 * cfg->probe_timeout_ms + SLACK_MS);
	facts = status_facts_of(status, cfg);
	return status_decide(&facts);
}

static void says_of_a_healthy_pair_what_only_this_node_lacks(void **state)
{
	struct status status;
	struct verdict verdict = look(&status, N1);

	(void)state;
	assert_int_equal(status.servers[N1].state, SERVER_PRIMARY);
	assert_int_equal(status.servers[N2].state, SERVER_STANDBY);
	assert_int_equal(status_primary(&status), N1);
	assert_int_equal(status.witness, FACT_YES);
	assert_int_equal(status.keepalived, FACT_NO);
	assert_int_equal(status.guard, FACT_NO);
	assert_int_equal(status.serving, -1);
	assert_false(status.lease.known);
	assert_string_equal(verdict.rule, "no-lease");
	assert_int_equal(verdict.outcome, OUT_NO);
}

static void wait_streaming(void)
{
	assert_int_equal(pgfixture_until(&pgstage, N1,
					 "SELECT count(*) FROM pg_stat_replication WHERE state = "
					 "'streaming' AND flush_lsn >= pg_current_wal_lsn()",
					 "1"),
			 0);
}

/* All it was sent lies in its socket, so it is not the path that loses it. */
static void a_standby_that_does_not_read_is_not_called_unreachable(void **state)
{
	struct status status;
	char pid[16];

	(void)state;
	status_gather(&status, &pgstage.cfg[N1]);
	assert_int_not_equal(status.flow.vanishes, FACT_YES);
	assert_int_equal(
	    pgfixture_sql(&pgstage, N2, "SELECT pid FROM pg_stat_wal_receiver", pid, sizeof(pid)),
	    0);
	assert_int_equal(kill((pid_t)strtol(pid, NULL, 10), SIGSTOP), 0);
	sql("CREATE TABLE unread AS SELECT n FROM generate_series(1, 1000) AS n");
	for (size_t from = N1; from <= N2; from++) {
		status_gather(&status, &pgstage.cfg[from]);
		assert_true(status.flow.looked);
		assert_true(status.flow.path_known);
		assert_true(status.flow.last[N1].sends);
		assert_true(status.flow.last[N1].sent_lsn > status.flow.last[N2].received_lsn);
		assert_int_equal(status.flow.vanishes, FACT_NO);
	}
	assert_true(status.flow.path.unread > 0);
	assert_int_equal(kill((pid_t)strtol(pid, NULL, 10), SIGCONT), 0);
	wait_streaming();
}

static void nft(const char *command)
{
	const char *const argv[] = { "/usr/sbin/nft", command, NULL };

	assert_int_equal(pgfixture_run(argv, false, NULL, 0), 0);
}

/* As after wal_receiver_timeout; the new connection begins with the segment. */
static void connect_anew(void)
{
	char pid[16], another[128];

	assert_int_equal(
	    pgfixture_sql(&pgstage, N2, "SELECT pid FROM pg_stat_wal_receiver", pid, sizeof(pid)),
	    0);
	assert_int_equal(kill((pid_t)strtol(pid, NULL, 10), SIGTERM), 0);
	(void)snprintf(another, sizeof(another),
		       "SELECT count(*) FROM pg_stat_wal_receiver WHERE status = 'streaming' AND "
		       "pid <> %s",
		       pid);
	assert_int_equal(pgfixture_until(&pgstage, N2, another, "1"), 0);
}

/* Questions are short, and so answered; WAL is not.  The connection is made anew meanwhile. */
static void a_path_that_loses_long_packets_is_told_at_both_ends(void **state)
{
	static const char rules[] =
	    "table ip narrow { chain in { type filter hook input priority 0; "
	    "ip saddr 10.99.0.1 tcp sport 5432 meta length > 1400 drop; }; }";
	struct status status;

	(void)state;
	nft(rules);
	sql("CREATE TABLE lost AS SELECT n FROM generate_series(1, 10000) AS n");
	for (int i = 0; i < 6; i++) {
		const size_t from = i % 2 == 0 ? N1 : N2;

		if (i == 2)
			connect_anew();
		status_gather(&status, &pgstage.cfg[from]);
		assert_int_equal(status.flow.vanishes, FACT_YES);
		assert_int_equal(status_facts_of(&status, &pgstage.cfg[from]).vanishes, FACT_YES);
		assert_true(status.flow.path_known);
		assert_true(status.flow.path.mtu > 1400);
	}
	nft("delete table ip narrow");
	wait_streaming();
	status_gather(&status, &pgstage.cfg[N1]);
	assert_int_not_equal(status.flow.vanishes, FACT_YES);
}

static void a_return_that_would_fail_is_told_before_it_is_needed(void **state)
{
	const struct cfg *cfg = &pgstage.cfg[N1];
	struct verdict attempt = NO("ready-hints", "pg_rewind would be impossible", NULL);
	struct status status;

	(void)state;
	/* Nobody has looked yet. */
	status_gather(&status, cfg);
	assert_int_equal(status_facts_of(&status, cfg).could_return, FACT_UNKNOWN);
	assert_int_equal(files_prepare(cfg), 0);
	attempt.outcome = OUT_UNKNOWN;
	assert_int_equal(attempt_write(cfg, ATTEMPT_REJOIN_CHECK, &attempt), 0);
	status_gather(&status, cfg);
	assert_int_equal(status_facts_of(&status, cfg).could_return, FACT_UNKNOWN);
	attempt.outcome = OUT_NO;
	assert_int_equal(attempt_write(cfg, ATTEMPT_REJOIN_CHECK, &attempt), 0);
	status_gather(&status, cfg);
	assert_int_equal(status_facts_of(&status, cfg).could_return, FACT_NO);
	attempt.outcome = OUT_YES;
	assert_int_equal(attempt_write(cfg, ATTEMPT_REJOIN_CHECK, &attempt), 0);
	status_gather(&status, cfg);
	assert_int_equal(status_facts_of(&status, cfg).could_return, FACT_YES);
}

static void sees_the_signs_of_life_of_this_node(void **state)
{
	const struct cfg *cfg = &pgstage.cfg[N1];
	const struct deadline dl = deadline_in_ms(1000);
	struct verdict attempt = REFUSED("unproven", "nothing proves it", NULL);
	struct status status;
	struct verdict verdict;
	int AUTO_FD guard = -1;

	(void)state;
	sql("GRANT CONNECT ON DATABASE postgres TO pgvrrp");
	assert_int_equal(files_prepare(cfg), 0);
	assert_int_equal(lock_take(&guard, file_lock(cfg, LOCK_GUARD).text, &dl), 0);
	assert_int_equal(stamp_write(cfg, STAMP_KEEPALIVED, now_ms(), "check"), 0);
	assert_int_equal(stamp_write(cfg, STAMP_LEASE, now_ms() + 4000, "vote"), 0);
	assert_int_equal(track_write(cfg, TRACK_SERVING, TRACK_YES), 0);
	assert_int_equal(attempt_write(cfg, ATTEMPT_PROMOTE, &attempt), 0);
	verdict = look(&status, N1);
	assert_int_equal(status.guard, FACT_YES);
	assert_int_equal(status.keepalived, FACT_YES);
	assert_true(status.lease.known);
	assert_in_range(status.lease.away_ms, 1000, 4000);
	assert_string_equal(status.lease.word, "vote");
	assert_int_equal(status.fenced.present, FACT_NO);
	assert_int_equal(status.serving, TRACK_YES);
	assert_non_null(strstr(status.attempts[ATTEMPT_PROMOTE].text, "unproven"));
	assert_string_equal(status.attempts[ATTEMPT_REJOIN].text, "");
	/* Only the virtual address, which nobody has here, is amiss or not to be seen. */
	assert_true(strcmp(verdict.rule, "vip-misplaced") == 0 ||
		    strcmp(verdict.rule, "not-all-known") == 0);

	/* An address that this host has: it is here. */
	(void)snprintf(pgstage.cfg[N1].vip, sizeof(pgstage.cfg[N1].vip), "10.99.0.3");
	attempt = (struct verdict){ .outcome = OUT_UNKNOWN, .rule = "ready-unknown" };
	assert_int_equal(attempt_write(cfg, ATTEMPT_REJOIN_CHECK, &attempt), 0);
	verdict = look(&status, N1);
	assert_int_equal(status.vip, VIP_HERE);
	assert_string_equal(verdict.rule, "rejoin-unchecked");
	attempt = (struct verdict)YES("ready", "it could", NULL);
	assert_int_equal(attempt_write(cfg, ATTEMPT_REJOIN_CHECK, &attempt), 0);
	verdict = look(&status, N1);
	assert_string_equal(verdict.rule, "healthy");

	sql("REVOKE EXECUTE ON FUNCTION pg_promote(boolean, integer) FROM pgvrrp");
	verdict = look(&status, N1);
	assert_string_equal(verdict.rule, "rights-missing");
	assert_int_equal(status_forecast(&status, cfg).takes_over, FACT_NO);
	sql("GRANT EXECUTE ON FUNCTION pg_promote(boolean, integer) TO pgvrrp");

	assert_int_equal(fenced_write(cfg, "a test", FENCED_BY_OPERATOR), 0);
	verdict = look(&status, N1);
	assert_string_equal(verdict.rule, "fenced");
	assert_string_equal(status.fenced.reason, "a test");
	assert_int_equal(fenced_clear(cfg), 0);
}

static void expect_reloads(enum fact reloads)
{
	struct status status;

	(void)look(&status, N1);
	assert_int_equal(status_facts_of(&status, &pgstage.cfg[N1]).reloads, reloads);
}

/* Of either node, since each is needed. */
static void an_error_in_a_configuration_file_is_told_before_it_hurts(void **state)
{
	(void)state;
	expect_reloads(FACT_YES);
	for (size_t i = 0; i < CFG_NODES; i++) {
		const struct file_path extra = file_data(&pgstage.cfg[i], "extra.conf");

		assert_int_equal(
		    pgfixture_configure(&pgstage, i, "include_if_exists = 'extra.conf'\n"), 0);
		assert_int_equal(state_write(extra.text, "nonsense = on\n", 0644, false), 0);
		expect_reloads(FACT_NO);
		assert_int_equal(state_write(extra.text, "", 0644, false), 0);
		expect_reloads(FACT_YES);
	}
	sql("REVOKE EXECUTE ON FUNCTION pg_show_all_file_settings() FROM pgvrrp");
	expect_reloads(FACT_UNKNOWN);
	sql("GRANT EXECUTE ON FUNCTION pg_show_all_file_settings() TO pgvrrp");
}

static void a_frozen_peer_and_a_missing_witness_cost_their_timeout_only(void **state)
{
	struct cfg *cfg = &pgstage.cfg[N1];
	struct status status;
	struct verdict verdict;

	(void)state;
	(void)snprintf(cfg->witness_address, sizeof(cfg->witness_address), "198.51.100.1");
	assert_int_equal(kill(pgstage.postmaster[N2], SIGSTOP), 0);
	verdict = look(&status, N1);
	assert_int_equal(kill(pgstage.postmaster[N2], SIGCONT), 0);
	assert_int_equal(status.servers[N2].state, SERVER_UNKNOWN);
	assert_int_equal(status.servers[N2].failure, PG_FAIL_LATE);
	assert_non_null(strstr(status.servers[N2].why, "connected, no answer within "));
	assert_true(status_facts_of(&status, cfg).only_late);
	assert_int_not_equal(status.witness, FACT_YES);
	assert_int_not_equal(verdict.outcome, OUT_YES);
	assert_int_equal(status_forecast(&status, cfg).takes_over, FACT_UNKNOWN);
	(void)snprintf(cfg->witness_address, sizeof(cfg->witness_address), "10.99.0.3");
}

static void says_what_is_wrong_when_the_standby_is_down(void **state)
{
	struct status status;
	struct verdict verdict;

	(void)state;
	assert_int_equal(stamp_write(&pgstage.cfg[N1], STAMP_LEASE, now_ms() + 4000, "vote"), 0);
	assert_int_equal(pgfixture_stop(&pgstage, N2, SIGINT), 0);
	verdict = look(&status, N1);
	assert_string_equal(verdict.rule, "standby-down");
	assert_int_equal(status_forecast(&status, &pgstage.cfg[N1]).takes_over, FACT_NO);
	verdict = look(&status, N2);
	assert_string_equal(verdict.rule, "standby-down");
	assert_int_equal(pgfixture_stop(&pgstage, N1, SIGINT), 0);
	assert_string_equal(look(&status, N2).rule, "no-primary");
	assert_int_equal(status_primary(&status), -1);
}

static int set_up(void **state)
{
	const int rc = pgstage_pair(state);

	pgstage.cfg[N1].probe_timeout_ms = pgstage.cfg[N2].probe_timeout_ms = PATIENT_MS;
	return rc;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_of_a_healthy_pair_what_only_this_node_lacks),
		cmocka_unit_test(a_standby_that_does_not_read_is_not_called_unreachable),
		cmocka_unit_test(a_path_that_loses_long_packets_is_told_at_both_ends),
		cmocka_unit_test(a_return_that_would_fail_is_told_before_it_is_needed),
		cmocka_unit_test(sees_the_signs_of_life_of_this_node),
		cmocka_unit_test(an_error_in_a_configuration_file_is_told_before_it_hurts),
		cmocka_unit_test(a_frozen_peer_and_a_missing_witness_cost_their_timeout_only),
		cmocka_unit_test(says_what_is_wrong_when_the_standby_is_down),
	};

	return cmocka_run_group_tests(tests, set_up, pgstage_end);
}
