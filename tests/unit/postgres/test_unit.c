/* SPDX-License-Identifier: PostgreSQL */
/* The start of a server that lives in a unit of systemd: what systemd says, and what is made of it.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/deadline.h"
#include "base/proc.h"
#include "base/state.h"
#include "node/stamp.h"
#include "postgres/unit.h"

static char dir[64], program[128];
static struct cfg cfg = { .unit = "postgresql@15-main", .lease_ms = 5000 };

static void states_are_told_apart(void **unused)
{
	(void)unused;
	assert_int_equal(unit_state_of("ActiveState=active\n"), UNIT_UP);
	assert_int_equal(unit_state_of("ActiveState=inactive\n"), UNIT_DOWN);
	assert_int_equal(unit_state_of("ActiveState=failed\nJob=0\n"), UNIT_DOWN);
	assert_int_equal(unit_state_of("ActiveState=inactive\nJob=1234\n"), UNIT_CHANGING);
	assert_int_equal(unit_state_of("Job=7\nActiveState=active\n"), UNIT_CHANGING);
	assert_int_equal(unit_state_of("ActiveState=deactivating\n"), UNIT_CHANGING);
	assert_int_equal(unit_state_of("ActiveState=activating\n"), UNIT_CHANGING);
	assert_int_equal(unit_state_of("ActiveState=maintenance\n"), UNIT_UNKNOWN);
	assert_int_equal(unit_state_of("ActiveState=act"), UNIT_UNKNOWN);
	assert_int_equal(unit_state_of(""), UNIT_UNKNOWN);
}

static void only_debians_places_are_debians(void **unused)
{
	struct cfg_debian is = cfg_debian("/etc/postgresql/17/my-shop/postgresql.conf");

	(void)unused;
	assert_string_equal(is.unit, "postgresql@17-my-shop");
	assert_string_equal(is.log_file, "/var/log/postgresql/postgresql-17-my-shop.log");
	assert_string_equal(cfg_debian("/etc/postgresql/17/main/postgresql.conf.d").unit, "");
	assert_string_equal(cfg_debian("/etc/postgresql/17/main/postgresql.con").unit, "");
	assert_string_equal(cfg_debian("/etc/postgresql/devel/main/postgresql.conf").unit, "");
	assert_string_equal(cfg_debian("/etc/postgresql/17/a/b/postgresql.conf").unit, "");
	assert_string_equal(cfg_debian("/srv/17/main/postgresql.conf").unit, "");
	assert_string_equal(cfg_debian("").unit, "");
}

/* A systemctl that answers `show` with the lines of the file "state", and `start` with `start`. */
static void systemd_is(const char *state, const char *start)
{
	char text[1024], path[128];

	(void)snprintf(text, sizeof(text),
		       "#!/bin/sh\ncd %s\ncase \"$1\" in\nshow) cat state;;\n"
		       "*) echo \"$*\" >>asked; %s;;\nesac\n",
		       dir, start);
	assert_int_equal(state_write(program, text, 0755, false), 0);
	(void)snprintf(path, sizeof(path), "%s/state", dir);
	assert_int_equal(state_write(path, state, 0644, false), 0);
	(void)snprintf(path, sizeof(path), "%s/asked", dir);
	assert_int_equal(state_write(path, "", 0644, false), 0);
}

static size_t asked(void)
{
	char text[STATE_TEXT_MAX], path[128];
	size_t lines = 0;

	(void)snprintf(path, sizeof(path), "%s/asked", dir);
	assert_int_equal(state_read(path, text, sizeof(text)), 0);
	for (const char *at = text; (at = strchr(at, '\n')) != NULL; at++)
		lines++;
	if (lines > 0)
		assert_string_equal(strrchr(text, ' '), " postgresql@15-main\n");
	return lines;
}

static int start_within(int64_t ms)
{
	struct deadline dl = deadline_in_ms(ms);
	int64_t at_ms;
	int rc = unit_start(&cfg, &dl);

	/* Nothing that its gate would take for our word is left. */
	assert_int_equal(stamp_read(&cfg, STAMP_STARTING, &at_ms, NULL, 0), -ENOENT);
	return rc;
}

static void a_unit_that_ends_is_no_start(void **unused)
{
	(void)unused;
	systemd_is("ActiveState=failed\n", "exit 0");
	assert_int_equal(start_within(20000), -ECHILD);
	assert_int_equal(asked(), 1);
}

static void a_start_that_is_refused_is_not_waited_for(void **unused)
{
	(void)unused;
	systemd_is("ActiveState=inactive\n", "echo masked >&2; exit 1");
	assert_int_equal(start_within(20000), -ECHILD);
	assert_int_equal(asked(), 1);
}

/* Its end is somebody's, whose job ours would only cancel. */
static void a_unit_that_stops_is_started_behind_that(void **unused)
{
	(void)unused;
	systemd_is("ActiveState=deactivating\n",
		   "test $(wc -l <asked) -gt 2 || exit 1; echo ActiveState=failed >state");
	assert_int_equal(start_within(20000), -ECHILD);
	assert_int_equal(asked(), 3);
}

/* systemd has not seen yet that the last server ended: a start would do nothing, and be a yes. */
static void a_unit_that_is_up_without_a_server_is_not_started(void **unused)
{
	(void)unused;
	systemd_is("ActiveState=active\n", "exit 0");
	assert_int_equal(start_within(300), -ETIMEDOUT);
	assert_int_equal(asked(), 0);
}

static void a_systemd_that_hangs_is_left(void **unused)
{
	int64_t began_ms = now_ms();

	(void)unused;
	systemd_is("ActiveState=inactive\n", "exec sleep 100");
	assert_int_equal(start_within(500), -ETIMEDOUT);
	assert_true(now_ms() - began_ms < 50000);
}

static void without_systemd_there_is_no_unit(void **unused)
{
	struct cfg none = cfg;

	(void)unused;
	assert_true(unit_is_used(&cfg));
	none.unit[0] = '\0';
	assert_false(unit_is_used(&none));
	unit_systemd.booted = "/nonexistent";
	assert_false(unit_is_used(&cfg));
	unit_systemd.booted = dir;
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(states_are_told_apart),
		cmocka_unit_test(only_debians_places_are_debians),
		cmocka_unit_test(a_unit_that_ends_is_no_start),
		cmocka_unit_test(a_start_that_is_refused_is_not_waited_for),
		cmocka_unit_test(a_unit_that_stops_is_started_behind_that),
		cmocka_unit_test(a_unit_that_is_up_without_a_server_is_not_started),
		cmocka_unit_test(a_systemd_that_hangs_is_left),
		cmocka_unit_test(without_systemd_there_is_no_unit),
	};
	const char *const argv[] = { "/bin/rm", "-rf", dir, NULL };
	const struct proc_spec spec = { .argv = argv };
	struct proc AUTO_PROC child = PROC_NONE;
	struct deadline dl = { 0 };
	int failed;

	(void)snprintf(dir, sizeof(dir), "/tmp/pgv-unit-XXXXXX");
	if (mkdtemp(dir) == NULL)
		return 1;
	(void)snprintf(program, sizeof(program), "%s/systemctl", dir);
	(void)snprintf(cfg.run_dir, sizeof(cfg.run_dir), "%s", dir);
	(void)snprintf(cfg.data_dir, sizeof(cfg.data_dir), "%s/data", dir);
	unit_systemd = (struct unit_systemd){ .systemctl = program, .booted = dir };
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	dl = deadline_in_ms(10000);
	return proc_run(&child, &spec, &dl) < 0 ? 1 : failed;
}
