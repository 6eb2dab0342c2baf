/* SPDX-License-Identifier: PostgreSQL */
/* keepalived_watches() against inotify watches of this very process. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "node/keepalived.h"

struct fixture {
	char watched[64];
	char other[64];
	int fd;
};

static int set_up(void **state)
{
	static struct fixture fixture;

	fixture = (struct fixture){ .watched = "/tmp/pgv-watched-XXXXXX",
				    .other = "/tmp/pgv-other-XXXXXX" };
	fixture.fd = inotify_init1(IN_CLOEXEC);
	*state = &fixture;
	return fixture.fd < 0 || mkdtemp(fixture.watched) == NULL || mkdtemp(fixture.other) == NULL;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	(void)close(fixture->fd);
	(void)rmdir(fixture->watched);
	(void)rmdir(fixture->other);
	return 0;
}

static void watch(struct fixture *fixture)
{
	assert_true(inotify_add_watch(fixture->fd, fixture->watched, IN_CLOSE_WRITE) >= 0);
}

static void sees_the_watch_of_this_directory(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(keepalived_watches(getpid(), fixture->watched), FACT_NO);
	watch(fixture);
	assert_int_equal(keepalived_watches(getpid(), fixture->watched), FACT_YES);
}

static void another_directory_is_not_watched(void **state)
{
	struct fixture *fixture = *state;

	watch(fixture);
	assert_int_equal(keepalived_watches(getpid(), fixture->other), FACT_NO);
}

/* The same path, another directory: what keepalived never notices. */
static void a_directory_made_again_is_not_watched(void **state)
{
	struct fixture *fixture = *state;

	watch(fixture);
	/* The new one exists before the old one is gone, so that it cannot get its inode. */
	assert_int_equal(rename(fixture->other, fixture->watched), 0);
	assert_int_equal(keepalived_watches(getpid(), fixture->watched), FACT_NO);
}

static void a_missing_directory_is_not_watched(void **state)
{
	struct fixture *fixture = *state;

	watch(fixture);
	assert_int_equal(rmdir(fixture->watched), 0);
	assert_int_equal(keepalived_watches(getpid(), fixture->watched), FACT_NO);
}

static void a_process_that_is_not_there_is_unknown(void **state)
{
	struct fixture *fixture = *state;

	/* Above the largest pid that Linux gives. */
	assert_int_equal(keepalived_watches(4194305, fixture->watched), FACT_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(sees_the_watch_of_this_directory, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(another_directory_is_not_watched, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_directory_made_again_is_not_watched, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_missing_directory_is_not_watched, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_process_that_is_not_there_is_unknown, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
