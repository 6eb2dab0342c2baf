/* SPDX-License-Identifier: PostgreSQL */
/* Two nodes that fence each other: the first of the file is left, and who was fenced
 * fences nobody. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/auto.h"
#include "base/deadline.h"
#include "fence/fence_mutual.h"
#include "node/mark.h"
#include "node/path.h"
#include "node/stamp.h"
#include "nodefiles.h"

#define ON_ITS_WAY_MS 3000

static void the_first_wins_while_it_fences(void **unused)
{
	int held;

	(void)unused;
	assert_false(fence_mutual_wins(&nodefiles_cfg));
	assert_int_equal(fence_mutual_begin(&nodefiles_cfg, &held), 0);
	assert_true(held >= 0);
	assert_true(fence_mutual_wins(&nodefiles_cfg));
	fence_mutual_end(&nodefiles_cfg, &held, false);
	assert_int_equal(held, -1);
	assert_false(fence_mutual_wins(&nodefiles_cfg));
}

static void the_second_never_wins(void **unused)
{
	int held;

	(void)unused;
	nodefiles_cfg.self = 1;
	assert_int_equal(fence_mutual_begin(&nodefiles_cfg, &held), 0);
	assert_false(fence_mutual_wins(&nodefiles_cfg));
	fence_mutual_end(&nodefiles_cfg, &held, true);
	assert_false(fence_mutual_wins(&nodefiles_cfg));
}

/* The questions that the fenced node had asked before may arrive after; a later one is a new
 * fence. */
static void what_was_on_its_way_is_not_obeyed(void **unused)
{
	int held;

	(void)unused;
	assert_int_equal(fence_mutual_begin(&nodefiles_cfg, &held), 0);
	fence_mutual_end(&nodefiles_cfg, &held, true);
	assert_true(fence_mutual_wins(&nodefiles_cfg));
	assert_int_equal(stamp_write(&nodefiles_cfg, STAMP_FENCING, now_ms() - ON_ITS_WAY_MS, "n2"),
			 0);
	assert_false(fence_mutual_wins(&nodefiles_cfg));
	nodefiles_put(file_run(&nodefiles_cfg, "fencing"), "garbage\n");
	assert_false(fence_mutual_wins(&nodefiles_cfg));
}

static void who_was_fenced_by_the_other_fences_nobody(void **unused)
{
	int held;

	(void)unused;
	assert_int_equal(fenced_write(&nodefiles_cfg, "asked for it", FENCED_BY_PEER), 0);
	assert_int_equal(fence_mutual_begin(&nodefiles_cfg, &held), -EPERM);
	assert_int_equal(held, -1);
	/* By whom it cannot tell: perhaps by the other one. */
	nodefiles_put(file_state(&nodefiles_cfg, "fenced"), "garbage\n");
	assert_int_equal(fence_mutual_begin(&nodefiles_cfg, &held), -EPERM);
	assert_int_equal(fenced_write(&nodefiles_cfg, "a test", FENCED_BY_OPERATOR), 0);
	assert_int_equal(fence_mutual_begin(&nodefiles_cfg, &held), 0);
	fence_mutual_end(&nodefiles_cfg, &held, false);
}

static void two_runs_on_one_node_do_not_disturb_each_other(void **unused)
{
	int first, second;

	(void)unused;
	assert_int_equal(fence_mutual_begin(&nodefiles_cfg, &first), 0);
	assert_int_equal(fence_mutual_begin(&nodefiles_cfg, &second), 0);
	assert_int_equal(second, -1);
	fence_mutual_end(&nodefiles_cfg, &second, false);
	assert_true(fence_mutual_wins(&nodefiles_cfg));
	fence_mutual_end(&nodefiles_cfg, &first, false);
}

/* The node is just being made harmless; whoever asks for that holds the lock. */
static void one_that_is_being_fenced_does_not_begin(void **unused)
{
	int AUTO_FD lock = -1;
	int held;

	(void)unused;
	assert_int_equal(fence_mutual_lock(&nodefiles_cfg, &lock), 0);
	assert_int_equal(fence_mutual_begin(&nodefiles_cfg, &held), -ETIMEDOUT);
	assert_int_equal(held, -1);
}

#define WITH_FILES(test) \
	cmocka_unit_test_setup_teardown(test, nodefiles_set_up, nodefiles_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_FILES(the_first_wins_while_it_fences),
		WITH_FILES(the_second_never_wins),
		WITH_FILES(what_was_on_its_way_is_not_obeyed),
		WITH_FILES(who_was_fenced_by_the_other_fences_nobody),
		WITH_FILES(two_runs_on_one_node_do_not_disturb_each_other),
		WITH_FILES(one_that_is_being_fenced_does_not_begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
