/* SPDX-License-Identifier: PostgreSQL */
#include "nodefiles.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/state.h"

struct cfg nodefiles_cfg;

int nodefiles_set_up(void **unused)
{
	char directory[] = "/tmp/test_files.XXXXXX";

	(void)unused;
	if (mkdtemp(directory) == NULL)
		return -1;
	nodefiles_cfg = (struct cfg){ .lease_ms = 5000,
				      .witness_address = "192.0.2.9",
				      .nodes = { { .name = "n1", .address = "192.0.2.1" },
						 { .name = "n2", .address = "192.0.2.2" } } };
	(void)snprintf(nodefiles_cfg.run_dir, sizeof(nodefiles_cfg.run_dir), "%s/run", directory);
	(void)snprintf(nodefiles_cfg.state_dir, sizeof(nodefiles_cfg.state_dir), "%s/state",
		       directory);
	(void)snprintf(nodefiles_cfg.data_dir, sizeof(nodefiles_cfg.data_dir), "%s/data",
		       directory);
	return files_prepare(&nodefiles_cfg);
}

static void remove_below(const char *directory)
{
	static const char *const names[] = {
		"serving",
		"election",
		"lease",
		"grant",
		"vote",
		"contact",
		"serving.lock",
		"attempt.promote_safe",
		"fenced",
		"withdrawn",
		"baseline.n2",
		"history",
		"history.1",
		"rewinding",
		"record",
		"record_memory.lock",
		"told.x",
		"paused",
		"pg_vrrp.fenced",
		"pg_vrrp.withdrawn",
		"pg_vrrp.leased",
		"leased",
		"fencing",
		"fencing.lock",
		"fencing.held.lock",
	};

	for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
		char path[CFG_PATH_MAX + 32];

		(void)snprintf(path, sizeof(path), "%s/%s", directory, names[i]);
		if (unlink(path) < 0)
			(void)rmdir(path);
	}
	(void)rmdir(directory);
}

int nodefiles_tear_down(void **unused)
{
	(void)unused;
	remove_below(nodefiles_cfg.run_dir);
	remove_below(nodefiles_cfg.state_dir);
	remove_below(nodefiles_cfg.data_dir);
	nodefiles_cfg.run_dir[strlen(nodefiles_cfg.run_dir) - strlen("/run")] = '\0';
	return rmdir(nodefiles_cfg.run_dir);
}

void nodefiles_put(struct file_path path, const char *text)
{
	assert_int_equal(state_write(path.text, text, 0644, false), 0);
}
