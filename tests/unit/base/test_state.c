/* SPDX-License-Identifier: PostgreSQL */
/* Whole or not at all, and "cannot be read" is never "is not there". */
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
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/state.h"
#include "hear.h"

#define NOBODY 65534

static int set_up(void **state)
{
	(void)state;
	hear_directory();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	hear_remove();
	return 0;
}

static void put(const char *name, const void *bytes, size_t length)
{
	int fd = open(hear_path(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, length), length);
	(void)close(fd);
}

static void assert_content(const char *name, const char *expected)
{
	char text[STATE_TEXT_MAX];

	assert_int_equal(state_read(hear_path(name), text, sizeof(text)), 0);
	assert_string_equal(text, expected);
}

/* --- writing --- */

static void what_was_written_is_read_back(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(state_write(hear_path("a"), "x=1\n", 0640, true), 0);
	assert_content("a", "x=1\n");
	assert_int_equal(state_write(hear_path("a"), "", 0600, false), 0);
	assert_content("a", "");
	assert_int_equal(stat(hear_path("a"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(hear_entries(), 1);
}

static void the_mode_does_not_depend_on_the_umask(void **state)
{
	mode_t before = umask(077);
	struct stat st;

	(void)state;
	assert_int_equal(state_write(hear_path("a"), "x\n", 0644, false), 0);
	(void)umask(before);
	assert_int_equal(stat(hear_path("a"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
}

static void a_write_that_fails_leaves_no_trace(void **state)
{
	(void)state;
	assert_int_equal(mkdir(hear_path("dir"), 0755), 0);
	assert_int_equal(state_write(hear_path("dir"), "x\n", 0644, true), -EISDIR);
	assert_int_equal(hear_entries(), 1);
	assert_int_equal(state_write(hear_path("none/a"), "x\n", 0644, true), -ENOENT);
}

static void a_full_disk_keeps_the_old_content(void **state)
{
	struct rlimit before, small = { 4, RLIM_INFINITY };

	(void)state;
	assert_int_equal(state_write(hear_path("a"), "old\n", 0644, true), 0);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small.rlim_max = before.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(state_write(hear_path("a"), "new and longer\n", 0644, true), -EFBIG);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_content("a", "old\n");
	assert_int_equal(hear_entries(), 1);
}

static void fill(char *text, char c)
{
	memset(text, c, 3000);
	text[2999] = '\n';
	text[3000] = '\0';
}

/* Two writers at once; a reader who sees a mixture or a part finds the fault. */
static void a_reader_never_sees_half_a_file(void **state)
{
	char texts[2][3001], seen[STATE_TEXT_MAX];
	pid_t writers[2];

	(void)state;
	fill(texts[0], 'a');
	fill(texts[1], 'b');
	assert_int_equal(state_write(hear_path("a"), texts[0], 0644, false), 0);
	for (int w = 0; w < 2; w++) {
		writers[w] = fork();
		assert_true(writers[w] >= 0);
		if (writers[w] > 0)
			continue;
		for (int i = 0; i < 300; i++) {
			if (state_write(hear_path("a"), texts[w], 0644, false) < 0)
				_exit(1);
		}
		_exit(0);
	}
	for (int i = 0; i < 600; i++) {
		assert_int_equal(state_read(hear_path("a"), seen, sizeof(seen)), 0);
		assert_true(strcmp(seen, texts[0]) == 0 || strcmp(seen, texts[1]) == 0);
	}
	for (int w = 0; w < 2; w++) {
		int status;

		assert_int_equal(waitpid(writers[w], &status, 0), writers[w]);
		assert_int_equal(status, 0);
	}
	assert_int_equal(hear_entries(), 1);
}

/* --- reading --- */

static void absence_is_told_from_everything_else(void **state)
{
	char text[64] = "before";

	(void)state;
	assert_int_equal(state_read(hear_path("a"), text, sizeof(text)), -ENOENT);
	assert_string_equal(text, "");
	assert_int_equal(state_exists(hear_path("a")), 0);
	put("a", "", 0);
	assert_int_equal(state_exists(hear_path("a")), 1);
	assert_int_equal(state_exists(hear_path("a/b")), -ENOTDIR);
	assert_int_equal(symlink("/nowhere/at/all", hear_path("link")), 0);
	assert_int_equal(state_exists(hear_path("link")), 1);
	assert_int_equal(state_read(hear_path("link"), text, sizeof(text)), -ELOOP);
}

/* Whoever owns the directory could have us open what he may not, or a device. */
static void a_link_is_not_followed(void **state)
{
	char text[64];

	(void)state;
	put("a", "x=1\n", 4);
	assert_int_equal(symlink(hear_path("a"), hear_path("link")), 0);
	assert_int_equal(state_read(hear_path("link"), text, sizeof(text)), -ELOOP);
	assert_string_equal(text, "");
	assert_int_equal(state_read(hear_path("a"), text, sizeof(text)), 0);
}

static void no_permission_is_not_absence(void **state)
{
	char text[64];

	(void)state;
	put("a", "x=1\n", 4);
	assert_int_equal(chmod(hear_path("a"), 0), 0);
	if (geteuid() == 0)
		assert_int_equal(chmod(hear_path(""), 0711), 0);
	if (geteuid() == 0)
		assert_int_equal(seteuid(NOBODY), 0);
	assert_int_equal(state_read(hear_path("a"), text, sizeof(text)), -EACCES);
	assert_int_equal(state_exists(hear_path("a")), 1);
	if (getuid() == 0)
		assert_int_equal(seteuid(0), 0);
	assert_int_equal(chmod(hear_path(""), 0), 0);
	if (getuid() == 0)
		assert_int_equal(seteuid(NOBODY), 0);
	assert_int_equal(state_exists(hear_path("a")), -EACCES);
	assert_int_equal(state_remove(hear_path("a"), false), -EACCES);
	assert_int_equal(state_write(hear_path("a"), "x\n", 0644, false), -EACCES);
	if (getuid() == 0)
		assert_int_equal(seteuid(0), 0);
	assert_int_equal(chmod(hear_path(""), 0755), 0);
}

static void only_a_regular_file_is_read(void **state)
{
	char text[64];

	(void)state;
	assert_int_equal(state_read(hear_path(""), text, sizeof(text)), -EINVAL);
	/* a FIFO without a writer would hold up a blocking open for ever */
	assert_int_equal(mkfifo(hear_path("fifo"), 0644), 0);
	assert_int_equal(state_read(hear_path("fifo"), text, sizeof(text)), -EINVAL);
	assert_int_equal(state_read("/dev/zero", text, sizeof(text)), -EINVAL);
	assert_int_equal(state_append(hear_path("fifo"), "x", 0644), -EINVAL);
}

static void a_nul_byte_is_refused(void **state)
{
	char text[64];

	(void)state;
	put("a", "x=1\0y=2\n", 8);
	assert_int_equal(state_read(hear_path("a"), text, sizeof(text)), -EINVAL);
	assert_string_equal(text, "");
	put("a", "x=1\n\0", 5);
	assert_int_equal(state_read(hear_path("a"), text, sizeof(text)), -EINVAL);
}

static void a_file_that_does_not_fit_is_refused_whole(void **state)
{
	char text[8];

	(void)state;
	put("a", "1234567", 7);
	assert_int_equal(state_read(hear_path("a"), text, sizeof(text)), 0);
	assert_string_equal(text, "1234567");
	put("a", "12345678", 8);
	assert_int_equal(state_read(hear_path("a"), text, sizeof(text)), -EFBIG);
	assert_string_equal(text, "");
	assert_int_equal(state_read(hear_path("a"), text, 0), -EFBIG);
}

/* --- removing, appending, directories --- */

static void removing_twice_is_as_good_as_once(void **state)
{
	(void)state;
	put("a", "x", 1);
	assert_int_equal(state_remove(hear_path("a"), true), 0);
	assert_int_equal(state_exists(hear_path("a")), 0);
	assert_int_equal(state_remove(hear_path("a"), true), 0);
	assert_int_equal(state_remove(hear_path("none/a"), true), 0);
	assert_int_equal(mkdir(hear_path("dir"), 0755), 0);
	assert_int_equal(state_remove(hear_path("dir"), true), -EISDIR);
}

static void lines_are_appended(void **state)
{
	(void)state;
	assert_int_equal(state_append(hear_path("log"), "one", 0644), 0);
	assert_int_equal(state_append(hear_path("log"), "two", 0644), 0);
	assert_content("log", "one\ntwo\n");
	assert_int_equal(state_append(hear_path("log"), "a\nb", 0644), -EINVAL);
	assert_content("log", "one\ntwo\n");
}

static void a_torn_line_does_not_swallow_the_next_one(void **state)
{
	struct rlimit before, small = { 6, RLIM_INFINITY };

	(void)state;
	assert_int_equal(state_append(hear_path("log"), "one", 0644), 0);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small.rlim_max = before.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(state_append(hear_path("log"), "second", 0644), -ENOSPC);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(state_append(hear_path("log"), "three", 0644), 0);
	assert_content("log", "one\nse\nthree\n");
}

static void a_line_longer_than_allowed_is_refused(void **state)
{
	char line[STATE_TEXT_MAX + 1];

	(void)state;
	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	assert_int_equal(state_append(hear_path("log"), line, 0644), -EFBIG);
	assert_content("log", "");
}

static void a_link_is_not_appended_to(void **state)
{
	(void)state;
	put("target", "", 0);
	assert_int_equal(symlink(hear_path("target"), hear_path("log")), 0);
	assert_int_equal(state_append(hear_path("log"), "x", 0644), -ELOOP);
	assert_content("target", "");
}

static void directories_are_made_with_their_parents(void **state)
{
	mode_t before = umask(077);
	struct stat st;

	(void)state;
	assert_int_equal(state_mkdirs(hear_path("a/b/c")), 0);
	assert_int_equal(state_mkdirs(hear_path("a/b/c/")), 0);
	(void)umask(before);
	assert_int_equal(stat(hear_path("a/b"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	put("file", "", 0);
	assert_int_equal(state_mkdirs(hear_path("file")), -ENOTDIR);
	assert_int_equal(state_mkdirs(hear_path("file/x")), -ENOTDIR);
	assert_int_equal(state_mkdirs(""), -ENOENT);
}

#define ALONE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct sigaction ignore = { .sa_handler = SIG_IGN };
	const struct CMUnitTest tests[] = {
		ALONE(what_was_written_is_read_back),
		ALONE(the_mode_does_not_depend_on_the_umask),
		ALONE(a_write_that_fails_leaves_no_trace),
		ALONE(a_full_disk_keeps_the_old_content),
		ALONE(a_reader_never_sees_half_a_file),
		ALONE(absence_is_told_from_everything_else),
		ALONE(a_link_is_not_followed),
		ALONE(no_permission_is_not_absence),
		ALONE(only_a_regular_file_is_read),
		ALONE(a_nul_byte_is_refused),
		ALONE(a_file_that_does_not_fit_is_refused_whole),
		ALONE(removing_twice_is_as_good_as_once),
		ALONE(lines_are_appended),
		ALONE(a_torn_line_does_not_swallow_the_next_one),
		ALONE(a_line_longer_than_allowed_is_refused),
		ALONE(a_link_is_not_appended_to),
		ALONE(directories_are_made_with_their_parents),
	};

	(void)sigaction(SIGXFSZ, &ignore, NULL); /* a file size limit stands in for a full disk */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
