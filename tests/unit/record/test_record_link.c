/* SPDX-License-Identifier: PostgreSQL */
/* Asking a witness that does not answer as it should: what is certain then, and what is said. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/deadline.h"
#include "pgfixture_os.h"
#include "record/record_trust.h"
#include "witnessfixture.h"

#define N1 0

/* A question that fails; the record then says nothing. */
static void fails_until(const struct deadline *dl, struct record_link *link,
			enum pg_failure failure, const char *why)
{
	struct record record = { .present = FACT_YES, .term = 9 };
	const int rc = record_look(link, &record, dl);

	if (rc == 0 || link->failure != failure || strstr(link->why, why) == NULL)
		fail_msg("%d, failure %d: %s", rc, (int)link->failure, link->why);
	assert_int_equal(record.present, FACT_UNKNOWN);
	assert_int_equal(record.term, 0);
	assert_null(link->pg);
}

static void fails(const struct cfg *cfg, enum pg_failure failure, const char *why, bool unsent)
{
	const struct deadline dl = deadline_in_ms(PATIENCE);
	struct record_link AUTO_RECORD link;

	record_begin(&link, cfg, SYSTEM);
	fails_until(&dl, &link, failure, why);
	assert_true(record_unsent(&link) == unsent);
}

static void opened(struct record_link *link, int64_t ms)
{
	const struct deadline dl = deadline_in_ms(ms);
	struct record record;

	record_begin(link, &witness.n[N1], SYSTEM);
	if (record_look(link, &record, &dl) != 0)
		fail_msg("%s", link->why);
	assert_non_null(link->pg);
}

/* ---- no connection: nothing was sent, for certain ---- */

static void nothing_is_sent_where_nobody_listens(void **state)
{
	struct cfg cfg = witness.n[N1];

	(void)state;
	(void)snprintf(cfg.witness_address, sizeof(cfg.witness_address), "10.99.0.2");
	fails(&cfg, PG_FAIL_REFUSED, "the witness cannot be reached at 10.99.0.2, port 5432", true);
}

static void nothing_is_sent_when_no_time_is_left(void **state)
{
	const struct deadline dl = deadline_in_ms(0);
	struct record_link AUTO_RECORD link;

	(void)state;
	opened(&link, PATIENCE);
	record_end(&link);
	fails_until(&dl, &link, PG_FAIL_SILENT, "no time was left");
	assert_true(record_unsent(&link));
}

static void nothing_is_sent_to_a_server_that_does_not_let_us_in(void **state)
{
	struct deadline dl;
	struct record_link AUTO_RECORD link;
	struct cfg cfg = witness.n[N1];

	(void)state;
	(void)snprintf(cfg.witness_conninfo, sizeof(cfg.witness_conninfo),
		       "sslmode=disable password=wrong-as-wrong");
	fails(&cfg, PG_FAIL_PASSWORD,
	      "the witness does not let role \"recorder\" in: password authentication failed",
	      true);
	cfg = witness.n[N1];
	(void)snprintf(cfg.witness_passfile, sizeof(cfg.witness_passfile), "/nowhere");
	fails(&cfg, PG_FAIL_PASSWORD, "no password supplied", true);
	cfg = witness.n[N1];
	(void)snprintf(cfg.witness_database, sizeof(cfg.witness_database), "nowhere");
	fails(&cfg, PG_FAIL_DATABASE, "the witness: database \"nowhere\" does not exist", true);
	record_begin(&link, &witness.n[N1], SYSTEM);
	assert_int_equal(kill(witness.server.postmaster[0], SIGSTOP), 0);
	dl = deadline_in_ms(200);
	fails_until(&dl, &link, PG_FAIL_LATE,
		    "is busy, or stands still: connected, then no answer");
	assert_int_equal(kill(witness.server.postmaster[0], SIGCONT), 0);
	assert_true(record_unsent(&link));
}

/* ---- what is kept ---- */

static void a_connection_is_kept_and_made_anew(void **state)
{
	const struct deadline dl = deadline_in_ms(PATIENCE);
	struct record_link AUTO_RECORD link;
	struct record record;
	const struct pg *first;

	(void)state;
	opened(&link, PATIENCE);
	first = link.pg;
	assert_int_equal(record_look(&link, &record, &dl), 0);
	assert_ptr_equal(link.pg, first);
	witness_sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
		    " WHERE usename = 'recorder'");
	/* The witness may have taken the question before it ended. */
	fails_until(&dl, &link, PG_FAIL_STARTING, "the witness: ");
	assert_false(record_unsent(&link));
	assert_int_equal(record_look(&link, &record, &dl), 0);
}

