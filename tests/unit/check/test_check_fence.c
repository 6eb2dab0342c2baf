/* SPDX-License-Identifier: PostgreSQL */
/* check_primary fences a primary that may not serve whether or not somebody would take over. */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "check/check_round.c"

#include "nodefiles.h"

enum { END_MS = 20000 };

/* In the place of fence_self: what it was called with, written down. */
static void stand_in(struct cfg *cfg)
{
	char path[CFG_PATH_MAX + 32];
	FILE *file;

	(void)snprintf(cfg->libexec_dir, sizeof(cfg->libexec_dir), "%s", cfg->run_dir);
	(void)snprintf(path, sizeof(path), "%s/fence_self", cfg->libexec_dir);
	file = fopen(path, "we");
	assert_non_null(file);
	assert_true(fprintf(file, "#!/bin/sh\necho \"$*\" >%s/new && mv %s/new %s/called\n",
			    cfg->run_dir, cfg->run_dir, cfg->run_dir) > 0);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, 0700), 0);
}

static void remove_stand_in(const struct cfg *cfg)
{
	char path[CFG_PATH_MAX + 32];

	(void)snprintf(path, sizeof(path), "%s/fence_self", cfg->libexec_dir);
	assert_int_equal(unlink(path), 0);
}

static void called_with(const struct cfg *cfg, bool lease_ended, char *text, size_t size)
{
	const struct deadline dl = deadline_in_ms(END_MS);
	char path[CFG_PATH_MAX + 32];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/called", cfg->run_dir);
	start_fence(cfg, "the other node is a primary too", lease_ended);
	while ((file = fopen(path, "re")) == NULL && !deadline_passed(&dl))
		(void)poll(NULL, 0, 10);
	assert_non_null(file);
	assert_non_null(fgets(text, (int)size, file));
	(void)fclose(file);
	(void)unlink(path);
}

static void nobody_who_would_take_over_is_no_reason_to_serve_on(void **state)
{
	struct cfg *cfg = &nodefiles_cfg;
	char text[CFG_PATH_MAX + 32];

	(void)state;
	stand_in(cfg);
	called_with(cfg, false, text, sizeof(text));
	assert_non_null(strstr(text, "--reason the other node is a primary too --anyway"));
	assert_null(strstr(text, "--auto"));
	called_with(cfg, true, text, sizeof(text));
	assert_non_null(strstr(text, "--anyway --auto"));
	remove_stand_in(cfg);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nobody_who_would_take_over_is_no_reason_to_serve_on,
						nodefiles_set_up, nodefiles_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
