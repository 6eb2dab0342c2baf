/* SPDX-License-Identifier: PostgreSQL */
/* What a data directory says, and which processes are its server's. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "deadline.h"
#include "pgdata.h"
#include "pgfixture.h"
#include "state.h"

static struct pgfixture servers;
static struct cfg *const real = &servers.cfg[0];
static struct cfg cfg; /* a directory that only looks like one */

/* ---- a directory that only looks like one ---- */

static int set_up(void **unused)
{
	(void)unused;
	cfg = (struct cfg){ .bin_dir = "/nonexistent" };
	(void)snprintf(cfg.data_dir, sizeof(cfg.data_dir), "/tmp/test_pgdata.XXXXXX");
	return mkdtemp(cfg.data_dir) == NULL ? -1 : chown(cfg.data_dir, 65534, 65534);
}

static const char *in(const char *name)
{
	static char path[CFG_PATH_MAX + 64];

	(void)snprintf(path, sizeof(path), "%s/%s", cfg.data_dir, name);
	return path;
}

static void put(const char *name, const char *text)
{
	assert_int_equal(state_write(in(name), text, 0600, false), 0);
}

static int tear_down(void **unused)
{
	static const char *const names[] = { "PG_VERSION",      "standby.signal",
					     "recovery.signal", "postgresql.auto.conf",
					     "postmaster.pid",  "postgresql.auto.conf.pg_vrrp" };

	(void)unused;
	for (size_t i = 0; i < ARRAY_COUNT(names); i++)
		(void)unlink(in(names[i]));
	return rmdir(cfg.data_dir);
}

static void form_follows_the_files(void **unused)
{
	static const struct {
		const char *files[3];
		enum pgdata_form form;
	} cases[] = {
		{ { NULL }, PGDATA_MISSING },
		{ { "standby.signal" }, PGDATA_MISSING },
		{ { "PG_VERSION" }, PGDATA_PRIMARY },
		{ { "PG_VERSION", "standby.signal" }, PGDATA_STANDBY },
		{ { "PG_VERSION", "recovery.signal" }, PGDATA_RECOVERY },
		{ { "PG_VERSION", "standby.signal", "recovery.signal" }, PGDATA_STANDBY },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		for (size_t file = 0; file < 3 && cases[i].files[file] != NULL; file++)
			put(cases[i].files[file], "15\n");
		assert_int_equal(pgdata_form(&cfg), cases[i].form);
		for (size_t file = 0; file < 3 && cases[i].files[file] != NULL; file++)
			assert_int_equal(unlink(in(cases[i].files[file])), 0);
	}
}

static void unreadable_is_not_missing(void **unused)
{
	char *const end = cfg.data_dir + strlen(cfg.data_dir);
	int major;

	(void)unused;
	put("PG_VERSION", "15\n");
	(void)snprintf(end, 32, "/PG_VERSION"); /* a file where the directory should be: ENOTDIR */
	assert_int_equal(pgdata_form(&cfg), PGDATA_UNKNOWN);
	assert_int_equal(pgdata_version(&cfg, &major), -ENOTDIR);
	*end = '\0';
}

static void version_is_a_whole_number(void **unused)
{
	static const char *const garbage[] = { "", "\n", "9.6\n", "15", "15 \n", "-15\n", "x\n" };
	int major;

	(void)unused;
	assert_int_equal(pgdata_version(&cfg, &major), -ENOENT);
	for (size_t i = 0; i < ARRAY_COUNT(garbage); i++) {
		put("PG_VERSION", garbage[i]);
		assert_int_equal(pgdata_version(&cfg, &major), -EINVAL);
	}
	put("PG_VERSION", "17\n");
	assert_int_equal(pgdata_version(&cfg, &major), 0);
	assert_int_equal(major, 17);
}

/* ---- pg_controldata's words ---- */

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
	assert_true(control.shut_down);
	assert_int_equal(pgdata_control_parse(
			     &control, CONTROL("1", "shut down in recovery", "0/1", "1", "0/0")),
			 0);
	assert_true(control.shut_down);
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

/* ---- make_standby ---- */

