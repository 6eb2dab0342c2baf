/* SPDX-License-Identifier: PostgreSQL */
/* Two real servers tell of themselves, and a standby does as it is asked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/deadline.h"
#include "fakeserver.h"
#include "node/path.h"
#include "pgstage.h"
#include "postgres/server.h"

#define PATIENCE 3000
#define N1       0
#define N2       1

static struct server asked(size_t from, enum pg_where where, int64_t ms)
{
	const struct deadline dl = deadline_in_ms(ms);
	const int64_t begun = now_ms();
	struct server server;

	server_ask(&server, &pgstage.cfg[from], where, &dl);
	assert_in_range(server.asked_ms, begun, now_ms());
	assert_in_range(now_ms() - begun, 0, ms + 300);
	return server;
}

static void sql(size_t node, const char *text)
{
	assert_int_equal(pgfixture_sql(&pgstage, node, text, NULL, 0), 0);
}

static void until(size_t node, const char *query, const char *wanted)
{
	assert_int_equal(pgfixture_until(&pgstage, node, query, wanted), 0);
}

static enum fact vote(void)
{
	const struct server local = asked(N1, PG_LOCAL, PATIENCE);
	const struct server peer = asked(N1, PG_PEER, PATIENCE);

	return server_votes_for(&peer, pgstage.cfg[N1].nodes[N1].address, local.system_identifier,
				local.timeline);
}

/* ---- what they say ---- */

static void a_primary_tells_of_itself_and_of_the_peer(void **state)
{
	struct server server;

	(void)state;
	/* A walsender knows nothing of its standby before something was sent. */
	sql(N1, "CHECKPOINT");
	until(N1, "SELECT flush_lsn IS NOT NULL FROM pg_stat_replication", "t");
	server = asked(N1, PG_LOCAL, PATIENCE);
	assert_int_equal(server.state, SERVER_PRIMARY);
	assert_int_equal(server.failure, PG_FAIL_NONE);
	assert_int_equal(server.version_num / 10000, pgstage.cfg[N1].version);
	assert_string_equal(server.data_dir, pgstage.cfg[N1].data_dir);
	assert_int_not_equal(server.system_identifier, 0);
	assert_int_equal(server.timeline, 1);
	assert_false(server.read_only);
	assert_true(server.write_lsn > 0);
	assert_true(server.peer_streams);
	assert_false(server.peer_sync);
	assert_int_not_equal(server.peer_flush_lsn, 0);
	assert_true(server.peer_flush_lsn <= server.write_lsn);
	assert_string_equal(server.sync_names, "");
	assert_int_equal(server.sync_bypass, 0);
	assert_false(server.withdrawn);
}

static void a_standby_tells_of_itself_over_the_network(void **state)
{
	const struct server primary = asked(N1, PG_LOCAL, PATIENCE);
	const struct server server = asked(N1, PG_PEER, PATIENCE);

	(void)state;
	assert_int_equal(server.state, SERVER_STANDBY);
	assert_true(server.system_identifier == primary.system_identifier);
	assert_string_equal(server.data_dir, pgstage.cfg[N2].data_dir);
	assert_int_equal(server.timeline, 1);
	assert_true(server.receiving);
	assert_false(server.withdrawn);
	assert_false(server.replay_paused);
	assert_true(server.replayed_lsn > 0 && server.replayed_lsn <= server.received_lsn);
	assert_true(server.received_lsn <= asked(N1, PG_LOCAL, PATIENCE).write_lsn);
	assert_non_null(strstr(server.primary_conninfo, "10.99.0.1"));
	assert_false(server.peer_streams);
}

static void both_are_asked_in_the_time_of_one(void **state)
{
	const struct deadline local_dl = deadline_in_ms(PATIENCE);
	const struct deadline peer_dl = deadline_in_ms(300);
	const int64_t begun = now_ms();
	struct server local = { 0 };
	struct server peer = { 0 };

	(void)state;
	assert_int_equal(kill(pgstage.postmaster[N2], SIGSTOP), 0);
	server_ask_both(&local, &local_dl, &peer, &peer_dl, &pgstage.cfg[N1]);
	assert_int_equal(kill(pgstage.postmaster[N2], SIGCONT), 0);
	assert_int_equal(local.state, SERVER_PRIMARY);
	assert_int_equal(peer.state, SERVER_UNKNOWN);
	assert_int_equal(peer.failure, PG_FAIL_LATE);
	assert_in_range(now_ms() - begun, 300, 5000);
	assert_in_range(local.asked_ms - begun, 0, 250);
	assert_in_range(peer.asked_ms - begun, 0, 250);

	server_ask_both(&local, &local_dl, &peer, &local_dl, &pgstage.cfg[N2]);
	assert_int_equal(local.state, SERVER_STANDBY);
	assert_int_equal(peer.state, SERVER_PRIMARY);
}

