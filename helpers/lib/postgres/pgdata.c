/* SPDX-License-Identifier: PostgreSQL */
#include "postgres/pgdata.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/state.h"

/* data_dir/name in path.  0, or -ENAMETOOLONG. */
static int path_in(char *path, size_t size, const struct cfg *cfg, const char *name)
{
	int length = snprintf(path, size, "%s/%s", cfg->data_dir, name);

	return length < 0 || (size_t)length >= size ? -ENAMETOOLONG : 0;
}

/* 1, 0, or -errno. */
static int holds(const struct cfg *cfg, const char *name)
{
	char path[CFG_PATH_MAX + 64];
	int rc = path_in(path, sizeof(path), cfg, name);

	return rc < 0 ? rc : state_exists(path);
}

enum pgdata_form pgdata_form(const struct cfg *cfg)
{
	int version = holds(cfg, "PG_VERSION");
	int standby = holds(cfg, "standby.signal");
	int recovery = holds(cfg, "recovery.signal");

	if (version == 0)
		return PGDATA_MISSING;
	if (version < 0 || standby < 0 || recovery < 0)
		return PGDATA_UNKNOWN;
	/* PostgreSQL, too, lets standby.signal win over recovery.signal. */
	if (standby == 1)
		return PGDATA_STANDBY;
	return recovery == 1 ? PGDATA_RECOVERY : PGDATA_PRIMARY;
}

const char *pgdata_signal(enum pgdata_form form)
{
	if (form == PGDATA_STANDBY)
		return "standby.signal";
	return form == PGDATA_RECOVERY ? "recovery.signal" : NULL;
}

int pgdata_version(const struct cfg *cfg, int *major)
{
	char path[CFG_PATH_MAX + 64], text[64];
	size_t digits;
	int rc = path_in(path, sizeof(path), cfg, "PG_VERSION");

	*major = 0;
	if (rc == 0)
		rc = state_read(path, text, sizeof(text));
	if (rc < 0)
		return rc;
	digits = strspn(text, "0123456789");
	if (digits == 0 || digits > 4 || strcmp(text + digits, "\n") != 0)
		return -EINVAL;
	for (size_t i = 0; i < digits; i++)
		*major = *major * 10 + (text[i] - '0');
	return 0;
}