static void becomes_a_standby_and_keeps_the_rest(void **unused)
{
	static const char conninfo[] = "host=192.0.2.1 password='it\\'s'";
	static const char expected[] =
	    "# Do not edit this file manually!\n"
	    "work_mem = '8MB'\n"
	    "primary_conninfo_x = '1'\n"
	    "primary_conninfo = 'host=192.0.2.1 password=''it\\\\''s'''\n"
	    "recovery_target_timeline = 'latest'\n";
	char text[STATE_TEXT_MAX];
	struct stat status;

	(void)unused;
	put("PG_VERSION", "15\n");
	put("postgresql.auto.conf", "# Do not edit this file manually!\n"
				    "primary_conninfo = 'host=old'\n"
				    "work_mem = '8MB'\n"
				    "  PRIMARY_CONNINFO='host=older'\n"
				    "recovery_target_timeline 'current'\n"
				    "primary_conninfo_x = '1'");
	/* The second run finds the state reached. */
	for (int run = 0; run < 2; run++) {
		assert_int_equal(pgdata_make_standby(&cfg, conninfo), 0);
		assert_int_equal(pgdata_form(&cfg), PGDATA_STANDBY);
		assert_int_equal(state_read(in("postgresql.auto.conf"), text, sizeof(text)), 0);
		assert_string_equal(text, expected);
		assert_int_equal(stat(in("postgresql.auto.conf"), &status), 0);
		assert_int_equal(status.st_uid, 65534);
		assert_int_equal(status.st_mode & 07777, 0600);
		assert_int_equal(stat(in("standby.signal"), &status), 0);
		assert_int_equal(status.st_uid, 65534);
		assert_int_equal(status.st_size, 0);
	}
}

static void a_run_that_was_killed_is_in_nobodys_way(void **unused)
{
	(void)unused;
	put("postgresql.auto.conf.pg_vrrp", "half of a fi");
	assert_int_equal(pgdata_make_standby(&cfg, "host=a"), 0);
	assert_int_equal(state_exists(in("postgresql.auto.conf.pg_vrrp")), 0);
	assert_int_equal(state_exists(in("standby.signal")), 1);
}

static void bad_conninfo_changes_nothing(void **unused)
{
	char huge[8000];

	(void)unused;
	memset(huge, 'x', sizeof(huge) - 1);
	huge[sizeof(huge) - 1] = '\0';
	assert_int_equal(pgdata_make_standby(&cfg, "host=a\nfsync = off"), -EINVAL);
	assert_int_equal(pgdata_make_standby(&cfg, huge), -EFBIG);
	assert_int_equal(state_exists(in("standby.signal")), 0);
	assert_int_equal(state_exists(in("postgresql.auto.conf")), 0);
}

/* Whoever owns the directory must not make root read or write elsewhere. */
static void follows_no_link(void **unused)
{
	char target[CFG_PATH_MAX + 64], text[16];

	(void)unused;
	(void)snprintf(target, sizeof(target), "%s", in("PG_VERSION"));
	put("PG_VERSION", "15\n");
	assert_int_equal(symlink(target, in("postgresql.auto.conf")), 0);
	assert_int_equal(pgdata_make_standby(&cfg, "host=a"), -ELOOP);
	assert_int_equal(unlink(in("postgresql.auto.conf")), 0);
	assert_int_equal(symlink(target, in("postgresql.auto.conf.pg_vrrp")), 0);
	assert_int_equal(pgdata_make_standby(&cfg, "host=a"), 0);
	assert_int_equal(state_read(target, text, sizeof(text)), 0);
	assert_string_equal(text, "15\n");
}

/* ---- processes ---- */

static void no_directory_is_not_no_process(void **unused)
{
	char name = cfg.data_dir[5];
	pid_t pid;

	(void)unused;
	cfg.data_dir[5] = '-';
	assert_int_equal(pgdata_postmaster(&cfg, &pid), -ENODEV);
	assert_int_equal(pgdata_processes(&cfg, NULL, 0), -ENODEV);
	cfg.data_dir[5] = name;
	assert_int_equal(pgdata_postmaster(&cfg, &pid), -ENOENT);
	assert_int_equal(pgdata_processes(&cfg, NULL, 0), 0);
}

