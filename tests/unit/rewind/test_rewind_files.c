/* SPDX-License-Identifier: PostgreSQL */
/* Files that pg_rewind would stumble over are found beforehand, as the server's user sees them. */
#include <fcntl.h>
#include <pwd.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/act_as.h"
#include "rewind/rewind_files.h"

static char top[64];
static struct cfg cfg;
static uid_t uid;
static gid_t gid;
static struct rewind_files files;

static const char *at(const char *name)
{
	static char paths[4][CFG_PATH_MAX + 64];
	static unsigned int next;
	char *path = paths[next++ % 4];

	(void)snprintf(path, sizeof(paths[0]), "%s/%s", top, name);
	return path;
}

static void make_directory(const char *name)
{
	assert_int_equal(mkdir(at(name), 0700), 0);
	assert_int_equal(chown(at(name), uid, gid), 0);
}

static void make_file(const char *name, uid_t owner, mode_t mode)
{
	int fd = open(at(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(fchown(fd, owner, owner == uid ? gid : 0), 0);
	assert_int_equal(fchmod(fd, mode), 0);
	assert_int_equal(close(fd), 0);
}

static void look(void)
{
	struct deadline dl = deadline_in_ms(10000);

	rewind_files_look(&files, &cfg, &dl);
	assert_int_equal(geteuid(), 0);
}

static void is_ready(void)
{
	look();
	assert_int_equal(files.access, FACT_YES);
	assert_int_equal(files.links, FACT_YES);
	assert_int_equal(files.room, FACT_YES);
}

static void refuses(const char *name, const char *why)
{
	look();
	assert_int_equal(files.access, FACT_NO);
	assert_non_null(strstr(files.access_why, at(name)));
	assert_non_null(strstr(files.access_why, why));
}

/* In a mount namespace of its own. */
static int set_up(void **unused)
{
	struct passwd *user = getpwnam("nobody");

	(void)unused;
	(void)snprintf(top, sizeof(top), "/tmp/test_rewind_files.XXXXXX");
	if (user == NULL || unshare(CLONE_NEWNS) < 0 ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 || mkdtemp(top) == NULL ||
	    chmod(top, 0755) < 0)
		return -1;
	uid = user->pw_uid;
	gid = user->pw_gid;
	(void)snprintf(cfg.os_user, sizeof(cfg.os_user), "nobody");
	(void)snprintf(cfg.data_dir, sizeof(cfg.data_dir), "%s/data", top);
	(void)snprintf(cfg.state_dir, sizeof(cfg.state_dir), "%s", top);
	make_directory("data");
	make_directory("data/base");
	make_directory("data/base/1");
	make_directory("data/pg_tblspc");
	make_directory("wal");
	make_directory("space");
	make_file("data/base/1/1259", uid, 0600);
	make_file("data/PG_VERSION", uid, 0600);
	if (symlink(at("wal"), at("data/pg_wal")) < 0 ||
	    symlink(at("space"), at("data/pg_tblspc/16384")) < 0)
		return -1;
	return 0;
}

static int tear_down(void **unused)
{
	static const char *const names[] = { "data/base/1/1259",
					     "data/base/1",
					     "data/base",
					     "data/pg_tblspc/16384",
					     "data/pg_tblspc",
					     "data/pg_wal",
					     "data/PG_VERSION",
					     "data",
					     "wal",
					     "space" };

	(void)unused;
	for (size_t i = 0; i < ARRAY_COUNT(names); i++)
		if (unlink(at(names[i])) < 0)
			(void)rmdir(at(names[i]));
	return rmdir(top);
}

static void a_directory_of_postgresqls_is_ready(void **unused)
{
	(void)unused;
	is_ready();
	assert_true(files.seen > 5);
}

/* As Debian's guides make a server.key; readable is not enough, and neither is it to own it. */
static void a_file_that_cannot_be_written_is_named_with_its_owner(void **unused)
{
	(void)unused;
	make_file("data/server.key", 0, 0640);
	refuses("data/server.key", "Permission denied, it is root:root, mode 0640");
	make_file("data/server.key", 0, 0644);
	refuses("data/server.key", "mode 0644");
	make_file("data/server.key", uid, 0400);
	refuses("data/server.key", "mode 0400");
	make_file("data/server.key", uid, 0600);
	is_ready();
	assert_int_equal(unlink(at("data/server.key")), 0);
}

static void so_is_one_below_a_tablespace_or_pg_wal(void **unused)
{
	(void)unused;
	make_file("space/9", 0, 0600);
	look();
	assert_int_equal(files.access, FACT_NO);
	assert_non_null(strstr(files.access_why, "data/pg_tblspc/16384/9"));
	assert_int_equal(unlink(at("space/9")), 0);
	make_file("wal/9", 0, 0600);
	look();
	assert_non_null(strstr(files.access_why, "data/pg_wal/9"));
	assert_int_equal(unlink(at("wal/9")), 0);
}

/* lost+found, where the data directory is a mount point. */
static void so_is_a_directory_that_cannot_be_opened(void **unused)
{
	(void)unused;
	assert_int_equal(mkdir(at("data/lost+found"), 0700), 0);
	refuses("data/lost+found", "Permission denied");
	assert_int_equal(rmdir(at("data/lost+found")), 0);
}

static void a_mount_that_is_read_only_is_seen(void **unused)
{
	(void)unused;
	assert_int_equal(mount("none", at("data/base"), "tmpfs", MS_RDONLY, NULL), 0);
	refuses("data/base", "Read-only file system");
	assert_int_equal(umount(at("data/base")), 0);
	is_ready();
}

static void a_symbolic_link_of_others_is_named(void **unused)
{
	(void)unused;
	assert_int_equal(symlink("/etc/hostname", at("data/server.crt")), 0);
	look();
	assert_int_equal(files.links, FACT_NO);
	assert_non_null(strstr(files.links_why, "server.crt"));
	assert_int_equal(files.access, FACT_YES);
	assert_int_equal(unlink(at("data/server.crt")), 0);
}

static void a_tablespace_whose_directory_is_gone_is_named(void **unused)
{
	(void)unused;
	assert_int_equal(rename(at("space"), at("away")), 0);
	look();
	assert_int_equal(files.links, FACT_NO);
	assert_non_null(strstr(files.links_why, "pg_tblspc/16384"));
	assert_int_equal(rename(at("away"), at("space")), 0);
	is_ready();
}

static void a_file_system_that_is_full_is_named(void **unused)
{
	(void)unused;
	assert_int_equal(mount("none", at("space"), "tmpfs", 0, "size=1m,mode=777"), 0);
	look();
	assert_int_equal(files.room, FACT_NO);
	assert_non_null(strstr(files.room_why, "pg_tblspc/16384"));
	assert_int_equal(umount(at("space")), 0);
}

/* The guard asks every few minutes: too many files cost their time, and the answer is not "yes". */
static void at_the_deadline_it_is_not_known(void **unused)
{
	const struct deadline passed = { .at_ms = 0 };

	(void)unused;
	rewind_files_look(&files, &cfg, &passed);
	assert_int_equal(files.access, FACT_UNKNOWN);
	assert_int_equal(files.links, FACT_UNKNOWN);
	assert_true(files.access_why[0] != '\0');
}

/* The process is as it was, its parent's death included. */
static void whoever_looked_is_root_again(void **unused)
{
	int death_signal = 0;

	(void)unused;
	assert_int_equal(prctl(PR_SET_PDEATHSIG, 9), 0);
	look();
	assert_int_equal(prctl(PR_GET_PDEATHSIG, &death_signal), 0);
	assert_int_equal(death_signal, 9);
	assert_int_equal(getegid(), 0);
	assert_int_equal(access(at("wal"), W_OK), 0);
}

static void a_user_that_is_not_there_makes_nothing_known(void **unused)
{
	struct cfg other = cfg;
	struct deadline dl = deadline_in_ms(1000);

	(void)unused;
	(void)snprintf(other.os_user, sizeof(other.os_user), "no-such-user");
	rewind_files_look(&files, &other, &dl);
	assert_int_equal(files.access, FACT_UNKNOWN);
	assert_int_equal(geteuid(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_directory_of_postgresqls_is_ready),
		cmocka_unit_test(a_file_that_cannot_be_written_is_named_with_its_owner),
		cmocka_unit_test(so_is_one_below_a_tablespace_or_pg_wal),
		cmocka_unit_test(so_is_a_directory_that_cannot_be_opened),
		cmocka_unit_test(a_mount_that_is_read_only_is_seen),
		cmocka_unit_test(a_symbolic_link_of_others_is_named),
		cmocka_unit_test(a_tablespace_whose_directory_is_gone_is_named),
		cmocka_unit_test(a_file_system_that_is_full_is_named),
		cmocka_unit_test(at_the_deadline_it_is_not_known),
		cmocka_unit_test(whoever_looked_is_root_again),
		cmocka_unit_test(a_user_that_is_not_there_makes_nothing_known),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