static void *commit_soon(void *arg)
{
	const struct deadline dl = deadline_in_ms(PATIENCE);
	const struct deadline pause = deadline_in_ms(700);

	deadline_sleep(&pause);
	return pg_command(arg, "COMMIT", &dl) == 0 ? arg : NULL;
}

/* Limits of the moment at which it was opened would end a later question too early. */
static void a_later_question_has_its_own_time(void **state)
{
	const struct deadline dl = deadline_in_ms(PATIENCE);
	const struct record seen = witness_solo();
	struct record_link AUTO_RECORD link;
	struct record record;
	struct pg AUTO_PG *session = witness_session();
	pthread_t thread;
	void *committed = NULL;

	(void)state;
	opened(&link, 400);
	assert_int_equal(pg_command(session, "BEGIN", &dl), 0);
	assert_int_equal(pg_command(session, "UPDATE pgvrrp.record SET term = term", &dl), 0);
	assert_int_equal(pthread_create(&thread, NULL, commit_soon, session), 0);
	assert_int_equal(record_renew(&link, &record, &seen, false, &dl), 0);
	assert_int_equal(pthread_join(thread, &committed), 0);
	assert_non_null(committed);
	assert_refused(&record, "");
	assert_true(record.answered_ms - record.asked_ms >= 600);
}

/* Nor may what nobody waits for any more stand there for ever. */
static void a_question_at_a_locked_row_ends_by_itself(void **state)
{
	const struct deadline dl = deadline_in_ms(20000);
	const struct record seen = witness_solo();
	struct record_link AUTO_RECORD link;
	struct record record;
	struct pg AUTO_PG *session = witness_session();

	(void)state;
	record_begin(&link, &witness.n[N1], SYSTEM);
	assert_int_equal(pg_command(session, "BEGIN", &dl), 0);
	assert_int_equal(pg_command(session, "UPDATE pgvrrp.record SET term = term", &dl), 0);
	assert_int_equal(record_renew(&link, &record, &seen, false, &dl), -ETIMEDOUT);
	assert_string_equal(link.why, "the witness: another session keeps the record locked");
	assert_in_range(record.asked_ms, 1, now_ms() - 4900);
	assert_int_equal(record.present, FACT_UNKNOWN);
	assert_false(record_unsent(&link));
}

static void a_backend_that_hangs_is_silent(void **state)
{
	struct deadline soon;
	struct record_link AUTO_RECORD link;
	char said[64];
	int pid = 0;

	(void)state;
	opened(&link, PATIENCE);
	assert_int_equal(witness_try("SELECT max(pid) FROM pg_stat_activity"
				     " WHERE usename = 'recorder'",
				     said, sizeof(said)),
			 0);
	assert_int_equal(sscanf(said, "%d", &pid), 1);
	assert_int_equal(kill((pid_t)pid, SIGSTOP), 0);
	soon = deadline_in_ms(300);
	fails_until(&soon, &link, PG_FAIL_LATE, "no answer in time");
	assert_int_equal(kill((pid_t)pid, SIGCONT), 0);
	assert_false(record_unsent(&link));
}

/* ---- a server that is not the witness it should be ---- */

static void a_database_without_the_schema_is_told(void **state)
{
	struct cfg cfg = witness.n[N1];

	(void)state;
	(void)snprintf(cfg.witness_database, sizeof(cfg.witness_database), "postgres");
	fails(&cfg, PG_FAIL_OTHER,
	      "database \"postgres\" of the witness does not have our schema: witness-setup",
	      false);
}

static void a_role_without_rights_is_told(void **state)
{
	struct cfg cfg = witness.n[N1];

	(void)state;
	witness_sql("CREATE ROLE stranger LOGIN PASSWORD 'strange'");
	(void)snprintf(cfg.witness_role, sizeof(cfg.witness_role), "stranger");
	(void)snprintf(cfg.witness_conninfo, sizeof(cfg.witness_conninfo),
		       "sslmode=disable password=strange");
	fails(&cfg, PG_FAIL_RIGHT, "role \"stranger\" has no right to the record", false);
	witness_sql("GRANT USAGE ON SCHEMA pgvrrp TO stranger");
	fails(&cfg, PG_FAIL_RIGHT, "role \"stranger\" has no right to the record", false);
	witness_sql("DROP OWNED BY stranger; DROP ROLE stranger");
}

