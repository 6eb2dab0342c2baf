/* SPDX-License-Identifier: PostgreSQL */
/* Questions over connections that are kept are answered as over new ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/deadline.h"
#include "base/state.h"
#include "node/mark.h"
#include "node/path.h"
#include "pgstage.h"
#include "postgres/pg_internal.h"
#include "postgres/server.h"
#include "record/record.h"
#include "witness_server.h"

#define PATIENCE 10000
#define N1       0
#define N2       1
#define SYSTEM   UINT64_C(7000000000000000001)
/* Sessions of the role of the helpers on a server. */
#define SESSIONS                                                                \
	"SELECT coalesce(string_agg(pid::text, ','), '') FROM pg_stat_activity" \
	" WHERE usename = 'pgvrrp' AND backend_type = 'client backend'"

static struct server asked(enum pg_where where, int64_t ms)
{
	const struct deadline dl = deadline_in_ms(ms);
	struct server server;

	server_ask(&server, &pgstage.cfg[N1], where, &dl);
	return server;
}

static void sessions(size_t node, char *pids, size_t size)
{
	assert_int_equal(pgfixture_sql(&pgstage, node, SESSIONS, pids, size), 0);
}

/* The one session that is kept there. */
static pid_t session(size_t node)
{
	char pids[64];

	sessions(node, pids, sizeof(pids));
	assert_null(strchr(pids, ','));
	assert_string_not_equal(pids, "");
	return (pid_t)strtol(pids, NULL, 10);
}

static int keeping(void **state)
{
	(void)state;
	pg_keep();
	return 0;
}

static int keeping_no_more(void **state)
{
	(void)state;
	pg_keep_end();
	return pgfixture_until(&pgstage, N1, SESSIONS, "") |
	       pgfixture_until(&pgstage, N2, SESSIONS, "");
}

/* ---- kept, and for how long ---- */

static void nothing_is_kept_by_who_asks_once(void **state)
{
	(void)state;
	assert_int_equal(asked(PG_LOCAL, PATIENCE).state, SERVER_PRIMARY);
	assert_int_equal(pgfixture_until(&pgstage, N1, SESSIONS, ""), 0);
}

static void one_connection_answers_again_and_again(void **state)
{
	pid_t local, peer;

	(void)state;
	assert_int_equal(asked(PG_LOCAL, PATIENCE).state, SERVER_PRIMARY);
	assert_int_equal(asked(PG_PEER, PATIENCE).state, SERVER_STANDBY);
	local = session(N1);
	peer = session(N2);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(asked(PG_LOCAL, PATIENCE).state, SERVER_PRIMARY);
		assert_int_equal(asked(PG_PEER, PATIENCE).state, SERVER_STANDBY);
	}
	assert_int_equal(session(N1), local);
	assert_int_equal(session(N2), peer);
}

static void a_session_that_was_ended_is_made_anew(void **state)
{
	pid_t first;

	(void)state;
	assert_int_equal(asked(PG_LOCAL, PATIENCE).state, SERVER_PRIMARY);
	first = session(N1);
	assert_int_equal(kill(first, SIGTERM), 0);
	assert_int_equal(asked(PG_LOCAL, PATIENCE).state, SERVER_PRIMARY);
	assert_int_not_equal(session(N1), first);
}

/* Given back after so long, as a server without a processor would have it. */
static int64_t kept_after(enum pg_where where, int64_t took_ms)
{
	struct deadline while_asked = deadline_in_ms(took_ms);
	struct pg AUTO_PG *pg = NULL;
	struct pg *same;
	enum pg_failure failure;
	char why[160];

	assert_int_equal(pg_borrow(&pg, &pgstage.cfg[N1], where,
				   &(struct deadline){ .at_ms = now_ms() + PATIENCE }, &failure,
				   why, sizeof(why)),
			 0);
	same = pg;
	deadline_sleep(&while_asked);
	pg_return(&pg);
	return pg_kept_for_ms(same);
}

static void a_busy_server_is_spared_new_connections(void **state)
{
	(void)state;
	(void)kept_after(PG_LOCAL, 0);
	assert_int_equal(kept_after(PG_LOCAL, 0), 10000);
	assert_int_equal(kept_after(PG_LOCAL, 150), 60000);
	assert_int_equal(kept_after(PG_LOCAL, 0), 10000);
}