static void settings_that_matter_are_seen_at_once(void **state)
{
	struct server server;

	(void)state;
	sql(N1, "ALTER SYSTEM SET default_transaction_read_only = on");
	sql(N1, "SELECT pg_reload_conf()");
	until(N1, "SHOW default_transaction_read_only", "on");
	assert_true(asked(N1, PG_LOCAL, PATIENCE).read_only);
	sql(N1, "ALTER SYSTEM RESET default_transaction_read_only");
	sql(N1, "ALTER SYSTEM SET synchronous_standby_names = 'n2'");
	sql(N1, "SELECT pg_reload_conf()");
	until(N1, "SHOW default_transaction_read_only", "off");
	until(N1, "SELECT sync_state FROM pg_stat_replication", "sync");
	server = asked(N1, PG_LOCAL, PATIENCE);
	assert_false(server.read_only);
	assert_true(server.peer_sync);
	assert_string_equal(server.sync_names, "n2");
	sql(N1, "ALTER SYSTEM RESET ALL");
	sql(N1, "SELECT pg_reload_conf()");
	until(N1, "SELECT sync_state FROM pg_stat_replication", "async");
}

static void ways_around_synchronous_commit_are_counted(void **state)
{
	(void)state;
	sql(N1, "ALTER ROLE pgvrrp SET work_mem = '1MB'");
	sql(N1, "ALTER ROLE pgvrrp SET synchronous_commit = remote_apply");
	assert_int_equal(asked(N1, PG_LOCAL, PATIENCE).sync_bypass, 0);
	sql(N1, "ALTER ROLE postgres SET synchronous_commit = local");
	sql(N1, "ALTER DATABASE postgres SET work_mem = '1MB'");
	sql(N1, "ALTER DATABASE postgres SET synchronous_commit = 'OFF'");
	assert_int_equal(asked(N1, PG_LOCAL, PATIENCE).sync_bypass, 2);
	sql(N1, "ALTER ROLE postgres SET synchronous_commit = remote_write");
	assert_int_equal(asked(N1, PG_LOCAL, PATIENCE).sync_bypass, 2);
	sql(N1, "ALTER ROLE pgvrrp RESET ALL");
	/* now our own session starts with it, as every other session would */
	assert_int_equal(asked(N1, PG_LOCAL, PATIENCE).sync_bypass, 3);
	sql(N1, "ALTER ROLE postgres RESET ALL");
	sql(N1, "ALTER DATABASE postgres RESET ALL");
}

static void a_replay_that_is_paused_is_seen(void **state)
{
	(void)state;
	sql(N2, "SELECT pg_wal_replay_pause()");
	until(N2, "SELECT pg_get_wal_replay_pause_state()", "paused");
	assert_true(asked(N2, PG_LOCAL, PATIENCE).replay_paused);
	sql(N2, "SELECT pg_wal_replay_resume()");
	assert_false(asked(N2, PG_LOCAL, PATIENCE).replay_paused);
}

static void a_role_without_its_grants_is_no_answer(void **state)
{
	struct server server;

	(void)state;
	sql(N1, "REVOKE pg_monitor FROM pgvrrp");
	server = asked(N1, PG_LOCAL, PATIENCE);
	assert_int_equal(server.state, SERVER_REFUSES);
	assert_int_equal(server.failure, PG_FAIL_RIGHT);
	assert_int_equal(server.system_identifier, 0);
	assert_non_null(strstr(server.why, "pg_read_all_settings"));
	sql(N1, "GRANT pg_monitor TO pgvrrp");
}

static void nonsense_at_the_address_is_unknown_never_down(void **state)
{
	struct fake fake = { .manner = FAKE_SAY, .bytes = "nonsense", .size = 8 };
	struct server server;

	(void)state;
	assert_int_equal(fake_start(&fake, "10.99.0.3", PGFIXTURE_PORT), 0);
	(void)snprintf(pgstage.cfg[N1].vip, sizeof(pgstage.cfg[N1].vip), "10.99.0.3");
	server = asked(N1, PG_VIP, PATIENCE);
	fake_stop(&fake);
	assert_int_equal(server.state, SERVER_UNKNOWN);
	assert_int_equal(server.failure, PG_FAIL_OTHER);
	assert_int_not_equal(strlen(server.why), 0);
	assert_int_equal(asked(N1, PG_VIP, PATIENCE).state, SERVER_DOWN);
}

