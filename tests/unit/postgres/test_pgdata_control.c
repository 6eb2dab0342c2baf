/* SPDX-License-Identifier: PostgreSQL */
/* The output of pg_controldata: whole, or not known. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/deadline.h"
#include "pgfixture.h"
#include "postgres/pgdata.h"

static struct pgfixture servers;
static struct cfg *const real = &servers.cfg[0];

#define CONTROL(system, state, checkpoint, timeline, minimum)              \
	"pg_control version number:            1300\n"                     \
	"Database system identifier:           " system "\n"               \
	"Database cluster state:               " state "\n"                \
	"pg_control last modified:             Mon Nov 23 06:40:00 2026\n" \
	"Latest checkpoint location:           " checkpoint "\n"           \
	"Latest checkpoint's REDO location:    0/14FA3B8\n"                \
	"Latest checkpoint's TimeLineID:       " timeline "\n"             \
	"Latest checkpoint's PrevTimeLineID:   1\n"                        \
	"Minimum recovery ending location:     " minimum "\n"              \
	"Min recovery ending loc's timeline:   3\n"                        \
	"wal_log_hints setting:                on\n"                       \
	"Data page checksum version:           0\n"

static void control_is_read_whole(void **unused)
{
	struct pgdata_control control;

	(void)unused;
	assert_int_equal(
	    pgdata_control_parse(&control, CONTROL("7500000000000000001", "in archive recovery",
						   "1/14FA3F0", "2", "1/2000000")),
	    0);
	assert_true(control.known);
	assert_true(control.system_identifier == UINT64_C(7500000000000000001));
	assert_true(control.checkpoint_lsn == UINT64_C(0x1014FA3F0));
	assert_true(control.min_recovery_lsn == UINT64_C(0x102000000));
	assert_int_equal(control.timeline, 2);
	assert_int_equal(control.min_recovery_timeline, 3);
	assert_true(control.wal_log_hints);
	assert_false(control.checksums);
	assert_true(control.in_recovery);
	assert_false(control.shut_down || control.in_production);
	assert_string_equal(control.state, "in archive recovery");
}

static void only_shut_down_is_shut_down(void **unused)
{
	struct pgdata_control control;

	(void)unused;
	assert_int_equal(
	    pgdata_control_parse(&control, CONTROL("1", "shut down", "0/1", "1", "0/0")), 0);
	assert_true(control.shut_down && !control.recovering);
	assert_int_equal(pgdata_control_parse(
			     &control, CONTROL("1", "shut down in recovery", "0/1", "1", "0/0")),
			 0);
	assert_true(control.shut_down && control.recovering);
	assert_int_equal(
	    pgdata_control_parse(&control, CONTROL("1", "shutting down", "0/1", "1", "0/0")), 0);
	assert_false(control.shut_down);
	assert_int_equal(
	    pgdata_control_parse(&control, CONTROL("1", "in production", "0/1", "1", "0/0")), 0);
	assert_false(control.shut_down);
	assert_true(control.in_production);
}

static void control_garbage_is_not_known(void **unused)
{
	static const char *const garbage[] = {
		"",
		"Database system identifier: 1\n",
		CONTROL("-1", "shut down", "0/1", "1", "0/0"),
		CONTROL("99999999999999999999", "shut down", "0/1", "1", "0/0"),
		CONTROL("1x", "shut down", "0/1", "1", "0/0"),
		CONTROL("01", "shut down", "0/1", "1", "0/0"),
		CONTROL("1", "", "0/1", "1", "0/0"),
		CONTROL("1", "shut down", "01", "1", "0/0"),
		CONTROL("1", "shut down", "0/1", "0", "0/0"),
		CONTROL("1", "shut down", "0/1", "4294967296", "0/0"),
		CONTROL("1", "shut down", "0/1", "1", "0/"),
		CONTROL("1", "shut down", "0/1", "1", "0/0") "Database system identifier: 1\n",
		"WARNING: Calculated CRC checksum does not match value stored in file.\n" CONTROL(
		    "1", "shut down", "0/1", "1", "0/0"),
	};
	struct pgdata_control control;

	(void)unused;
	for (size_t i = 0; i < ARRAY_COUNT(garbage); i++) {
		assert_int_equal(pgdata_control_parse(&control, garbage[i]), -EINVAL);
		assert_false(control.known || control.shut_down);
		assert_true(control.why[0] != '\0');
	}
}

static void control_of_a_real_directory(void **unused)
{
	struct deadline dl = deadline_in_ms(5000);
	struct pgdata_control control;
	char text[64];

	(void)unused;
	assert_int_equal(pgfixture_start(&servers, 0, true), 0);
	pgdata_control(&control, real, &dl);
	assert_true(control.known);
	assert_true(control.in_production);
	assert_true(control.wal_log_hints);
	assert_int_equal(pgfixture_sql(&servers, 0,
				       "SELECT system_identifier FROM pg_control_system()", text,
				       sizeof(text)),
			 0);
	assert_true(control.system_identifier == strtoull(text, NULL, 10));
	assert_int_equal(pgfixture_stop(&servers, 0, SIGINT), 0);
	pgdata_control(&control, real, &dl);
	assert_true(control.known);
	assert_true(control.shut_down);
	assert_int_equal(control.timeline, 1);
}

static void control_that_cannot_be_read_is_not_known(void **unused)
{
	struct deadline dl = deadline_in_ms(5000);
	struct pgdata_control control;
	struct cfg other = *real;
	char from[CFG_PATH_MAX + 32], to[CFG_PATH_MAX + 32];

	(void)unused;
	(void)snprintf(other.bin_dir, sizeof(other.bin_dir), "/nonexistent");
	pgdata_control(&control, &other, &dl);
	assert_false(control.known);
	assert_true(control.why[0] != '\0');
	(void)snprintf(from, sizeof(from), "%s/global/pg_control", real->data_dir);
	(void)snprintf(to, sizeof(to), "%s/global/away", real->data_dir);
	assert_int_equal(rename(from, to), 0);
	pgdata_control(&control, real, &dl);
	assert_false(control.known);
	assert_non_null(strstr(control.why, "pg_control"));
	assert_int_equal(rename(to, from), 0);
}

static void a_damaged_control_file_is_not_known(void **unused)
{
	struct deadline dl = deadline_in_ms(5000);
	struct pgdata_control control;
	char path[CFG_PATH_MAX + 32];
	char old, new;
	int AUTO_FD fd = -1;

	(void)unused;
	(void)snprintf(path, sizeof(path), "%s/global/pg_control", real->data_dir);
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_int_equal(pread(fd, &old, 1, 40), 1);
	new = (char)(old ^ 1);
	assert_int_equal(pwrite(fd, &new, 1, 40), 1);
	pgdata_control(&control, real, &dl);
	assert_false(control.known);
	assert_int_equal(pwrite(fd, &old, 1, 40), 1);
}

static int stop_real(void **unused)
{
	(void)unused;
	return pgfixture_stop(&servers, 0, SIGQUIT);
}

#define REAL(name) cmocka_unit_test_teardown(name, stop_real)

int main(void)
{
	static const struct CMUnitTest parses[] = {
		cmocka_unit_test(control_is_read_whole),
		cmocka_unit_test(only_shut_down_is_shut_down),
		cmocka_unit_test(control_garbage_is_not_known),
	};
	static const struct CMUnitTest with_server[] = {
		REAL(control_of_a_real_directory),
		REAL(control_that_cannot_be_read_is_not_known),
		REAL(a_damaged_control_file_is_not_known),
	};
	int failed = cmocka_run_group_tests(parses, NULL, NULL);

	if (!pgfixture_possible())
		return failed;
	if (pgfixture_network() < 0 || pgfixture_init(&servers) < 0) {
		pgfixture_end(&servers);
		return 1;
	}
	failed += cmocka_run_group_tests(with_server, NULL, NULL);
	pgfixture_end(&servers);
	return failed;
}
