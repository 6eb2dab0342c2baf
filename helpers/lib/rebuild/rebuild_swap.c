/* SPDX-License-Identifier: PostgreSQL */
/*
 * The new copy takes the old directory's name.  Each step finds by looking whether it is done:
 *
 *	1 the old data directory is renamed: from here on nothing can be started
 *	2 in each tablespace's directory the old part moves aside, where the old data directory's
 *	  link follows it, and the new part takes its place
 *	3 the new data directory takes the name
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/state.h"
#include "node/path.h"
#include "rebuild/rebuild.h"
#include "rebuild/rebuild_names.h"

/* ---- the mark ---- */

struct rebuild_mark {
	bool swap;
	char fresh[REBUILD_PATH_MAX];
	char aside[REBUILD_PATH_MAX];
};

int rebuild_mark_write(const struct cfg *cfg, const struct rebuild_place *place, bool swap)
{
	char text[STATE_TEXT_MAX];
	int length = snprintf(text, sizeof(text), "phase=%s\nfresh=%s\naside=%s\n",
			      swap ? "swap" : "copy", place->fresh, place->aside);

	if (length < 0 || (size_t)length >= sizeof(text) || strpbrk(place->fresh, "\r\n") != NULL)
		return -EINVAL;
	return state_write(file_mark(cfg, MARK_REBUILDING).text, text, 0644, true);
}

int rebuild_mark_clear(const struct cfg *cfg)
{
	return state_remove(file_mark(cfg, MARK_REBUILDING).text, true);
}

/* DATA.KIND and the rest of one name; else -EINVAL. */
static int check_name(const char *path, const char *data, const char *kind)
{
	char begin[REBUILD_PATH_MAX];
	int rc = rebuild_format(begin, sizeof(begin), data, ".", kind);

	if (rc < 0)
		return rc;
	if (strncmp(path, begin, strlen(begin)) != 0)
		return -EINVAL;
	path += strlen(begin);
	return *path == '\0' || strchr(path, '/') != NULL ? -EINVAL : 0;
}

/* Both names must be ours, and beside the data directory as it is configured today. */
static int mark_read(struct rebuild_mark *mark, const struct cfg *cfg)
{
	char text[STATE_TEXT_MAX], phase[16], data[REBUILD_PATH_MAX];
	int rc = state_read(file_mark(cfg, MARK_REBUILDING).text, text, sizeof(text));

	if (rc == 0)
		rc = state_get(text, "phase", phase, sizeof(phase));
	if (rc == 0)
		rc = state_get(text, "fresh", mark->fresh, sizeof(mark->fresh));
	if (rc == 0)
		rc = state_get(text, "aside", mark->aside, sizeof(mark->aside));
	if (rc == 0)
		rc = rebuild_data_path(data, sizeof(data), cfg);
	if (rc == 0)
		rc = check_name(mark->fresh, data, REBUILD_NEW);
	if (rc == 0)
		rc = check_name(mark->aside, data, REBUILD_OLD);
	if (rc == 0)
		mark->swap = strcmp(phase, "swap") == 0;
	return rc;
}