/* ---- what a standby does ---- */

static void withdrawing_cuts_the_receiver_and_following_brings_it_back(void **state)
{
	const struct deadline dl = deadline_in_ms(PATIENCE);
	char conninfo[SERVER_CONNINFO_MAX];
	struct server server;

	(void)state;
	assert_int_equal(vote(), FACT_YES);
	assert_int_equal(server_conninfo_to_peer(&pgstage.cfg[N2], conninfo, sizeof(conninfo)), 0);
	assert_int_equal(server_follow(&pgstage.cfg[N2], "", &dl), 0);
	server = asked(N2, PG_LOCAL, PATIENCE);
	assert_true(server.withdrawn);
	assert_false(server.receiving);
	assert_int_equal(vote(), FACT_NO);
	/* a second time is no error */
	assert_int_equal(server_follow(&pgstage.cfg[N2], "", &dl), 0);

	assert_int_equal(server_follow(&pgstage.cfg[N2], conninfo, &dl), 0);
	server = asked(N2, PG_LOCAL, PATIENCE);
	assert_false(server.withdrawn);
	assert_string_equal(server.primary_conninfo, conninfo);
	assert_int_equal(vote(), FACT_YES);
	until(N1, "SELECT state FROM pg_stat_replication WHERE application_name = 'n2'",
	      "streaming");
}

static void a_vote_is_not_withdrawn_while_a_receiver_is_left(void **state)
{
	struct deadline soon;
	const struct deadline dl = deadline_in_ms(PATIENCE);
	const struct server before = asked(N2, PG_LOCAL, PATIENCE);
	char pid[32];

	(void)state;
	assert_int_equal(
	    pgfixture_sql(&pgstage, N2, "SELECT pid FROM pg_stat_wal_receiver", pid, sizeof(pid)),
	    0);
	/* The walreceiver cannot end now, though the setting is changed at once. */
	assert_int_equal(kill((pid_t)strtol(pid, NULL, 10), SIGSTOP), 0);
	soon = deadline_in_ms(300);
	assert_int_equal(server_follow(&pgstage.cfg[N2], "", &soon), -ETIMEDOUT);
	assert_true(asked(N2, PG_LOCAL, PATIENCE).withdrawn);
	assert_int_equal(kill((pid_t)strtol(pid, NULL, 10), SIGCONT), 0);
	assert_int_equal(server_follow(&pgstage.cfg[N2], before.primary_conninfo, &dl), 0);
	until(N1, "SELECT state FROM pg_stat_replication WHERE application_name = 'n2'",
	      "streaming");
}

static void following_tells_when_the_server_will_not(void **state)
{
	const struct deadline dl = deadline_in_ms(PATIENCE);

	(void)state;
	sql(N1, "REVOKE ALTER SYSTEM ON PARAMETER primary_conninfo FROM pgvrrp");
	assert_int_equal(pgfixture_until(&pgstage, N2,
					 "SELECT has_parameter_privilege('pgvrrp',"
					 " 'primary_conninfo', 'ALTER SYSTEM')",
					 "f"),
			 0);
	assert_int_equal(server_follow(&pgstage.cfg[N2], "", &dl), -EPROTO);
	sql(N1, "GRANT ALTER SYSTEM ON PARAMETER primary_conninfo TO pgvrrp");
	until(N2, "SELECT has_parameter_privilege('pgvrrp', 'primary_conninfo', 'ALTER SYSTEM')",
	      "t");
	assert_false(asked(N2, PG_LOCAL, PATIENCE).withdrawn);
}

static void following_a_frozen_server_ends_at_the_deadline(void **state)
{
	const struct deadline dl = deadline_in_ms(200);
	const int64_t begun = now_ms();

	(void)state;
	assert_int_equal(kill(pgstage.postmaster[N2], SIGSTOP), 0);
	assert_int_equal(server_follow(&pgstage.cfg[N2], "", &dl), -ETIMEDOUT);
	assert_in_range(now_ms() - begun, 200, 5000);
	assert_int_equal(kill(pgstage.postmaster[N2], SIGCONT), 0);
}

