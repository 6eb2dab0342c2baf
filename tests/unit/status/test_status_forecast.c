/* SPDX-License-Identifier: PostgreSQL */
/* cluster_status: what would happen if the primary died now. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "status_pair.h"

static void the_forecast_says_who_and_on_what_proof(void **state)
{
	struct cfg cfg = status_config();
	struct status status = status_pair();

	(void)state;
	status_expect(&status, &cfg, FACT_YES,
		      "n2 would promote itself as soon as n1 is proven fenced");
	status_expect(&status, &cfg, FACT_YES, "but would refuse if its host were lost");
	cfg.unproven = UNPROVEN_PROMOTE;
	status_expect(&status, &cfg, FACT_YES, "after 6.0 s if nothing shows any life");
	cfg.unproven = UNPROVEN_REFUSE;
	cfg.witness_ssh = true;
	status_expect(&status, &cfg, FACT_YES, "but would refuse if its host were lost");
	status.baseline = FACT_YES;
	status_expect(&status, &cfg, FACT_YES,
		      "after 6.0 s if the witness host cannot reach its host");
	status.attempts[ATTEMPT_FENCE_TEST] = (struct attempt_last){
		.outcome = OUT_REFUSED, .answer = FACT_NO, .text = "refused way-broken: ssh"
	};
	status_expect(&status, &cfg, FACT_UNKNOWN, "the last test of fencing failed");
	/* seen from the primary, the other node's files are not known */
	cfg.self = 0;
	status_expect(&status, &cfg, FACT_UNKNOWN, "as far as is seen from here n2 would promote");
	status.guard = FACT_NO;
	status_expect(&status, &cfg, FACT_UNKNOWN, "as far as is seen from here n2 would promote");
}

static void the_forecast_names_what_it_would_refuse_for(void **state)
{
	const struct cfg cfg = status_config();
	struct status status = status_pair();

	(void)state;
	status.servers[1].received_lsn = 3999;
	status_expect(&status, &cfg, FACT_NO, "too-far-behind");
	status = status_pair();
	status.servers[1].replay_paused = true;
	status_expect(&status, &cfg, FACT_NO, "replay is paused");
	status = status_pair();
	status.rights.take_over = FACT_NO;
	status_expect(&status, &cfg, FACT_NO, "rights-missing");
	status.rights.take_over = FACT_UNKNOWN;
	status_expect(&status, &cfg, FACT_UNKNOWN, "local-silent");
	status = status_pair();
	status.servers[1].system_identifier = 8;
	status_expect(&status, &cfg, FACT_NO, "not of the same cluster");
	status = status_pair();
	status.witness = FACT_NO;
	status_expect(&status, &cfg, FACT_NO, "the witness is not seen");
	status.witness = FACT_UNKNOWN;
	status_expect(&status, &cfg, FACT_UNKNOWN, "is not known; in doubt is rule witness-unseen");
	status = status_pair();
	status.fenced.present = FACT_YES;
	status_expect(&status, &cfg, FACT_NO, "this node is fenced (fenced)");
	status = status_pair();
	status.keepalived = FACT_NO;
	status_expect(&status, &cfg, FACT_NO, "(keepalived-gone)");
	status = status_pair();
	status.guard = FACT_NO;
	status_expect(&status, &cfg, FACT_NO, "the guard does not run there");
	status = status_pair();
	status.servers[1] = (struct server){ .state = SERVER_DOWN, .why = "Connection refused" };
	status_expect(&status, &cfg, FACT_NO, "nobody would take over: n2 is down");
	status.servers[1] = (struct server){ .state = SERVER_UNKNOWN, .why = "no answer" };
	status_expect(&status, &cfg, FACT_UNKNOWN, "(no answer)");
	status = status_pair();
	status.servers[1].state = SERVER_PRIMARY;
	status_expect(&status, &cfg, FACT_UNKNOWN, "no one primary");
	status.servers[0].state = status.servers[1].state = SERVER_STANDBY;
	status_expect(&status, &cfg, FACT_UNKNOWN, "no one primary");
}

/* The next two were foreseen otherwise than promote_safe decides while its rules stood twice;
 * the third one is in test_status_record.c. */
static void a_watchdog_that_is_required_and_missing_is_foreseen(void **state)
{
	struct cfg cfg = status_config();
	struct status status = status_pair();

	(void)state;
	cfg.watchdog = WATCHDOG_REQUIRED;
	status_expect(&status, &cfg, FACT_YES, "n2 would promote itself");
	status.watchdog_missing = true;
	status_expect(&status, &cfg, FACT_NO, "(watchdog-missing)");
	/* Which watchdog that node has, the other one does not know. */
	cfg.self = 0;
	status_expect(&status, &cfg, FACT_UNKNOWN, "as far as is seen from here");
}

static void a_mark_that_cannot_be_read_is_foreseen(void **state)
{
	const struct cfg cfg = status_config();
	struct status status = status_pair();

	(void)state;
	status.fenced.present = FACT_UNKNOWN;
	status_expect(&status, &cfg, FACT_UNKNOWN, "is not known; in doubt is rule fence-unknown");
	status = status_pair();
	status.keepalived = FACT_UNKNOWN;
	status_expect(&status, &cfg, FACT_UNKNOWN, "in doubt is rule keepalived-gone");
	status = status_pair();
	status.guard = FACT_UNKNOWN;
	status_expect(&status, &cfg, FACT_UNKNOWN, "in doubt is whether the guard runs there");
	status = status_pair();
	status.writable = FACT_UNKNOWN;
	status_expect(&status, &cfg, FACT_UNKNOWN, "in doubt is rule unwritable");
}

/* By its own memory, which the next rounds renew only while it streams. */
static void a_standby_that_was_away_is_as_old_as_its_memory(void **state)
{
	const struct cfg cfg = status_config();
	struct status status = status_pair();

	(void)state;
	status.looked_ms = 100000;
	status_expect(&status, &cfg, FACT_YES, "n2 would promote itself");
	status.servers[1].receiving = false;
	status_expect(&status, &cfg, FACT_NO, "(too-far-behind)");
	status.contact = (struct contact){ .known = true, .streaming_ms = 100000 - 60000 };
	status_expect(&status, &cfg, FACT_NO, "(too-far-behind)");
	status.contact.streaming_ms = 100000;
	status_expect(&status, &cfg, FACT_YES, "n2 would promote itself");
	/* A standby that lacks it now would lack it then, whatever it noted last. */
	status.servers[0].write_lsn = 6000;
	status_expect(&status, &cfg, FACT_NO, "(too-far-behind)");
}

static void a_host_that_can_be_switched_off_may_be_lost(void **state)
{
	struct cfg cfg = status_config();
	struct status status = status_pair();

	(void)state;
	cfg.methods[cfg.method_count++] = FENCING_HOOK;
	cfg.power_timeout_ms = 1000;
	status_expect(&status, &cfg, FACT_YES, "or after 6.0 s if its host is switched off");
	cfg.unproven = UNPROVEN_PROMOTE;
	status_expect(&status, &cfg, FACT_YES, "is switched off, or nothing shows any life");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_forecast_says_who_and_on_what_proof),
		cmocka_unit_test(the_forecast_names_what_it_would_refuse_for),
		cmocka_unit_test(a_watchdog_that_is_required_and_missing_is_foreseen),
		cmocka_unit_test(a_mark_that_cannot_be_read_is_foreseen),
		cmocka_unit_test(a_standby_that_was_away_is_as_old_as_its_memory),
		cmocka_unit_test(a_host_that_can_be_switched_off_may_be_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
