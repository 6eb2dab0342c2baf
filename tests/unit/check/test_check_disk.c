/* SPDX-License-Identifier: PostgreSQL */
/* A full disk is seen by what the file systems say, for how long, and whose standby could take
 * over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/deadline.h"
#include "check/check_disk.h"
#include "node/stamp.h"
#include "nodefiles.h"
#include "postgres/pgdata_room.h"

#define MEGA (1024 * 1024)

static struct server primary; /* its standby has all */
static struct duty_report paired;

/* data_dir, and pg_wal in it, each a file system of 64 MB that goes with this process. */
static int make_disks(void **unused)
{
	struct cfg *cfg = &nodefiles_cfg;

	(void)unused;
	if (nodefiles_set_up(unused) != 0)
		return -1;
	primary = (struct server){ .state = SERVER_PRIMARY,
				   .peer_streams = true,
				   .write_lsn = MEGA,
				   .peer_flush_lsn = MEGA - 65536 };
	paired = (struct duty_report){ .looked = true, .theirs = FACT_NO, .solo = FACT_NO };
	cfg->disk_full = DISK_FULL_STEP_DOWN;
	if (mkdir(cfg->data_dir, 0700) != 0 ||
	    mount("tmpfs", cfg->data_dir, "tmpfs", 0, "size=64m") != 0)
		return -1;
	if (mkdir(file_data(cfg, "pg_wal").text, 0700) != 0)
		return -1;
	return mount("tmpfs", file_data(cfg, "pg_wal").text, "tmpfs", 0, "size=64m");
}

static int take_away_disks(void **unused)
{
	(void)umount2(file_data(&nodefiles_cfg, "pg_wal").text, MNT_DETACH);
	(void)umount2(nodefiles_cfg.data_dir, MNT_DETACH);
	(void)rmdir(nodefiles_cfg.data_dir);
	(void)unlink(file_run(&nodefiles_cfg, "disk_full").text);
	return nodefiles_tear_down(unused);
}

static int own_mounts(void **unused)
{
	(void)unused;
	return unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0;
}

