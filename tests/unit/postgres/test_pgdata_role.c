/* SPDX-License-Identifier: PostgreSQL */
/* The role of a server while it runs: by pg_control and its files, never by a signal file alone. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/deadline.h"
#include "controlfile.h"
#include "datadirectory.h"
#include "pgfixture.h"
#include "postgres/pgdata.h"

/* enum DBState of PostgreSQL, and one that it does not have. */
enum { STARTUP, SHUTDOWNED, IN_RECOVERY_DOWN, SHUTDOWNING, CRASH, ARCHIVE, PRODUCTION, STATES };

static struct pgfixture servers;

static int set_up(void **unused)
{
	return data_set_up(unused) < 0 ? -1 : mkdir(data_path("global"), 0700);
}

static int tear_down(void **unused)
{
	(void)unlink(data_path("global/pg_control"));
	(void)rmdir(data_path("global"));
	return data_tear_down(unused);
}

static void put_control(uint32_t state)
{
	controlfile_put(data_path("global/pg_control"), state);
}

static enum pgdata_role role(void)
{
	struct pgdata_running is;

	pgdata_running(&is, &data_cfg);
	return is.role;
}

/* ---- pg_control ---- */

static void each_state_is_told(void **unused)
{
	static const enum pgdata_state wanted[STATES + 1] = {
		[STARTUP] = PGDATA_STATE_OTHER,
		[SHUTDOWNED] = PGDATA_STATE_OTHER,
		[IN_RECOVERY_DOWN] = PGDATA_STATE_OTHER,
		[SHUTDOWNING] = PGDATA_STATE_PRODUCTION,
		[CRASH] = PGDATA_STATE_OTHER,
		[ARCHIVE] = PGDATA_STATE_RECOVERY,
		[PRODUCTION] = PGDATA_STATE_PRODUCTION,
		[STATES] = PGDATA_STATE_OTHER,
	};
	enum pgdata_state state;

	(void)unused;
	for (uint32_t i = 0; i <= STATES; i++) {
		put_control(i);
		assert_int_equal(pgdata_state(&data_cfg, &state), 0);
		assert_int_equal(state, wanted[i]);
	}
}

/* Each byte in turn is another one: in what is covered by the CRC, the CRC, and what follows it. */
static void a_byte_that_is_wrong_makes_it_unknown(void **unused)
{
	enum pgdata_state state;

	(void)unused;
	for (long at = 0; at < CONTROLFILE_READ; at++) {
		FILE *file;
		int byte;

		put_control(ARCHIVE);
		file = fopen(data_path("global/pg_control"), "r+");
		assert_non_null(file);
		assert_int_equal(fseek(file, at, SEEK_SET), 0);
		byte = fgetc(file) ^ 0x10;
		assert_int_equal(fseek(file, at, SEEK_SET), 0);
		assert_int_equal(fputc(byte, file), byte);
		assert_int_equal(fclose(file), 0);
		assert_int_equal(pgdata_state(&data_cfg, &state), -EBADMSG);
		assert_int_equal(state, PGDATA_STATE_UNKNOWN);
	}
}

static void what_is_short_or_missing_is_unknown(void **unused)
{
	enum pgdata_state state;

	(void)unused;
	assert_int_equal(pgdata_state(&data_cfg, &state), -ENOENT);
	for (long length = 0; length < CONTROLFILE_READ; length += 37) {
		put_control(PRODUCTION);
		assert_int_equal(truncate(data_path("global/pg_control"), length), 0);
		assert_int_equal(pgdata_state(&data_cfg, &state), -EINVAL);
		assert_int_equal(state, PGDATA_STATE_UNKNOWN);
	}
	assert_int_equal(truncate(data_path("global/pg_control"), 0), 0);
	assert_int_equal(truncate(data_path("global/pg_control"), 8192), 0);
	assert_int_equal(pgdata_state(&data_cfg, &state), -EBADMSG); /* zeros */
	assert_int_equal(unlink(data_path("global/pg_control")), 0);
	assert_int_equal(symlink("/dev/zero", data_path("global/pg_control")), 0);
	assert_int_equal(pgdata_state(&data_cfg, &state), -ELOOP);
}

/* ---- the role ---- */

static const char *const statuses[] = { NULL, "starting", "standby ", "ready   ", "stopping" };

static void put_status(const char *status)
{
	char text[200];

	(void)snprintf(text, sizeof(text), "1\n/data\n1\n5432\n/run\n*\n  1 2\n%s%s",
		       status != NULL ? status : "", status != NULL ? "\n" : "");
	data_put("postmaster.pid", text);
}

