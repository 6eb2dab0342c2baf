/* SPDX-License-Identifier: PostgreSQL */
/* The checks of check_setup over what was gathered: a healthy pair has no finding, each fault is
 * named, and what is not known is never well. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "setup/setup_rules.h"
#include "status_pair.h"

static const char *const values[][2] = {
	{ "wal_level", "replica" },
	{ "wal_log_hints", "on" },
	{ "data_checksums", "off" },
	{ "full_page_writes", "on" },
	{ "fsync", "on" },
	{ "hot_standby", "on" },
	{ "max_wal_senders", "10" },
	{ "max_replication_slots", "10" },
	{ "max_connections", "100" },
	{ "max_worker_processes", "8" },
	{ "max_prepared_transactions", "0" },
	{ "max_locks_per_transaction", "64" },
	{ "recovery_min_apply_delay", "0" },
	{ "max_standby_streaming_delay", "30000" },
	{ "max_wal_size", "1024" },
	{ "max_slot_wal_keep_size", "2048" },
	{ "synchronous_commit", "on" },
	{ "recovery_target_name", "" },
};

static struct cfg cfg;
static struct setup setup;
static struct setup_findings findings;

static struct server_setting *setting(size_t node, const char *name)
{
	struct server_settings *settings = &setup.settings[node];

	for (size_t i = 0; i < settings->count; i++)
		if (strcmp(settings->list[i].name, name) == 0)
			return &settings->list[i];
	fail_msg("%s", name);
	return &settings->list[0];
}

static void set(size_t node, const char *name, const char *value)
{
	struct server_setting *to = setting(node, name);

	(void)snprintf(to->now, sizeof(to->now), "%s", value);
	to->now_known = true;
}

static void fill_node(size_t node)
{
	static const char *names[ARRAY_COUNT(values)];

	for (size_t i = 0; i < ARRAY_COUNT(values); i++)
		names[i] = values[i][0];
	server_settings_begin(&setup.settings[node], names, ARRAY_COUNT(values));
	setup.settings[node].known = true;
	for (size_t i = 0; i < ARRAY_COUNT(values); i++)
		set(node, values[i][0], values[i][1]);
	setup.servers[node] = (struct setup_server){ .known = true,
						     .asked_for_ms = 2,
						     .peer_asks = FACT_YES,
						     .peer_may_replicate = FACT_YES };
	setup.hosts[node] = (struct setup_host){ .known = true,
						 .version = "1.0",
						 .digest = "00ff",
						 .keepalived = "2.2.7",
						 .generated = FACT_YES,
						 .scripts = FACT_YES,
						 .guard = FACT_YES,
						 .one_boot = FACT_YES,
						 .called = FACT_YES,
						 .gate = FACT_YES,
						 .no_pooler = FACT_YES,
						 .free_bytes = INT64_C(1) << 40,
						 .could_fence = FACT_YES,
						 .could_return = FACT_YES };
}

static int sound(void **state)
{
	(void)state;
	cfg = status_config();
	cfg.methods[0] = FENCING_SSH;
	cfg.method_count = 1;
	setup = (struct setup){ .cfg = &cfg,
				.status = status_pair(),
				.now = YES("healthy", "", NULL),
				.rejoin = YES("ready", "", NULL),
				.replicates = FACT_YES,
				.fencing_tried = true,
				.fencing = OUT_YES,
				.mtu = 1500,
				.large = FACT_YES };
	setup.status.config[0].ignored = setup.status.config[1].ignored = FACT_NO;
	fill_node(0);
	fill_node(1);
	setup.settings[setup.status.servers[0].state == SERVER_STANDBY ? 0 : 1].standby = true;
	return 0;
}

static size_t primary(void)
{
	return setup.settings[0].standby ? 1 : 0;
}

/* The rule is the one finding, or one of several. */
static const struct setup_finding *found(const char *rule)
{
	for (size_t i = 0; i < findings.count; i++)
		if (strcmp(findings.list[i].check->verdict.rule, rule) == 0)
			return &findings.list[i];
	return NULL;
}