static void fill(struct file_path path, int megabytes)
{
	int AUTO_FD fd = open(path.text, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(posix_fallocate(fd, 0, (off_t)megabytes * MEGA), 0);
}

static void full_is_less_than_a_segment_on_either_file_system(void **state)
{
	struct cfg *cfg = &nodefiles_cfg;
	struct pgdata_room room = pgdata_room(cfg);

	(void)state;
	assert_int_equal(room.full, FACT_NO);
	assert_int_equal(room.free_bytes, 64 * MEGA);
	fill(file_data(cfg, "base"), 47);
	assert_int_equal(pgdata_room(cfg).full, FACT_NO);
	fill(file_data(cfg, "base"), 49);
	room = pgdata_room(cfg);
	assert_int_equal(room.full, FACT_YES);
	assert_in_range(room.free_bytes, 14 * MEGA, 16 * MEGA);
	assert_int_equal(unlink(file_data(cfg, "base").text), 0);
	assert_int_equal(pgdata_room(cfg).full, FACT_NO);
	fill(file_data(cfg, "pg_wal/0"), 60);
	assert_int_equal(pgdata_room(cfg).full, FACT_YES);
}

static void what_cannot_be_looked_at_is_not_known(void **state)
{
	struct cfg cfg = nodefiles_cfg;

	(void)state;
	(void)snprintf(cfg.data_dir, sizeof(cfg.data_dir), "/nowhere");
	assert_int_equal(pgdata_room(&cfg).full, FACT_UNKNOWN);
	assert_int_equal(pgdata_room(&cfg).free_bytes, -1);
	/* A single place that is full is enough, and is the one to be named. */
	(void)umount2(file_data(&nodefiles_cfg, "pg_wal").text, MNT_DETACH);
	assert_int_equal(rmdir(file_data(&nodefiles_cfg, "pg_wal").text), 0);
	assert_int_equal(pgdata_room(&nodefiles_cfg).full, FACT_UNKNOWN);
	fill(file_data(&nodefiles_cfg, "base"), 60);
	assert_int_equal(pgdata_room(&nodefiles_cfg).full, FACT_YES);
	assert_in_range(pgdata_room(&nodefiles_cfg).free_bytes, 3 * MEGA, 4 * MEGA);
}

static struct check_facts gathered(const struct duty_report *duty)
{
	struct check_facts f = { .local = SERVER_PRIMARY, .peer_votes = FACT_YES };

	check_gather_disk(&f, &nodefiles_cfg, &primary, duty);
	return f;
}

static void it_takes_time_and_happens_once(void **state)
{
	struct cfg *cfg = &nodefiles_cfg;
	struct check_facts f;

	(void)state;
	f = gathered(&paired);
	assert_int_equal(f.disk_full, FACT_NO);
	assert_false(f.steps_down);
	fill(file_data(cfg, "base"), 60);
	f = gathered(&paired);
	assert_int_equal(f.disk_full, FACT_YES);
	f = gathered(&paired);
	assert_true(f.steps_down);
	assert_true(f.standby_ready);
	assert_false(f.full_for_long);
	assert_false(check_steps_down(&f));
	assert_int_equal(stamp_write(cfg, STAMP_DISK_FULL, now_ms() - 5001, "full"), 0);
	f = gathered(&paired);
	assert_true(check_steps_down(&f));
	check_note_step_down(cfg);
	assert_int_equal(stamp_write(cfg, STAMP_DISK_FULL, now_ms() - 60000, "stepped-down"), 0);
	f = gathered(&paired);
	assert_false(check_steps_down(&f));
	/* There was room again: what comes then is another time. */
	assert_int_equal(unlink(file_data(cfg, "base").text), 0);
	f = gathered(&paired);
	fill(file_data(cfg, "base"), 60);
	f = gathered(&paired);
	f = gathered(&paired);
	assert_true(f.steps_down);
	cfg->disk_full = DISK_FULL_STAY;
	f = gathered(&paired);
	assert_false(f.steps_down);
}

static bool ready(enum fact votes, const struct duty_report *duty)
{
	struct check_facts f = { .local = SERVER_PRIMARY, .peer_votes = votes };

	check_gather_disk(&f, &nodefiles_cfg, &primary, duty);
	return f.standby_ready;
}

static void a_standby_is_ready_that_votes_and_has_all(void **state)
{
	const struct duty_report solo = { .looked = true, .theirs = FACT_NO, .solo = FACT_YES };
	const struct duty_report silent = { .looked = true };

	(void)state;
	fill(file_data(&nodefiles_cfg, "base"), 60);
	(void)ready(FACT_YES, &paired); /* the first look notes the time */
	assert_true(ready(FACT_YES, &paired));
	assert_true(ready(FACT_YES, &silent)); /* there is no record */
	assert_false(ready(FACT_UNKNOWN, &paired));
	primary.peer_flush_lsn = MEGA - 65537;
	assert_false(ready(FACT_YES, &paired));
	primary.peer_flush_lsn = MEGA, primary.peer_streams = false;
	assert_false(ready(FACT_YES, &paired));
	primary.peer_streams = true;
	nodefiles_cfg.witness_kind = WITNESS_POSTGRES;
	assert_true(ready(FACT_YES, &paired));
	assert_false(ready(FACT_YES, &solo));
	assert_false(ready(FACT_YES, &silent));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_disks, take_away_disks)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(full_is_less_than_a_segment_on_either_file_system),
		TEST(what_cannot_be_looked_at_is_not_known),
		TEST(it_takes_time_and_happens_once),
		TEST(a_standby_is_ready_that_votes_and_has_all),
	};

	return cmocka_run_group_tests(tests, own_mounts, NULL);
}