/* A process whose program is no server, in the directory, with its pid in postmaster.pid. */
static void a_shell_in_the_directory_is_not_the_server(void **unused)
{
	char text[32];
	pid_t pid, child = fork();

	(void)unused;
	if (child == 0) {
		if (chdir(cfg.data_dir) == 0)
			(void)pause();
		_exit(1);
	}
	(void)snprintf(text, sizeof(text), "%d\n", child);
	put("postmaster.pid", text);
	assert_int_equal(pgdata_postmaster(&cfg, &pid), -ENOENT);
	assert_int_equal(pgdata_processes(&cfg, NULL, 0), 0);
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
}

static void stale_or_torn_postmaster_pid_is_none(void **unused)
{
	static const char *const texts[] = { "",    "\n",         "0\n", "x\n", "99999999999\n",
					     "1\n", "999999999\n" };
	pid_t pid;

	(void)unused;
	for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
		put("postmaster.pid", texts[i]);
		assert_int_equal(pgdata_postmaster(&cfg, &pid), -ENOENT);
		assert_int_equal(pid, 0);
	}
}

/* ---- a real server ---- */

static void finds_the_postmaster_and_all_its_children(void **unused)
{
	pid_t pid, pids[64];
	int AUTO_FD fd = -1;
	int count;
	bool seen = false;

	(void)unused;
	assert_int_equal(pgfixture_start(&servers, 0, true), 0);
	fd = pgdata_postmaster(real, &pid);
	assert_true(fd >= 0);
	assert_int_equal(pid, servers.postmaster[0]);
	count = pgdata_processes(real, pids, ARRAY_COUNT(pids));
	assert_in_range(count, 5, 20); /* with checkpointer, writers, launchers */
	for (int i = 0; i < count; i++)
		seen = seen || pids[i] == pid;
	assert_true(seen);
	/* More than fit: counted all the same. */
	assert_int_equal(pgdata_processes(real, pids, 1), count);
	/* Not the one of another directory. */
	assert_int_equal(pgdata_processes(&servers.cfg[1], pids, 1), -ENODEV);
	assert_int_equal(pgdata_process(real, getpid()), -ENOENT);
}

static void a_zombie_does_not_count(void **unused)
{
	pid_t pid, pids[64];
	siginfo_t info;

	(void)unused;
	assert_int_equal(pgfixture_start(&servers, 0, true), 0);
	assert_int_equal(kill(servers.postmaster[0], SIGQUIT), 0);
	/* Ended, not reaped: it stays a zombie, and its postmaster.pid may stay too. */
	assert_int_equal(waitid(P_PID, (id_t)servers.postmaster[0], &info, WEXITED | WNOWAIT), 0);
	assert_int_equal(kill(servers.postmaster[0], 0), 0);
	assert_int_equal(pgdata_postmaster(real, &pid), -ENOENT);
	assert_int_equal(pgdata_process(real, servers.postmaster[0]), -ENOENT);
	assert_int_equal(pgdata_processes(real, pids, ARRAY_COUNT(pids)), 0);
	assert_int_equal(waitpid(servers.postmaster[0], NULL, 0), servers.postmaster[0]);
	servers.postmaster[0] = 0;
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

#define LOOKS(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define REAL(name)  cmocka_unit_test_teardown(name, stop_real)

int main(void)
{
	static const struct CMUnitTest looks[] = {
		LOOKS(form_follows_the_files),
		LOOKS(unreadable_is_not_missing),
		LOOKS(version_is_a_whole_number),
		cmocka_unit_test(control_is_read_whole),
		cmocka_unit_test(only_shut_down_is_shut_down),
		cmocka_unit_test(control_garbage_is_not_known),
		LOOKS(becomes_a_standby_and_keeps_the_rest),
		LOOKS(a_run_that_was_killed_is_in_nobodys_way),
		LOOKS(bad_conninfo_changes_nothing),
		LOOKS(follows_no_link),
		LOOKS(no_directory_is_not_no_process),
		LOOKS(a_shell_in_the_directory_is_not_the_server),
		LOOKS(stale_or_torn_postmaster_pid_is_none),
	};
	static const struct CMUnitTest with_server[] = {
		REAL(finds_the_postmaster_and_all_its_children),
		REAL(a_zombie_does_not_count),
		REAL(control_of_a_real_directory),
		REAL(control_that_cannot_be_read_is_not_known),
		REAL(a_damaged_control_file_is_not_known),
	};
	int failed = cmocka_run_group_tests(looks, NULL, NULL);

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