static void expect_with(const char *rule, enum setup_severity severity, const char *words)
{
	const struct setup_finding *finding;

	setup_decide(&findings, &setup);
	finding = found(rule);
	if (finding == NULL) {
		fail_msg("%s is not found", rule);
		return;
	}
	assert_int_equal(finding->severity, severity);
	assert_int_equal(findings.count, 1);
	if (strstr(finding->detail, words) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", words, finding->detail);
	(void)sound(NULL);
}

static void test_a_healthy_pair_has_no_finding(void **state)
{
	(void)state;
	setup_decide(&findings, &setup);
	for (size_t i = 0; i < findings.count; i++)
		print_error("%s: %s\n", findings.list[i].check->verdict.rule,
			    findings.list[i].detail);
	assert_int_equal(findings.count, 0);
	assert_int_equal(findings.checks, setup_check_count());
	assert_int_equal(setup_verdict(&findings).outcome, OUT_YES);
}

static void test_each_setting_is_named_with_its_node(void **state)
{
	static const struct {
		const char *name, *value, *rule;
		enum setup_severity severity;
	} bad[] = {
		{ "wal_level", "minimal", "wal-level", SETUP_ERROR },
		{ "fsync", "off", "fsync-off", SETUP_ERROR },
		{ "hot_standby", "off", "hot-standby-off", SETUP_ERROR },
		{ "wal_log_hints", "off", "ready-hints", SETUP_WARNING },
		{ "full_page_writes", "off", "full-page-writes", SETUP_WARNING },
		{ "max_wal_senders", "1", "few-senders", SETUP_WARNING },
		{ "recovery_min_apply_delay", "60000", "apply-delay", SETUP_ERROR },
		{ "max_standby_streaming_delay", "-1", "streaming-delay", SETUP_WARNING },
		{ "recovery_target_name", "before", "recovery-target", SETUP_ERROR },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(bad); i++)
		for (size_t node = 0; node < CFG_NODES; node++) {
			char words[128];

			set(node, bad[i].name, bad[i].value);
			/* A limit that is lower on one node is another finding. */
			if (strcmp(bad[i].name, "max_wal_senders") == 0)
				set(1 - node, bad[i].name, bad[i].value);
			(void)snprintf(words, sizeof(words), "%s: %s = %s", cfg.nodes[node].name,
				       bad[i].name, bad[i].value);
			expect_with(bad[i].rule, bad[i].severity, words);
		}
}

static void test_less_of_a_limit_is_an_error_on_the_standby(void **state)
{
	(void)state;
	set(1 - primary(), "max_connections", "50");
	expect_with("standby-limits", SETUP_ERROR, "max_connections");
	set(primary(), "max_connections", "50");
	expect_with("primary-limits", SETUP_WARNING, "max_connections");
}

static void test_commits_that_do_not_wait_matter_with_mode_sync(void **state)
{
	(void)state;
	cfg.mode = MODE_ASYNC;
	set(primary(), "synchronous_commit", "local");
	setup_decide(&findings, &setup);
	assert_int_equal(findings.count, 0);
	cfg.mode = MODE_SYNC;
	expect_with("sync-bypassed", SETUP_ERROR, "local");
	cfg.mode = MODE_SYNC;
	(void)snprintf(setup.servers[0].overrides, sizeof(setup.servers[0].overrides),
		       "app in shop");
	expect_with("sync-bypassed", SETUP_ERROR, "app in shop");
}

static void test_nodes_that_are_not_alike(void **state)
{
	(void)state;
	(void)snprintf(setup.hosts[1].digest, sizeof(setup.hosts[1].digest), "00fe");
	expect_with("configs-differ", SETUP_ERROR, "00fe");
	(void)snprintf(setup.hosts[1].version, sizeof(setup.hosts[1].version), "0.9");
	expect_with("versions-differ", SETUP_WARNING, "0.9");
	(void)snprintf(setup.hosts[0].keepalived, sizeof(setup.hosts[0].keepalived), "2.3.1");
	expect_with("keepaliveds-differ", SETUP_WARNING, "2.3.1");
	setup.status.servers[0].version_num++;
	expect_with("minors-differ", SETUP_WARNING, "n1");
}

static void test_what_a_host_tells(void **state)
{
	(void)state;
	setup.hosts[0].guard = FACT_NO;
	expect_with("guard-gone", SETUP_ERROR, "n1");
	setup.hosts[1].one_boot = FACT_NO;
	expect_with("boots-differ", SETUP_ERROR, "n2");
	setup.hosts[1].called = FACT_NO;
	expect_with("keepalived-gone", SETUP_ERROR, "n2");
	setup.hosts[0].scripts = FACT_NO;
	expect_with("scripts-unsafe", SETUP_ERROR, "n1");
	setup.hosts[0].generated = FACT_NO;
	expect_with("keepalived-file", SETUP_WARNING, "n1");
	setup.hosts[1].gate = FACT_NO;
	expect_with("kernel-lease", SETUP_WARNING, "n2");
	setup.hosts[1].no_pooler = FACT_NO;
	(void)snprintf(setup.hosts[1].pooler_why, sizeof(setup.hosts[1].pooler_why),
		       "pgbouncer, process 7");
	expect_with("pooler-beside", SETUP_WARNING, "n2: pgbouncer, process 7");
	setup.hosts[0].free_bytes = INT64_C(1) << 29;
	expect_with("disk-small", SETUP_WARNING, "n1: 512 MB free");
	setup.hosts[1 - cfg.self].could_fence = FACT_NO;
	expect_with("peer-fencing", SETUP_ERROR, "");
	setup.hosts[1 - cfg.self].could_return = FACT_NO;
	expect_with("rejoin-blocked", SETUP_WARNING, "");
	setup.hosts[0].guard = FACT_UNKNOWN;
	expect_with("guard-gone", SETUP_UNKNOWN, "n1");
}

static void test_the_network(void **state)
{
	(void)state;
	setup.large = FACT_NO;
	expect_with("large-packets-lost", SETUP_ERROR, "1500");
	setup.large = FACT_UNKNOWN;
	expect_with("large-packets-lost", SETUP_UNKNOWN, "");
	setup.vrrp_rc = 1;
	(void)snprintf(setup.vrrp_from, sizeof(setup.vrrp_from), "192.0.2.66");
	expect_with("vrrp-id-used", SETUP_WARNING, "192.0.2.66");
	setup.vrrp_rc = -EPERM;
	expect_with("vrrp-id-used", SETUP_UNKNOWN, "");
	/* Here, so nobody else may answer for it. */
	setup.vip_here = 1;
	setup.answers.count = 1;
	(void)snprintf(setup.answers.lladdr[0], sizeof(setup.answers.lladdr[0]),
		       "02:00:00:00:00:02");
	(void)snprintf(setup.peer_lladdr, sizeof(setup.peer_lladdr), "02:00:00:00:00:02");
	expect_with("vip-foreign", SETUP_ERROR, "02:00:00:00:00:02");
	/* Elsewhere: the other node may. */
	setup.answers.count = 1;
	(void)snprintf(setup.answers.lladdr[0], sizeof(setup.answers.lladdr[0]),
		       "02:00:00:00:00:02");
	(void)snprintf(setup.peer_lladdr, sizeof(setup.peer_lladdr), "02:00:00:00:00:02");
	setup_decide(&findings, &setup);
	assert_int_equal(findings.count, 0);
	(void)snprintf(setup.answers.lladdr[1], sizeof(setup.answers.lladdr[1]),
		       "02:00:00:00:00:66");
	setup.answers.count = 2;
	expect_with("vip-foreign", SETUP_ERROR, "02:00:00:00:00:66");
	setup.answers_rc = -EPERM;
	expect_with("vip-foreign", SETUP_UNKNOWN, "");
}

static void test_ways_in(void **state)
{
	struct setup_server *here = &setup.servers[cfg.self];

	(void)state;
	here->peer_may_replicate = FACT_NO;
	expect_with("peer-replication", SETUP_ERROR, "pg_hba.conf");
	here->peer_may_replicate = FACT_UNKNOWN;
	expect_with("peer-replication", SETUP_UNKNOWN, "");
	here->peer_may_replicate = FACT_NO;
	here->peer_replicates = FACT_YES; /* it does */
	setup_decide(&findings, &setup);
	assert_int_equal(findings.count, 0);
	(void)sound(NULL);
	setup.replicates = FACT_NO;
	expect_with("replication-refused", SETUP_ERROR, "");
	(void)snprintf(here->hba_error, sizeof(here->hba_error), "line 3: no");
	expect_with("hba-error", SETUP_ERROR, "line 3");
	setup.servers[1 - cfg.self].clock_ms = -5300;
	expect_with("clocks-apart", SETUP_WARNING, "5.3 s behind");
	setup.fencing = OUT_REFUSED;
	expect_with("fencing-broken", SETUP_ERROR, "");
	setup.fencing_tried = false;
	expect_with("fencing-broken", SETUP_UNKNOWN, "");
	setup.status.config[0].ignored = FACT_YES;
	expect_with("config-error", SETUP_ERROR, "n1");
}

/* The worst come first, those as bad in the order of worth. */
static void test_findings_are_ordered(void **state)
{
	(void)state;
	cfg.method_count = 0;
	setup.hosts[0].generated = FACT_NO;
	setup.hosts[0].guard = FACT_NO;
	setup.large = FACT_UNKNOWN;
	set(0, "fsync", "off");
	setup_decide(&findings, &setup);
	assert_int_equal(findings.count, 5);
	assert_string_equal(findings.list[0].check->verdict.rule, "fsync-off");
	assert_string_equal(findings.list[1].check->verdict.rule, "guard-gone");
	assert_string_equal(findings.list[2].check->verdict.rule, "large-packets-lost");
	assert_string_equal(findings.list[3].check->verdict.rule, "keepalived-file");
	assert_string_equal(findings.list[4].check->verdict.rule, "no-fencing");
	assert_int_equal(setup_verdict(&findings).outcome, OUT_NO);
}

static enum outcome outcome(void)
{
	setup_decide(&findings, &setup);
	return setup_verdict(&findings).outcome;
}

static void test_exit_code_by_the_worst(void **state)
{
	(void)state;
	cfg.method_count = 0;
	assert_int_equal(outcome(), OUT_YES);
	setup.hosts[0].generated = FACT_NO;
	assert_int_equal(outcome(), OUT_REFUSED);
	setup.large = FACT_UNKNOWN;
	assert_int_equal(outcome(), OUT_UNKNOWN);
	set(0, "fsync", "off");
	assert_int_equal(outcome(), OUT_NO);
}

/* With half of the cluster dark it says so, and with nothing known it is not well. */
static void test_unknown_is_never_well(void **state)
{
	const size_t peer = 1 - cfg.self;

	(void)state;
	setup.status.servers[peer] = (struct server){ .state = SERVER_UNKNOWN };
	setup.hosts[peer] = (struct setup_host){ .known = false };
	setup.servers[peer] = (struct setup_server){ .known = false };
	setup.settings[peer].known = false;
	setup.replicates = setup.large = FACT_UNKNOWN;
	setup.fencing_tried = false;
	assert_int_equal(outcome(), OUT_UNKNOWN);
	assert_non_null(found("server-silent"));
	assert_non_null(found("peer-untold"));
	assert_non_null(found("fencing-broken"));
	assert_int_equal(findings.of[SETUP_ERROR], 0);
	setup = (struct setup){ .cfg = &cfg };
	assert_int_not_equal(outcome(), OUT_YES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_a_healthy_pair_has_no_finding, sound),
		cmocka_unit_test_setup(test_each_setting_is_named_with_its_node, sound),
		cmocka_unit_test_setup(test_less_of_a_limit_is_an_error_on_the_standby, sound),
		cmocka_unit_test_setup(test_commits_that_do_not_wait_matter_with_mode_sync, sound),
		cmocka_unit_test_setup(test_nodes_that_are_not_alike, sound),
		cmocka_unit_test_setup(test_what_a_host_tells, sound),
		cmocka_unit_test_setup(test_the_network, sound),
		cmocka_unit_test_setup(test_ways_in, sound),
		cmocka_unit_test_setup(test_findings_are_ordered, sound),
		cmocka_unit_test_setup(test_exit_code_by_the_worst, sound),
		cmocka_unit_test_setup(test_unknown_is_never_well, sound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