/* 1, 0, or -errno: a link that leads nowhere is there. */
static int is_there(const char *path)
{
	if (faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return 1;
	return errno == ENOENT ? 0 : -errno;
}

enum fact rebuild_swapping(const struct cfg *cfg)
{
	struct rebuild_mark mark = { .swap = false };
	char data[REBUILD_PATH_MAX];
	int rc = mark_read(&mark, cfg);
	int there;

	if (rc < 0)
		return rc == -ENOENT || rc == -EINVAL ? FACT_NO : FACT_UNKNOWN;
	if (!mark.swap || rebuild_data_path(data, sizeof(data), cfg) < 0)
		return FACT_NO;
	there = is_there(data);
	if (there != 0)
		return there < 0 ? FACT_UNKNOWN : FACT_NO;
	there = is_there(mark.fresh);
	return there < 0 ? FACT_UNKNOWN : fact_of(there);
}

/* ---- renaming ---- */

static int move(const char *from, const char *to)
{
	char parent[REBUILD_PATH_MAX];

	if (rename(from, to) < 0)
		return -errno;
	rebuild_parent(parent, sizeof(parent), to);
	return state_sync_directory(parent);
}

/* The link is replaced by rename, so that there always is one. */
static int lead_to(const char *link, const char *target)
{
	char temporary[REBUILD_PATH_MAX];
	struct stat status;
	int rc = rebuild_format(temporary, sizeof(temporary), link, ".pg_vrrp", "");

	if (rc < 0)
		return rc;
	if (lstat(link, &status) < 0)
		return -errno;
	if (unlink(temporary) < 0 && errno != ENOENT)
		return -errno;
	if (symlink(target, temporary) < 0 || lchown(temporary, status.st_uid, status.st_gid) < 0)
		return -errno;
	return move(temporary, link);
}

/* ---- one tablespace ---- */

struct swap {
	const struct cfg *cfg;
	const char *aside;            /* the old data directory */
	const char *time;             /* in the names of what is old */
	char where[REBUILD_PATH_MAX]; /* the tablespace's directory */
	char old[REBUILD_PATH_MAX];   /* in it */
};

/* PG_15_202209061: the only thing that a server of this version makes there; "" : nothing. */
static int find_part(char *name, size_t size, const char *directory, const struct cfg *cfg)
{
	DIR AUTO_DIR *all = opendir(directory);
	struct dirent *entry;

	name[0] = '\0';
	if (all == NULL)
		return errno == ENOENT ? 0 : -errno;
	while ((entry = readdir(all)) != NULL)
		if (rebuild_is_part(entry->d_name, cfg))
			(void)snprintf(name, size, "%s", entry->d_name);
	return 0;
}

static int move_aside(const struct swap *s, const char *part)
{
	char from[REBUILD_PATH_MAX], to[REBUILD_PATH_MAX];
	struct stat status;
	int rc = rebuild_format(from, sizeof(from), s->where, "/", part);
	int there;

	if (rc == 0)
		rc = rebuild_format(to, sizeof(to), s->old, "/", part);
	if (rc < 0)
		return rc;
	there = is_there(from);
	if (there <= 0)
		return there;
	if (mkdir(s->old, 0700) < 0 && errno != EEXIST)
		return -errno;
	if (stat(from, &status) < 0 || lchown(s->old, status.st_uid, status.st_gid) < 0)
		return -errno;
	return move(from, to);
}

static int follow_aside(const char *link, const char *target, void *with)
{
	const struct swap *s = with;

	if (strcmp(target, s->where) != 0 || is_there(s->old) != 1)
		return 0;
	return lead_to(link, s->old);
}

static int name_old(struct swap *s)
{
	char name[CFG_NAME_MAX + 64];

	(void)snprintf(name, sizeof(name), "%s%s-%s", REBUILD_OLD, s->cfg->name, s->time);
	return rebuild_format(s->old, sizeof(s->old), s->where, "/", name);
}

static int swap_space(const char *link, const char *target, void *with)
{
	struct swap *s = with;
	char part[256], from[REBUILD_PATH_MAX], to[REBUILD_PATH_MAX];
	const char *last = strrchr(target, '/');
	int rc;

	if (last == NULL || strncmp(last + 1, REBUILD_NEW, strlen(REBUILD_NEW)) != 0)
		return 0; /* done */
	rebuild_parent(s->where, sizeof(s->where), target);
	rc = name_old(s);
	if (rc == 0)
		rc = find_part(part, sizeof(part), target, s->cfg);
	if (rc == 0 && part[0] != '\0') {
		rc = move_aside(s, part);
		if (rc == 0)
			rc = rebuild_format(from, sizeof(from), target, "/", part);
		if (rc == 0)
			rc = rebuild_format(to, sizeof(to), s->where, "/", part);
		if (rc == 0)
			rc = move(from, to);
	}
	if (rc == 0)
		rc = rebuild_each_space(s->aside, follow_aside, s);
	if (rc == 0)
		rc = lead_to(link, s->where);
	if (rc == 0 && rmdir(target) < 0 && errno != ENOENT)
		rc = -errno;
	return rc;
}

/* A tablespace that the primary has no more: what is left of it must not be in the way of a new
 * one. */
static int leave_space(const char *link, const char *target, void *with)
{
	struct swap *s = with;
	char part[256];
	const char *last = strrchr(target, '/');
	int rc;

	if (last == NULL || strncmp(last + 1, REBUILD_OLD, strlen(REBUILD_OLD)) == 0)
		return 0; /* done */
	rc = rebuild_format(s->where, sizeof(s->where), target, "", "");
	if (rc == 0)
		rc = name_old(s);
	if (rc == 0)
		rc = find_part(part, sizeof(part), target, s->cfg);
	if (rc == 0 && part[0] != '\0')
		rc = move_aside(s, part);
	return rc < 0 ? rc : follow_aside(link, target, s);
}

/* ---- all of it ---- */

int rebuild_swap(const struct cfg *cfg, char *aside, size_t size)
{
	struct swap s = { .cfg = cfg };
	struct rebuild_mark mark = { .swap = false };
	char data[REBUILD_PATH_MAX];
	int rc = mark_read(&mark, cfg);
	int there;

	if (rc == 0 && !mark.swap)
		rc = -EINVAL;
	if (rc == 0)
		rc = rebuild_data_path(data, sizeof(data), cfg);
	if (rc < 0)
		return rc;
	s.aside = mark.aside;
	s.time = strrchr(mark.aside, '-') + 1;
	(void)snprintf(aside, size, "%s", mark.aside);
	there = is_there(mark.fresh);
	if (there < 0)
		return there;
	if (there == 1) {
		there = is_there(data);
		rc = there == 1 ? move(data, mark.aside) : there;
		if (rc == 0)
			rc = rebuild_each_space(mark.fresh, swap_space, &s);
		if (rc == 0)
			rc = rebuild_each_space(mark.aside, leave_space, &s);
		if (rc == 0)
			rc = move(mark.fresh, data);
	}
	return rc < 0 ? rc : rebuild_mark_clear(cfg);
}