static void conninfo_to_the_peer_is_from_the_configuration_alone(void **state)
{
	struct cfg cfg = pgstage.cfg[N2];
	char conninfo[SERVER_CONNINFO_MAX];

	(void)state;
	(void)snprintf(cfg.conninfo, sizeof(cfg.conninfo), "sslmode=verify-full host=10.9.9.9");
	(void)snprintf(cfg.passfile, sizeof(cfg.passfile), "/etc/pass file");
	assert_int_equal(server_conninfo_to_peer(&cfg, conninfo, sizeof(conninfo)), 0);
	assert_string_equal(conninfo,
			    "host=10.99.0.1 port=5432 user=pgvrrp passfile='/etc/pass file' "
			    "application_name=n2 tcp_user_timeout=5000 sslmode=verify-full");
	assert_int_equal(server_conninfo_to_peer(&cfg, conninfo, 40), -EFBIG);
	(void)snprintf(cfg.conninfo, sizeof(cfg.conninfo), "nonsense");
	assert_int_equal(server_conninfo_to_peer(&cfg, conninfo, sizeof(conninfo)), -EINVAL);
}

/* ---- the end: these change the pair for good, in this order ---- */

static void a_frozen_primary_is_unknown_never_down(void **state)
{
	(void)state;
	assert_int_equal(kill(pgstage.postmaster[N1], SIGSTOP), 0);
	assert_int_equal(asked(N1, PG_LOCAL, 150).state, SERVER_UNKNOWN);
	assert_int_equal(asked(N2, PG_PEER, 150).failure, PG_FAIL_LATE);
	assert_int_equal(kill(pgstage.postmaster[N1], SIGCONT), 0);
}

static void a_promotion_shows_its_timeline_before_any_checkpoint(void **state)
{
	const struct deadline dl = deadline_in_ms(PATIENCE);
	struct server server = { .state = SERVER_UNKNOWN };

	(void)state;
	assert_int_equal(files_prepare(&pgstage.cfg[N1]), 0);
	assert_int_equal(files_prepare(&pgstage.cfg[N2]), 0);
	assert_int_equal(server_promote(&pgstage.cfg[N1], &dl), -EPROTO);
	assert_int_equal(server_promote(&pgstage.cfg[N2], &dl), 0);
	for (int i = 0; i < 200 && server.state != SERVER_PRIMARY; i++) {
		server = asked(N2, PG_LOCAL, PATIENCE);
		assert_in_range(server.state, SERVER_PRIMARY, SERVER_STANDBY);
	}
	assert_int_equal(server.state, SERVER_PRIMARY);
	assert_int_equal(server.timeline, 2);
	assert_int_equal(vote(), FACT_NO);
}

static void nobody_listening_is_down(void **state)
{
	(void)state;
	assert_int_equal(pgfixture_stop(&pgstage, N1, SIGINT), 0);
	assert_int_equal(asked(N1, PG_LOCAL, PATIENCE).state, SERVER_DOWN);
	assert_int_equal(asked(N2, PG_PEER, PATIENCE).state, SERVER_DOWN);
	assert_int_equal(server_promote(&pgstage.cfg[N1], &(struct deadline){ 0 }), -EPROTO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_primary_tells_of_itself_and_of_the_peer),
		cmocka_unit_test(a_standby_tells_of_itself_over_the_network),
		cmocka_unit_test(both_are_asked_in_the_time_of_one),
		cmocka_unit_test(settings_that_matter_are_seen_at_once),
		cmocka_unit_test(ways_around_synchronous_commit_are_counted),
		cmocka_unit_test(a_replay_that_is_paused_is_seen),
		cmocka_unit_test(a_role_without_its_grants_is_no_answer),
		cmocka_unit_test(nonsense_at_the_address_is_unknown_never_down),
		cmocka_unit_test(withdrawing_cuts_the_receiver_and_following_brings_it_back),
		cmocka_unit_test(a_vote_is_not_withdrawn_while_a_receiver_is_left),
		cmocka_unit_test(following_tells_when_the_server_will_not),
		cmocka_unit_test(following_a_frozen_server_ends_at_the_deadline),
		cmocka_unit_test(conninfo_to_the_peer_is_from_the_configuration_alone),
		cmocka_unit_test(a_frozen_primary_is_unknown_never_down),
		cmocka_unit_test(a_promotion_shows_its_timeline_before_any_checkpoint),
		cmocka_unit_test(nobody_listening_is_down),
	};

	return cmocka_run_group_tests(tests, pgstage_pair, pgstage_end);
}
