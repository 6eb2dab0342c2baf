/* SPDX-License-Identifier: PostgreSQL */
/* Inside rebuild*.c: names and paths. */
#ifndef PGV_REBUILD_NAMES_H
#define PGV_REBUILD_NAMES_H

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

#include "base/auto.h"
#include "config/cfg.h"

#define REBUILD_NEW "pgv-new-"
#define REBUILD_OLD "pgv-old-"

/* The three one after the other.  0 or -ENAMETOOLONG. */
int rebuild_format(char *path, size_t size, const char *directory, const char *middle,
		   const char *name) MUST_CHECK;

/* Where a symbolic link leads.  0; -EINVAL: it is none; -errno. */
int rebuild_link(char *target, size_t size, const char *path) MUST_CHECK;

/* The data directory without symbolic links, also where it is not there now. */
int rebuild_data_path(char *path, size_t size, const struct cfg *cfg) MUST_CHECK;

/* Is that what a server of the configured version makes in a tablespace's directory? */
bool rebuild_is_part(const char *name, const struct cfg *cfg);

void rebuild_parent(char *parent, size_t size, const char *path);

/* Calls back for each link below DIRECTORY/pg_tblspc, with where it leads, until the result is not
 * 0; returns the last one, or -errno. */
typedef int rebuild_each(const char *link, const char *target, void *with);
int rebuild_each_space(const char *directory, rebuild_each *each, void *with) MUST_CHECK;

#endif
