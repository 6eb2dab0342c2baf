/* SPDX-License-Identifier: PostgreSQL */
/* Copies that are half, and directories that were replaced: found by their names, and removed. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "rebuild/rebuild.h"
#include "rebuild/rebuild_names.h"

#define FOUND_MAX 32

/* Whatever led here: nothing goes that does not have our name. */
static int remove_tree(const char *path, const struct deadline *dl)
{
	const char *name = strrchr(path, '/');

	if (path[0] != '/' ||
	    (strstr(name, REBUILD_NEW) == NULL && strstr(name, REBUILD_OLD) == NULL))
		return -EINVAL;
	return proc_remove_tree(path, dl);
}

struct found {
	size_t count;
	char paths[FOUND_MAX][REBUILD_PATH_MAX];
};

/* Finds the paths that begin with `prefix`. */
static int find(struct found *found, const char *prefix)
{
	char parent[REBUILD_PATH_MAX];
	const char *name = strrchr(prefix, '/') + 1;
	struct dirent *entry;
	DIR AUTO_DIR *all = NULL;

	found->count = 0;
	rebuild_parent(parent, sizeof(parent), prefix);
	all = opendir(parent);
	if (all == NULL)
		return -errno;
	while ((entry = readdir(all)) != NULL && found->count < FOUND_MAX)
		if (strncmp(entry->d_name, name, strlen(name)) == 0 &&
		    rebuild_format(found->paths[found->count], REBUILD_PATH_MAX, parent, "/",
				   entry->d_name) == 0)
			found->count++;
	return 0;
}

static struct found *find_beside(const struct cfg *cfg, const char *what)
{
	struct found *found = calloc(1, sizeof(*found));
	char data[REBUILD_PATH_MAX], prefix[REBUILD_PATH_MAX];

	if (found == NULL || rebuild_data_path(data, sizeof(data), cfg) < 0 ||
	    rebuild_format(prefix, sizeof(prefix), data, ".", what) < 0 ||
	    find(found, prefix) < 0) {
		free(found);
		return NULL;
	}
	return found;
}

struct removal {
	const char *kind; /* pgv-new-CLUSTER-, pgv-old-CLUSTER- */
	const struct deadline *dl;
};

/* Only what lies in a directory of ours, not a tablespace in use. */
static int remove_space(const char *link, const char *target, void *with)
{
	const struct removal *removal = with;
	const char *last = strrchr(target, '/');

	(void)link;
	if (last == NULL || strncmp(last + 1, removal->kind, strlen(removal->kind)) != 0)
		return 0;
	return remove_tree(target, removal->dl);
}

static int remove_directory(const struct cfg *cfg, const char *path, const char *kind,
			    const struct deadline *dl)
{
	char name[CFG_NAME_MAX + 32], link[REBUILD_PATH_MAX], wal[REBUILD_PATH_MAX];
	struct removal removal = { .kind = name, .dl = dl };
	int rc;

	(void)snprintf(name, sizeof(name), "%s%s-", kind, cfg->name);
	rc = rebuild_each_space(path, remove_space, &removal);
	if (rc < 0)
		return rc;
	/* WAL of a directory that was a new one is in one of that name; else it is left. */
	(void)snprintf(name, sizeof(name), "%s%s-", REBUILD_NEW, cfg->name);
	if (rebuild_format(link, sizeof(link), path, "/pg_wal", "") == 0 &&
	    rebuild_link(wal, sizeof(wal), link) == 0)
		rc = remove_space(link, wal, &removal);
	return rc < 0 ? rc : remove_tree(path, dl);
}

int rebuild_forget(const struct cfg *cfg, const struct deadline *dl)
{
	struct found AUTO_FREE *found = find_beside(cfg, REBUILD_NEW);
	int rc = 0;

	if (found == NULL)
		return -ENOENT;
	for (size_t i = 0; i < found->count && rc == 0; i++) {
		log_info("removing a copy that was not finished: %s", found->paths[i]);
		rc = remove_directory(cfg, found->paths[i], REBUILD_NEW, dl);
	}
	return rc;
}

void rebuild_drop_old(const struct cfg *cfg, enum keep_old keep, const struct deadline *dl)
{
	struct found AUTO_FREE *found = keep == KEEP_OLD_ALL ? NULL : find_beside(cfg, REBUILD_OLD);
	size_t newest = 0;

	if (found == NULL)
		return;
	/* The time is in the name, largest part first. */
	for (size_t i = 1; i < found->count; i++)
		if (strcmp(found->paths[i], found->paths[newest]) > 0)
			newest = i;
	for (size_t i = 0; i < found->count; i++) {
		if (keep == KEEP_OLD_NEWEST && i == newest)
			continue;
		if (remove_directory(cfg, found->paths[i], REBUILD_OLD, dl) == 0)
			log_info("removed %s, by keep_old", found->paths[i]);
	}
}

void rebuild_tidy(const struct cfg *cfg, const struct deadline *dl)
{
	rebuild_drop_old(cfg, cfg->keep_old, dl);
	if (rebuild_forget(cfg, dl) < 0 || rebuild_mark_clear(cfg) < 0)
		log_warning("could not remove a copy that was not finished");
}
