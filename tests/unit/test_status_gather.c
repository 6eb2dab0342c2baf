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
#include "pgstage.h"
#include "status/status.h"

#define N1 0
#define N2 1

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
	/* servers, witness, address by its neighbours, address by its server */
	assert_in_range(now_ms() - begun, 0, 4 * cfg->probe_timeout_ms + 200);
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

static void a_return_that_would_fail_is_told_before_it_is_needed(void **state)
{
	const struct cfg *cfg = &pgstage.cfg[N1];
	struct verdict attempt = { .outcome = OUT_NO,
				   .rule = "ready-hints",
				   .message = "pg_rewind would be impossible" };
	struct status status;

	(void)state;
	/* Nobody has looked yet. */
	status_gather(&status, cfg);
	assert_int_equal(status_facts_of(&status, cfg).could_return, FACT_UNKNOWN);
	assert_int_equal(files_prepare(cfg), 0);
	attempt.outcome = OUT_UNKNOWN;
	assert_int_equal(attempt_write(cfg, "rejoin_check", &attempt), 0);
	status_gather(&status, cfg);
	assert_int_equal(status_facts_of(&status, cfg).could_return, FACT_UNKNOWN);
	attempt.outcome = OUT_NO;
	assert_int_equal(attempt_write(cfg, "rejoin_check", &attempt), 0);
	status_gather(&status, cfg);
	assert_int_equal(status_facts_of(&status, cfg).could_return, FACT_NO);
	attempt.outcome = OUT_YES;
	assert_int_equal(attempt_write(cfg, "rejoin_check", &attempt), 0);
	status_gather(&status, cfg);
	assert_int_equal(status_facts_of(&status, cfg).could_return, FACT_YES);
}

static void sees_the_signs_of_life_of_this_node(void **state)
{
	const struct cfg *cfg = &pgstage.cfg[N1];
	const struct deadline dl = deadline_in_ms(1000);
	struct verdict attempt = { .outcome = OUT_REFUSED,
				   .rule = "unproven",
				   .message = "nothing proves it" };
	struct status status;
	struct verdict verdict;
	int AUTO_FD guard = -1;

	(void)state;
	assert_int_equal(files_prepare(cfg), 0);
	assert_int_equal(lock_take(&guard, file_run(cfg, "guard.lock").text, &dl), 0);
	assert_int_equal(stamp_write(cfg, "keepalived", now_ms(), "check"), 0);
	assert_int_equal(stamp_write(cfg, "lease", now_ms() + 4000, "vote"), 0);
	assert_int_equal(track_write(cfg, "serving", TRACK_YES), 0);
	assert_int_equal(attempt_write(cfg, "promote_safe", &attempt), 0);
	verdict = look(&status, N1);
	assert_int_equal(status.guard, FACT_YES);
	assert_int_equal(status.keepalived, FACT_YES);
	assert_true(status.lease.known);
	assert_in_range(status.lease.away_ms, 1000, 4000);
	assert_string_equal(status.lease.word, "vote");
	assert_int_equal(status.fenced.present, FACT_NO);
	assert_int_equal(status.serving, TRACK_YES);
	assert_non_null(strstr(status.attempts[ATTEMPT_PROMOTE], "unproven"));
	assert_string_equal(status.attempts[ATTEMPT_REJOIN], "");
	/* Only the virtual address, which nobody has here, is amiss or not to be seen. */
	assert_true(strcmp(verdict.rule, "address-astray") == 0 ||
		    strcmp(verdict.rule, "not-all-known") == 0);

	/* An address that this host has: it is here. */
	(void)snprintf(pgstage.cfg[N1].vip, sizeof(pgstage.cfg[N1].vip), "10.99.0.3");
	attempt = (struct verdict){ .outcome = OUT_UNKNOWN, .rule = "ready-unknown" };
	assert_int_equal(attempt_write(cfg, "rejoin_check", &attempt), 0);
	verdict = look(&status, N1);
	assert_int_equal(status.vip, VIP_HERE);
	assert_string_equal(verdict.rule, "return-unknown");
	attempt = (struct verdict){ .outcome = OUT_YES, .rule = "ready", .message = "it could" };
	assert_int_equal(attempt_write(cfg, "rejoin_check", &attempt), 0);
	verdict = look(&status, N1);
	assert_string_equal(verdict.rule, "well");

	sql("REVOKE EXECUTE ON FUNCTION pg_promote(boolean, integer) FROM pgvrrp");
	verdict = look(&status, N1);
	assert_string_equal(verdict.rule, "rights-missing");
	assert_int_equal(status_forecast(&status, cfg).takes_over, FACT_NO);
	sql("GRANT EXECUTE ON FUNCTION pg_promote(boolean, integer) TO pgvrrp");

	assert_int_equal(fenced_write(cfg, "a test", "operator"), 0);
	verdict = look(&status, N1);
	assert_string_equal(verdict.rule, "fenced");
	assert_string_equal(status.fenced.reason, "a test");
	assert_int_equal(fenced_clear(cfg), 0);
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
	assert_int_equal(stamp_write(&pgstage.cfg[N1], "lease", now_ms() + 4000, "vote"), 0);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_of_a_healthy_pair_what_only_this_node_lacks),
		cmocka_unit_test(a_return_that_would_fail_is_told_before_it_is_needed),
		cmocka_unit_test(sees_the_signs_of_life_of_this_node),
		cmocka_unit_test(a_frozen_peer_and_a_missing_witness_cost_their_timeout_only),
		cmocka_unit_test(says_what_is_wrong_when_the_standby_is_down),
	};

	return cmocka_run_group_tests(tests, pgstage_pair, pgstage_end);
}
