/* SPDX-License-Identifier: PostgreSQL */
#include "config/cfg_file.h"

#include <errno.h>

int cfg_file_look(struct cfg_file *file, const struct cfg *cfg)
{
	file->known = stat(cfg->path, &file->is) == 0;
	return file->known ? 0 : -errno;
}

/* An editor and "install" put a new file in its place; "cat >" writes into the old one. */
static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

bool cfg_file_changed(const struct cfg_file *file, const struct cfg *cfg)
{
	struct stat is;

	return !file->known || stat(cfg->path, &is) < 0 || !same_file(&is, &file->is);
}