static bool has_said_ready(size_t status)
{
	return status >= 3;
}

/* Every combination, by a second wording of the sentence in pgdata.h. */
static void standby_is_only_what_pg_control_says_too(void **unused)
{
	(void)unused;
	data_put("PG_VERSION", "15\n");
	for (unsigned signals = 0; signals < 4; signals++)
		for (uint32_t state = 0; state <= STATES + 1; state++)
			for (size_t status = 0; status < ARRAY_COUNT(statuses); status++) {
				bool production = state == PRODUCTION || state == SHUTDOWNING;
				enum pgdata_role wanted = PGDATA_IS_UNKNOWN;

				(void)unlink(data_path("standby.signal"));
				(void)unlink(data_path("recovery.signal"));
				if ((signals & 1) != 0)
					data_put("standby.signal", "");
				if ((signals & 2) != 0)
					data_put("recovery.signal", "");
				put_control(state);
				if (state > STATES) /* cannot be read */
					assert_int_equal(
					    truncate(data_path("global/pg_control"), 100), 0);
				put_status(statuses[status]);
				if (signals != 0 && state == ARCHIVE)
					wanted = PGDATA_IS_STANDBY;
				if (signals == 0 || (production && has_said_ready(status)))
					wanted = PGDATA_IS_PRIMARY;
				assert_int_equal(role(), wanted);
				assert_true(pgdata_runs_primary(&data_cfg) ==
					    (wanted == PGDATA_IS_PRIMARY));
			}
}

static void a_directory_that_cannot_be_read_is_no_standby(void **unused)
{
	struct pgdata_running is;

	(void)unused;
	put_control(ARCHIVE);
	assert_int_equal(role(), PGDATA_IS_UNKNOWN); /* no PG_VERSION */
	put_control(PRODUCTION);
	assert_int_equal(role(), PGDATA_IS_UNKNOWN);
	put_status("ready   ");
	pgdata_running(&is, &data_cfg);
	assert_int_equal(is.role, PGDATA_IS_PRIMARY);
	assert_null(is.signal);
}

/* ---- servers ---- */

static enum pgdata_role role_of(size_t node)
{
	struct pgdata_running is;

	pgdata_running(&is, &servers.cfg[node]);
	return is.role;
}

static void touch(size_t node, const char *name)
{
	char path[CFG_PATH_MAX + 32];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%s", servers.cfg[node].data_dir, name);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fclose(file), 0);
}

static void a_server_is_what_it_says_of_itself(void **unused)
{
	struct deadline dl = deadline_in_ms(10000);
	enum pgdata_role was = PGDATA_IS_STANDBY;

	(void)unused;
	assert_int_equal(pgfixture_pair(&servers), 0);
	assert_int_equal(role_of(0), PGDATA_IS_PRIMARY);
	assert_int_equal(role_of(1), PGDATA_IS_STANDBY);
	touch(0, "standby.signal");
	assert_int_equal(role_of(0), PGDATA_IS_PRIMARY);
	touch(0, "recovery.signal");
	assert_int_equal(role_of(0), PGDATA_IS_PRIMARY);
	/* The server keeps the other file when it is promoted, and is a primary all the same. */
	touch(1, "recovery.signal");
	assert_int_equal(role_of(1), PGDATA_IS_STANDBY);
	assert_int_equal(pgfixture_sql(&servers, 1, "SELECT pg_promote(false)", NULL, 0), 0);
	while (was != PGDATA_IS_PRIMARY && !deadline_passed(&dl)) {
		enum pgdata_role is = role_of(1);

		assert_true(is == was || is != PGDATA_IS_STANDBY); /* never back */
		was = is;
	}
	assert_int_equal(pgfixture_until(&servers, 1, "SELECT pg_is_in_recovery()", "f"), 0);
	assert_int_equal(role_of(1), PGDATA_IS_PRIMARY);
}

int main(void)
{
	static const struct CMUnitTest files[] = {
		cmocka_unit_test_setup_teardown(each_state_is_told, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_byte_that_is_wrong_makes_it_unknown, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(what_is_short_or_missing_is_unknown, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(standby_is_only_what_pg_control_says_too, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_directory_that_cannot_be_read_is_no_standby,
						set_up, tear_down),
	};
	static const struct CMUnitTest real[] = {
		cmocka_unit_test(a_server_is_what_it_says_of_itself),
	};
	int failed = cmocka_run_group_tests(files, NULL, NULL);

	if (!pgfixture_possible())
		return failed;
	if (pgfixture_network() == 0)
		failed += cmocka_run_group_tests(real, NULL, NULL);
	else
		failed++;
	pgfixture_end(&servers);
	return failed;
}