static void one_that_does_not_answer_is_dropped(void **state)
{
	struct server server;
	pid_t first;

	(void)state;
	assert_int_equal(asked(PG_LOCAL, PATIENCE).state, SERVER_PRIMARY);
	first = session(N1);
	assert_int_equal(kill(first, SIGSTOP), 0);
	server = asked(PG_LOCAL, 200);
	assert_int_equal(server.state, SERVER_UNKNOWN);
	assert_int_equal(server.failure, PG_FAIL_LATE);
	assert_int_equal(asked(PG_LOCAL, PATIENCE).state, SERVER_PRIMARY);
	assert_int_equal(kill(first, SIGCONT), 0);
}

static void until_down(int64_t ms)
{
	const struct deadline dl = deadline_in_ms(ms);

	while (asked(PG_PEER, PATIENCE).state != SERVER_DOWN) {
		const struct deadline pause = deadline_in_ms(50);

		assert_false(deadline_passed(&dl));
		deadline_sleep(&pause);
	}
}

static void a_server_that_was_started_anew_is_asked_anew(void **state)
{
	(void)state;
	assert_int_equal(asked(PG_PEER, PATIENCE).state, SERVER_STANDBY);
	assert_int_equal(pgfixture_stop(&pgstage, N2, SIGINT), 0);
	assert_int_equal(pgfixture_start(&pgstage, N2, true), 0);
	assert_int_equal(asked(PG_PEER, PATIENCE).state, SERVER_STANDBY);
	/* A session outlives its postmaster for a moment. */
	assert_int_equal(pgfixture_stop(&pgstage, N2, SIGKILL), 0);
	until_down(5000);
	assert_int_equal(pgfixture_start(&pgstage, N2, true), 0);
	assert_int_equal(asked(PG_PEER, PATIENCE).state, SERVER_STANDBY);
}

/* SIGTERM to the postmaster: it waits for the sessions that it has, and takes no new one. */
static void a_smart_shutdown_is_not_held_up(void **state)
{
	(void)state;
	assert_int_equal(asked(PG_PEER, PATIENCE).state, SERVER_STANDBY);
	assert_int_equal(kill(pgstage.postmaster[N2], SIGTERM), 0);
	until_down(20000);
	assert_int_equal(pgfixture_stop(&pgstage, N2, SIGTERM), 0);
	assert_int_equal(pgfixture_start(&pgstage, N2, true), 0);
}

/* ---- as good a proof as a new one ---- */

static enum fact vote(void)
{
	const struct server local = asked(PG_LOCAL, PATIENCE);
	const struct server peer = asked(PG_PEER, PATIENCE);

	return server_votes_for(&peer, pgstage.cfg[N1].nodes[N1].address, local.system_identifier,
				local.timeline);
}

static void follow(const char *conninfo)
{
	const struct deadline dl = deadline_in_ms(PATIENCE);

	assert_int_equal(server_follow(&pgstage.cfg[N2], conninfo, &dl), 0);
}

static void *wake(void *arg)
{
	const struct deadline pause = deadline_in_ms(300);

	deadline_sleep(&pause);
	return kill(*(const pid_t *)arg, SIGCONT) == 0 ? arg : NULL;
}

/*
 * The session that is kept was stopped before the vote was withdrawn, so it has not read the files
 * again when it is asked; it has to before it answers.
 */
static void a_kept_connection_sees_a_withdrawn_vote(void **state)
{
	char conninfo[SERVER_CONNINFO_MAX];

	(void)state;
	(void)snprintf(conninfo, sizeof(conninfo), "%s", asked(PG_PEER, PATIENCE).primary_conninfo);
	for (int i = 0; i < 10; i++) {
		pthread_t thread;
		void *woken = NULL;
		pid_t pid;

		assert_int_equal(vote(), FACT_YES);
		pid = session(N2);
		assert_int_equal(kill(pid, SIGSTOP), 0);
		follow("");
		assert_int_equal(pthread_create(&thread, NULL, wake, &pid), 0);
		assert_int_equal(vote(), FACT_NO);
		assert_int_equal(pthread_join(thread, &woken), 0);
		assert_non_null(woken);
		assert_int_equal(session(N2), pid);
		follow(conninfo);
	}
	assert_int_equal(vote(), FACT_YES);
	assert_int_equal(pgfixture_until(&pgstage, N1,
					 "SELECT state FROM pg_stat_replication"
					 " WHERE application_name = 'n2'",
					 "streaming"),
			 0);
}

