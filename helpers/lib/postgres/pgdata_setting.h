/* SPDX-License-Identifier: PostgreSQL */
/* The settings in the configuration files of a server that is down: "postgres -C", which follows
 * every include as the server will. */
#ifndef PGV_PGDATA_SETTING_H
#define PGV_PGDATA_SETTING_H

#include <stddef.h>

#include "base/auto.h"
#include "base/deadline.h"
#include "config/cfg.h"

#define PGDATA_SETTINGS_MAX 5
#define PGDATA_SETTING_MAX  256

struct pgdata_setting {
	const char *name;
	char value[PGDATA_SETTING_MAX]; /* as PostgreSQL prints it; a longer one is cut off */
};

/* Fills in the values of settings[count], all asked at the same time.  0; -EPROTO: the files cannot
 * be used, or there is no such setting; -ETIMEDOUT, -errno. */
int pgdata_settings(struct pgdata_setting *settings, size_t count, const struct cfg *cfg,
		    const struct deadline *dl) MUST_CHECK;

/* Would the server take its files at all?  0; -EPROTO: it would not, and why[size] is what it says
 * of them; -ETIMEDOUT, -errno: it is not known. */
int pgdata_settings_usable(const struct cfg *cfg, char *why, size_t size,
			   const struct deadline *dl) MUST_CHECK;

#endif
