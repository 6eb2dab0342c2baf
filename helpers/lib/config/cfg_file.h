/* SPDX-License-Identifier: PostgreSQL */
/* For programs that run for long: every other one reads the configuration file anew as it starts,
 * so an old one here would be the only one. */
#ifndef PGV_CFG_FILE_H
#define PGV_CFG_FILE_H

#include <stdbool.h>
#include <sys/stat.h>

#include "config/cfg.h"

struct cfg_file {
	bool known;
	struct stat is;
};

/* To be called after cfg_load.  0 or -errno. */
int cfg_file_look(struct cfg_file *file, const struct cfg *cfg) MUST_CHECK;

/* Another file stands there, or the same was written to, or nobody can look. */
bool cfg_file_changed(const struct cfg_file *file, const struct cfg *cfg);

#endif