/* No reload is needed for that, and one answer speaks for all sessions. */
static void a_kept_connection_sees_the_mark_of_a_withdrawn_vote(void **state)
{
	const struct file_path mark = file_data(&pgstage.cfg[N2], WITHDRAWN_DATA);
	const struct deadline dl = deadline_in_ms(PATIENCE);
	pthread_t thread;
	pid_t pid;

	(void)state;
	assert_int_equal(vote(), FACT_YES);
	assert_false(server_shows_the_mark(&pgstage.cfg[N2], &dl));
	pid = session(N2);
	assert_int_equal(kill(pid, SIGSTOP), 0);
	assert_int_equal(state_write(mark.text, "at=now\n", 0644, false), 0);
	assert_int_equal(pthread_create(&thread, NULL, wake, &pid), 0);
	assert_int_equal(vote(), FACT_NO);
	assert_int_equal(pthread_join(thread, NULL), 0);
	pg_keep_end();
	assert_true(server_shows_the_mark(&pgstage.cfg[N2], &dl));
	assert_int_equal(state_remove(mark.text, false), 0);
	assert_false(server_shows_the_mark(&pgstage.cfg[N2], &dl));
}

/* ---- the witness ---- */

static void a_connection_that_was_made_beside_is_the_one_that_is_used(void **state)
{
	struct pg_warm warm = { &pgstage.cfg[0], PG_LOCAL, deadline_in_ms(PATIENCE), 0, false };
	struct pg_warm never = { .cfg = NULL };
	enum pg_failure failure;
	struct pg *pg = NULL;
	char why[160];

	(void)state;
	pg_keep_end();
	pg_keep();
	pg_warm_begin(&warm);
	pg_warm_end(&warm);
	pg_warm_end(&warm);
	pg_warm_end(&never);
	assert_int_equal(
	    pg_borrow(&pg, &pgstage.cfg[0], PG_LOCAL, &warm.dl, &failure, why, sizeof(why)), 0);
	assert_true(pg_was_kept(pg));
	pg_return(&pg);
}

static void the_witness_is_asked_over_one_connection_until_it_breaks(void **state)
{
	const struct deadline dl = deadline_in_ms(20000);
	struct cfg cfg = pgstage.cfg[N1];
	struct pgfixture witness;
	struct record record;
	const struct pg *first = NULL;

	(void)state;
	assert_int_equal(witness_server_begin(&witness), 0);
	witness_server_use(&witness, &cfg);
	for (int i = 0; i < 4; i++) {
		struct record_link link;

		/* A caller who only looks does not mind that the witness was started anew. */
		if (i == 2) {
			assert_int_equal(pgfixture_stop(&witness, 0, SIGINT), 0);
			assert_int_equal(pgfixture_start(&witness, 0, true), 0);
		}
		record_begin(&link, &cfg, SYSTEM);
		if (record_look(&link, &record, &dl) < 0)
			fail_msg("%s", link.why);
		assert_int_equal(record.present, FACT_NO);
		if (i == 1)
			assert_ptr_equal(link.pg, first);
		assert_int_equal(pg_was_kept(link.pg), i == 1 || i == 3);
		first = link.pg;
		record_end(&link);
	}
	pg_keep_end();
	pgfixture_end(&witness);
}

#define KEEPING(test) cmocka_unit_test_setup_teardown(test, keeping, keeping_no_more)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_kept_by_who_asks_once),
		KEEPING(one_connection_answers_again_and_again),
		KEEPING(a_session_that_was_ended_is_made_anew),
		KEEPING(a_busy_server_is_spared_new_connections),
		KEEPING(one_that_does_not_answer_is_dropped),
		KEEPING(a_server_that_was_started_anew_is_asked_anew),
		KEEPING(a_smart_shutdown_is_not_held_up),
		KEEPING(a_kept_connection_sees_a_withdrawn_vote),
		KEEPING(a_kept_connection_sees_the_mark_of_a_withdrawn_vote),
		KEEPING(a_connection_that_was_made_beside_is_the_one_that_is_used),
		KEEPING(the_witness_is_asked_over_one_connection_until_it_breaks),
	};

	return cmocka_run_group_tests(tests, pgstage_pair, pgstage_end);
}
