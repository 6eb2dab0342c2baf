/* SPDX-License-Identifier: PostgreSQL */
#include "powerfixture.h"

#include <ftw.h>
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

#include "node/path.h"

/* Room for the four programs of a whole try, each a shell. */
#define TIMEOUT_MS 4000

struct powerfixture power;

static const char options[] = "# the BMC\n"
			      "ip=192.0.2.17\n"
			      "password=top secret=1\n";

static const char agent[] =
    "#!/bin/sh\n"
    "cd '%s' || exit 1\n"
    "cat >input\n"
    "action=$(sed -n 's/^action=//p' input)\n"
    "echo \"$action\" >>calls\n"
    "echo \"$#\" \"$*\" \"$(env | sed 's/=.*//' | grep -v -e PWD -e '^_$' | sort | tr '\\n' ' ')\" "
    ">how\n"
    "[ ! -e \"hangs.$action\" ] || exec sleep 60\n"
    "[ ! -e only-2 ] || exit 2\n"
    "[ ! -e says ] || { cat says >&2; exit 1; }\n"
    "if [ -e half ]; then if [ -e failed ]; then rm failed; else : >failed; exit 1; fi; fi\n"
    "case $action in\n"
    "off) [ -e lies ] || : >off; [ ! -e grumbles ] || exit 1; echo 'Success: Powered OFF' ;;\n"
    "status) if [ -e off ]; then echo 'Status: OFF'; exit 2; fi; echo 'Status: ON' ;;\n"
    "*) exit 1 ;;\n"
    "esac\n";

static const char hook[] =
    "#!/bin/sh\n"
    "cd '%s' || exit 1\n"
    "echo \"$*\" >>calls\n"
    "[ ! -e hangs.hook ] || exec sleep 60\n"
    "if [ -e half ]; then if [ -e failed ]; then rm failed; else : >failed; exit 1; fi; fi\n"
    "[ ! -e lies ] || { echo 'the switch does not answer'; exit 1; }\n"
    "[ \"$1\" = --test ] || : >off\n"
    "echo 'port 7 is shut'\n";

static void path_of(const char *name, char *path, size_t size)
{
	(void)snprintf(path, size, "%s/%s", power.directory, name);
}

static void put(const char *name, const char *fmt, const char *argument, mode_t mode)
{
	char path[CFG_PATH_MAX];
	FILE *file;

	path_of(name, path, sizeof(path));
	file = fopen(path, "we");
	assert_non_null(file);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	assert_true(fprintf(file, fmt, argument) >= 0);
#pragma GCC diagnostic pop
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, mode), 0);
}

void powerfixture_put(const char *name, const char *text)
{
	put(name, "%s", text, 0600);
}

int powerfixture_set_up(void **state)
{
	struct cfg *cfg = &power.cfg;
	int rc;

	(void)state;
	(void)snprintf(power.directory, sizeof(power.directory), "/tmp/test_power.XXXXXX");
	if (mkdtemp(power.directory) == NULL)
		return -1;
	*cfg = (struct cfg){ .name = "main",
			     .nodes = { { .name = "n1", .address = "192.0.2.1" },
					{ .name = "n2", .address = "192.0.2.2" } },
			     .power_timeout_ms = TIMEOUT_MS };
	path_of("run", cfg->run_dir, sizeof(cfg->run_dir));
	path_of("state", cfg->state_dir, sizeof(cfg->state_dir));
	path_of("agent", cfg->agent, sizeof(cfg->agent));
	path_of("hook", cfg->hook, sizeof(cfg->hook));
	path_of("options", cfg->nodes[1].fence_agent_options,
		sizeof(cfg->nodes[1].fence_agent_options));
	rc = files_prepare(cfg);
	put("agent", agent, power.directory, 0700);
	put("hook", hook, power.directory, 0700);
	powerfixture_put("options", options);
	return rc;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

int powerfixture_tear_down(void **state)
{
	(void)state;
	return nftw(power.directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

bool powerfixture_has(const char *name)
{
	char path[CFG_PATH_MAX];

	path_of(name, path, sizeof(path));
	return access(path, F_OK) == 0;
}

const char *powerfixture_text(const char *name)
{
	static char text[POWER_INPUT_MAX];
	char path[CFG_PATH_MAX];
	size_t length;
	FILE *file;

	path_of(name, path, sizeof(path));
	file = fopen(path, "re");
	text[0] = '\0';
	if (file == NULL)
		return text;
	length = fread(text, 1, sizeof(text) - 1, file);
	text[length] = '\0';
	(void)fclose(file);
	for (char *c = text; *c != '\0'; c++)
		if (*c == '\n')
			*c = c[1] != '\0' ? ' ' : '\0';
	return text;
}

enum fence_verdict powerfixture_fence(enum fencing_method method, bool test)
{
	struct fence_request request = { .node = &power.cfg.nodes[1],
					 .ask = test ? FENCE_ASK_TEST : FENCE_ASK_FENCE };
	struct deadline dl = deadline_in_ms(4 * TIMEOUT_MS);

	power.cfg.methods[0] = method;
	power.cfg.method_count = 1;
	fence_begin(&power.fence, &power.cfg, &request);
	if (!test)
		fence_ask_power(&power.fence, &power.cfg);
	fence_go_on(&power.fence, &power.cfg, &dl);
	assert_true(fence_over(&power.fence));
	fence_end(&power.fence);
	return fence_verdict(&power.fence);
}
