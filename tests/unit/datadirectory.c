/* SPDX-License-Identifier: PostgreSQL */
#include "datadirectory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/state.h"

struct cfg data_cfg;

int data_set_up(void **state)
{
	(void)state;
	data_cfg = (struct cfg){ .bin_dir = "/nonexistent" };
	(void)snprintf(data_cfg.data_dir, sizeof(data_cfg.data_dir), "/tmp/test_pgdata.XXXXXX");
	return mkdtemp(data_cfg.data_dir) == NULL ? -1 : chown(data_cfg.data_dir, 65534, 65534);
}

const char *data_path(const char *name)
{
	static char path[CFG_PATH_MAX + 64];

	(void)snprintf(path, sizeof(path), "%s/%s", data_cfg.data_dir, name);
	return path;
}

void data_put(const char *name, const char *text)
{
	assert_int_equal(state_write(data_path(name), text, 0600, false), 0);
}

int data_tear_down(void **state)
{
	static const char *const names[] = { "PG_VERSION",      "standby.signal",
					     "recovery.signal", "postgresql.auto.conf",
					     "postmaster.pid",  "postgresql.auto.conf.pg_vrrp" };

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(names); i++)
		(void)unlink(data_path(names[i]));
	return rmdir(data_cfg.data_dir);
}