static void a_read_only_witness_is_told_when_it_is_to_write(void **state)
{
	const struct deadline dl = deadline_in_ms(PATIENCE);
	struct record_link AUTO_RECORD link;
	struct record record = witness_solo();

	(void)state;
	witness_sql("ALTER ROLE recorder SET default_transaction_read_only = on");
	record_begin(&link, &witness.n[N1], SYSTEM);
	assert_int_equal(record_look(&link, &record, &dl), 0);
	assert_int_equal(record_renew(&link, &record, &record, false, &dl), -EPROTO);
	assert_string_equal(link.why, "the witness's server is a standby, or read-only");
	witness_sql("ALTER ROLE recorder RESET default_transaction_read_only");
}

/* A standby would show the past: a renewal that it has not received looks like none. */
static void a_standby_of_the_witness_does_not_answer(void **state)
{
	char path[CFG_PATH_MAX + 32];

	(void)state;
	(void)witness_solo();
	(void)snprintf(path, sizeof(path), "%s/standby.signal", witness.server.cfg[0].data_dir);
	assert_int_equal(pgfixture_stop(&witness.server, 0, SIGINT), 0);
	assert_int_equal(os_write(path, "", false), 0);
	assert_int_equal(pgfixture_start(&witness.server, 0, true), 0);
	fails(&witness.n[N1], PG_FAIL_OTHER, "the witness's server is a standby, or read-only",
	      false);
	assert_int_equal(pgfixture_stop(&witness.server, 0, SIGINT), 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(pgfixture_start(&witness.server, 0, true), 0);
	assert_int_equal(witness_look(N1).present, FACT_YES);
}

static void make_copy(void)
{
	char path[CFG_PATH_MAX + 32];

	(void)snprintf(path, sizeof(path), "%s/standby.signal", witness.server.cfg[0].data_dir);
	assert_int_equal(pgfixture_stop(&witness.server, 0, SIGINT), 0);
	assert_int_equal(os_write(path, "", false), 0);
	assert_int_equal(pgfixture_start(&witness.server, 0, true), 0);
	witness_says("SELECT pg_promote()", "t");
}

/* A copy tells the past, and the other one may go on: nobody goes by it, and nothing is written
 * there. */
static void a_copy_that_was_promoted_is_not_the_witness(void **state)
{
	const struct deadline dl = deadline_in_ms(PATIENCE);
	const struct record seen = witness_paired();
	struct record_memory memory = { .known = FACT_YES,
					.term = seen.term,
					.version = seen.version };
	struct record_link AUTO_RECORD link;
	struct record record, copy;

	(void)state;
	(void)snprintf(memory.holder, sizeof(memory.holder), "%s", seen.holder);
	(void)snprintf(memory.origin, sizeof(memory.origin), "%s", seen.origin);
	record = witness_look(N1);
	assert_int_equal(record_trust(&record, &memory), RECORD_GOOD);
	make_copy();
	copy = witness_look(N1);
	assert_true(record_says_same(&copy, &seen));
	assert_int_equal(copy.version, seen.version);
	assert_int_equal(record_trust(&copy, &memory), RECORD_BACKWARDS);

	record_begin(&link, &witness.n[N1], SYSTEM);
	assert_int_equal(record_take(&link, &record, &seen, &dl), 0);
	assert_refused(&record, "absent");
	assert_int_equal(record_renew(&link, &record, &seen, false, &dl), 0);
	assert_refused(&record, "absent");
	witness_says("SELECT term, version FROM pgvrrp.record", "1|2");

	/* The node that serves by right makes it the witness. */
	assert_int_equal(
	    record_create(&link, &record, &copy, record_next_term(&copy, &memory), &dl), 0);
	assert_refused(&record, "");
	assert_int_equal(record_trust(&record, &memory), RECORD_GOOD);
}

#define TEST(name) cmocka_unit_test_setup(name, witness_empty)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_is_sent_where_nobody_listens),
		TEST(nothing_is_sent_when_no_time_is_left),
		TEST(nothing_is_sent_to_a_server_that_does_not_let_us_in),
		TEST(a_connection_is_kept_and_made_anew),
		TEST(a_later_question_has_its_own_time),
		TEST(a_question_at_a_locked_row_ends_by_itself),
		TEST(a_backend_that_hangs_is_silent),
		TEST(a_database_without_the_schema_is_told),
		TEST(a_role_without_rights_is_told),
		TEST(a_read_only_witness_is_told_when_it_is_to_write),
		TEST(a_standby_of_the_witness_does_not_answer),
		TEST(a_copy_that_was_promoted_is_not_the_witness),
	};

	return cmocka_run_group_tests(tests, witness_begin, witness_end);
}
