/* SPDX-License-Identifier: PostgreSQL */
/* A promotion that takes effect long after it was asked for. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/deadline.h"
#include "base/state.h"
#include "node/path.h"
#include "node/stamp.h"
#include "pgstage.h"
#include "postgres/server.h"

#define N2       1
#define PATIENCE 10000
#define FOLLOWS  "SELECT current_setting('primary_conninfo') <> ''"

static pid_t startup_process(void)
{
	char pid[24];

	assert_int_equal(pgfixture_sql(&pgstage, N2,
				       "SELECT pid FROM pg_stat_activity"
				       " WHERE backend_type = 'startup'",
				       pid, sizeof(pid)),
			 0);
	return (pid_t)strtol(pid, NULL, 10);
}

static void follow(int wanted)
{
	const struct deadline dl = deadline_in_ms(PATIENCE);
	char conninfo[SERVER_CONNINFO_MAX];

	assert_int_equal(server_conninfo_to_peer(&pgstage.cfg[N2], conninfo, sizeof(conninfo)), 0);
	assert_int_equal(server_follow(&pgstage.cfg[N2], conninfo, &dl), wanted);
}

static void withdraw(void)
{
	const struct deadline dl = deadline_in_ms(PATIENCE);

	assert_int_equal(server_follow(&pgstage.cfg[N2], "", &dl), 0);
}

static void one_that_is_refused_is_not_pending(void **state)
{
	const struct deadline dl = deadline_in_ms(PATIENCE);
	const struct cfg *primary = &pgstage.cfg[0];

	(void)state;
	/* pg_promote() refuses a server that is not in recovery. */
	assert_int_equal(server_promote(primary, &dl), -EPROTO);
	assert_int_equal(state_exists(file_run(primary, "asked").text), 0);
}

static void the_vote_does_not_go_back_while_it_is_pending(void **state)
{
	const struct deadline dl = deadline_in_ms(PATIENCE);
	pid_t pid = startup_process();

	(void)state;
	withdraw();
	assert_int_equal(kill(pid, SIGSTOP), 0);
	assert_int_equal(server_promote(&pgstage.cfg[N2], &dl), 0);
	follow(-EBUSY);
	assert_int_equal(pgfixture_until(&pgstage, N2, FOLLOWS, "f"), 0);
	/* The end of the server is the end of it. */
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(pgfixture_stop(&pgstage, N2, SIGQUIT), 0);
	assert_int_equal(pgfixture_start(&pgstage, N2, true), 0);
	follow(0);
	assert_int_equal(pgfixture_until(&pgstage, N2, FOLLOWS, "t"), 0);
}

static void it_takes_effect_however_late(void **state)
{
	const struct deadline dl = deadline_in_ms(PATIENCE);
	pid_t pid = startup_process();

	(void)state;
	withdraw();
	assert_int_equal(kill(pid, SIGSTOP), 0);
	assert_int_equal(server_promote(&pgstage.cfg[N2], &dl), 0);
	follow(-EBUSY);
	assert_int_equal(kill(pid, SIGCONT), 0);
	assert_int_equal(pgfixture_until(&pgstage, N2, "SELECT pg_is_in_recovery()", "f"), 0);
}

/* ---- what the file says when it cannot be read ---- */

static const char *asked_file(void)
{
	static struct file_path path;

	path = file_run(&pgstage.cfg[N2], "asked");
	return path.text;
}

static void put_asked(const char *text)
{
	assert_int_equal(state_write(asked_file(), text, 0644, false), 0);
}

static void forget(void)
{
	server_promotion_forget(&pgstage.cfg[N2]);
}

static void what_cannot_be_read_is_pending(void **state)
{
	static const char *const garbage[] = { "", "x", "boot=", "at_ms=1\nword=pg_promote\n" };
	const struct cfg *cfg = &pgstage.cfg[N2];

	(void)state;
	forget();
	assert_false(server_promotion_pending(cfg));
	for (size_t i = 0; i < sizeof(garbage) / sizeof(garbage[0]); i++) {
		put_asked(garbage[i]);
		assert_true(server_promotion_pending(cfg));
		follow(-EBUSY);
	}
	/* Further ahead than any clock of this boot. */
	assert_int_equal(stamp_write(cfg, STAMP_ASKED, now_ms() + 3600000, "pg_promote"), 0);
	assert_true(server_promotion_pending(cfg));
	assert_int_equal(unlink(asked_file()), 0);
	assert_int_equal(symlink("/dev/null", asked_file()), 0);
	assert_true(server_promotion_pending(cfg));
	assert_int_equal(unlink(asked_file()), 0);
	assert_int_equal(mkdir(asked_file(), 0755), 0);
	assert_true(server_promotion_pending(cfg));
	assert_int_equal(rmdir(asked_file()), 0);
	follow(0);
}

static void what_is_of_another_boot_or_an_older_server_is_not_pending(void **state)
{
	const struct cfg *cfg = &pgstage.cfg[N2];

	(void)state;
	put_asked("boot=00000000-0000-0000-0000-000000000000\nat_ms=1\nword=pg_promote\n");
	assert_false(server_promotion_pending(cfg));
	assert_int_equal(stamp_write(cfg, STAMP_ASKED, 1, "pg_promote"), 0);
	assert_false(server_promotion_pending(cfg));
}

static void only_what_cannot_be_read_is_forgotten(void **state)
{
	const struct cfg *cfg = &pgstage.cfg[N2];

	(void)state;
	assert_int_equal(stamp_write(cfg, STAMP_ASKED, now_ms(), "pg_promote"), 0);
	forget();
	assert_true(server_promotion_pending(cfg));
	put_asked("x");
	forget();
	assert_int_equal(state_exists(asked_file()), 0);
	assert_false(server_promotion_pending(cfg));
}

static void what_stands_in_its_place_keeps_no_promotion_from_happening(void **state)
{
	const struct deadline dl = deadline_in_ms(PATIENCE);
	const struct cfg *primary = &pgstage.cfg[0];
	const struct file_path path = file_run(primary, "asked");

	(void)state;
	assert_int_equal(mkdir(path.text, 0755), 0);
	/* The server was asked, and said no, since it is a primary. */
	assert_int_equal(server_promote(primary, &dl), -EPROTO);
	assert_int_equal(rmdir(path.text), 0);
}

static int begin(void **state)
{
	if (pgstage_pair(state) != 0)
		return -1;
	if (files_prepare(&pgstage.cfg[0]) == 0 && files_prepare(&pgstage.cfg[N2]) == 0)
		return 0;
	(void)pgstage_end(state);
	return -1;
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_that_is_refused_is_not_pending),
		cmocka_unit_test(what_cannot_be_read_is_pending),
		cmocka_unit_test(what_is_of_another_boot_or_an_older_server_is_not_pending),
		cmocka_unit_test(only_what_cannot_be_read_is_forgotten),
		cmocka_unit_test(what_stands_in_its_place_keeps_no_promotion_from_happening),
		cmocka_unit_test(the_vote_does_not_go_back_while_it_is_pending),
		cmocka_unit_test(it_takes_effect_however_late),
	};

	return cmocka_run_group_tests(tests, begin, pgstage_end);
}
