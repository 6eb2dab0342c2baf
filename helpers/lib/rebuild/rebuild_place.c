/* SPDX-License-Identifier: PostgreSQL */
/* Where a new copy grows: beside the old one, on the same file system, so that a rename
 * is enough. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/text.h"
#include "rebuild/rebuild.h"
#include "rebuild/rebuild_names.h"

/* Beyond what the primary says: WAL that is written meanwhile, and files that grow. */
#define ROOM_PART  16
#define ROOM_BYTES (INT64_C(96) << 20)

/* ---- paths ---- */

int rebuild_format(char *path, size_t size, const char *directory, const char *middle,
		   const char *name)
{
	int length = snprintf(path, size, "%s%s%s", directory, middle, name);

	return length < 0 || (size_t)length >= size ? -ENAMETOOLONG : 0;
}

int rebuild_link(char *target, size_t size, const char *path)
{
	ssize_t length = readlink(path, target, size);

	if (length < 0) {
		target[0] = '\0';
		return -errno;
	}
	if ((size_t)length >= size)
		return -ENAMETOOLONG;
	target[length] = '\0';
	return 0;
}

int rebuild_data_path(char *path, size_t size, const struct cfg *cfg)
{
	char parent[CFG_PATH_MAX], *resolved;
	const char *name = strrchr(cfg->data_dir, '/');
	int rc;

	resolved = realpath(cfg->data_dir, NULL);
	if (resolved != NULL) {
		rc = rebuild_format(path, size, resolved, "", "");
		free(resolved);
		return rc;
	}
	/* The place is not there; a link that leads nowhere is for a person to look at. */
	if (errno != ENOENT || name == NULL || name == cfg->data_dir)
		return errno != ENOENT ? -errno : -EINVAL;
	if (faccessat(AT_FDCWD, cfg->data_dir, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return -ELOOP;
	(void)snprintf(parent, sizeof(parent), "%.*s", (int)(name - cfg->data_dir), cfg->data_dir);
	resolved = realpath(parent, NULL);
	if (resolved == NULL)
		return -errno;
	rc = rebuild_format(path, size, resolved, "", name);
	free(resolved);
	return rc;
}

static int owner(struct rebuild_place *place, const struct cfg *cfg)
{
	char buffer[4096];
	struct passwd entry, *found = NULL;
	int rc = getpwnam_r(cfg->os_user, &entry, buffer, sizeof(buffer), &found);

	if (rc != 0 || found == NULL)
		return rc != 0 ? -rc : -ENOENT;
	place->uid = entry.pw_uid;
	place->gid = entry.pw_gid;
	return 0;
}

/* 1, 0, or -errno. */
static int is_mount_point(const char *path)
{
	struct statx status;

	if (statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_TYPE, &status) < 0)
		return errno == ENOENT ? 0 : -errno;
	return (status.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

/* Where pg_wal is a symbolic link, the new one goes into the same directory, under a name of its
 * own; the old one stays where it is, so that the old data directory stays whole. */
static int place_wal(struct rebuild_place *place, const struct cfg *cfg)
{
	char link[REBUILD_PATH_MAX], target[REBUILD_PATH_MAX], *last;
	int rc = rebuild_format(link, sizeof(link), place->data, "/pg_wal", "");

	place->wal[0] = '\0';
	if (rc == 0)
		rc = rebuild_link(target, sizeof(target), link);
	if (rc == -EINVAL || rc == -ENOENT)
		return 0;
	if (rc < 0 || target[0] != '/')
		return rc < 0 ? rc : -EINVAL;
	last = strrchr(target, '/');
	if (strncmp(last + 1, REBUILD_NEW, strlen(REBUILD_NEW)) == 0)
		*last = '\0';
	return rebuild_space_path(place->wal, sizeof(place->wal), cfg, target, place->number);
}

/* DATA_DIR.pgv-old-20261123T104000Z; the wall clock is for people, so a name may be taken. */
static int name_aside(struct rebuild_place *place)
{
	char at[32], stamp[48] = "";
	size_t used = 0;

	text_wall_clock(at, sizeof(at));
	for (const char *c = at; *c != '\0'; c++)
		if (*c != '-' && *c != ':')
			stamp[used++] = *c;
	for (int i = 1; i < 100; i++) {
		int rc = rebuild_format(place->aside, sizeof(place->aside), place->data,
					"." REBUILD_OLD, stamp);

		if (rc < 0)
			return rc;
		if (faccessat(AT_FDCWD, place->aside, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
			return errno == ENOENT ? 0 : -errno;
		(void)snprintf(stamp + used, sizeof(stamp) - used, ".%02d", i);
	}
	return -EEXIST;
}

int rebuild_place_find(struct rebuild_place *place, const struct cfg *cfg)
{
	int rc;

	*place = (struct rebuild_place){ .uid = 0 };
	/* A pg_basebackup that a killed run left behind may still write under its number. */
	(void)snprintf(place->number, sizeof(place->number), "%" PRId64, now_ms());
	rc = rebuild_data_path(place->data, sizeof(place->data), cfg);
	if (rc == 0)
		rc = is_mount_point(place->data);
	if (rc > 0)
		return -EBUSY;
	if (rc == 0)
		rc = rebuild_format(place->fresh, sizeof(place->fresh), place->data,
				    "." REBUILD_NEW, place->number);
	if (rc == 0)
		rc = name_aside(place);
	if (rc == 0)
		rc = owner(place, cfg);
	return rc < 0 ? rc : place_wal(place, cfg);
}

/* ---- tablespaces ---- */

int rebuild_space_path(char *path, size_t size, const struct cfg *cfg, const char *where,
		       const char *number)
{
	char name[CFG_NAME_MAX + 64];

	(void)snprintf(name, sizeof(name), "%s%s-%s", REBUILD_NEW, cfg->name, number);
	return rebuild_format(path, size, where, "/", name);
}

int rebuild_each_space(const char *directory, rebuild_each *each, void *with)
{
	char links[REBUILD_PATH_MAX], path[REBUILD_PATH_MAX], target[REBUILD_PATH_MAX];
	struct dirent *entry;
	DIR AUTO_DIR *all = NULL;
	int rc = rebuild_format(links, sizeof(links), directory, "/pg_tblspc", "");

	if (rc < 0)
		return rc;
	all = opendir(links);
	if (all == NULL)
		return errno == ENOENT ? 0 : -errno;
	while (rc == 0 && (entry = readdir(all)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		rc = rebuild_format(path, sizeof(path), links, "/", entry->d_name);
		if (rc < 0)
			return rc;
		/* A tablespace inside the data directory is no link, and moves with it. */
		if (rebuild_link(target, sizeof(target), path) == 0)
			rc = each(path, target, with);
	}
	return rc;
}

static int leads_to(const char *link, const char *target, void *with)
{
	(void)link;
	return strcmp(target, (const char *)with) == 0;
}

/* Does a tablespace of our own directory lie there? */
static bool is_ours(const struct rebuild_place *place, const char *where)
{
	char wanted[REBUILD_PATH_MAX];

	(void)snprintf(wanted, sizeof(wanted), "%s", where);
	return rebuild_each_space(place->data, leads_to, wanted) == 1;
}

bool rebuild_is_part(const char *name, const struct cfg *cfg)
{
	char begin[32];

	(void)snprintf(begin, sizeof(begin), "PG_%" PRId64 "_", cfg->version);
	return strncmp(name, begin, strlen(begin)) == 0;
}

/* A directory of PostgreSQL's that no link of ours leads to: another cluster's, or a lost one's. */
static int look_at_space(const struct rebuild_place *place, const struct cfg *cfg,
			 const char *where)
{
	DIR AUTO_DIR *all = opendir(where);
	struct dirent *entry;

	if (all == NULL)
		return -errno;
	while ((entry = readdir(all)) != NULL)
		if (rebuild_is_part(entry->d_name, cfg) && !is_ours(place, where))
			return -EEXIST;
	return 0;
}

int rebuild_place_spaces(const struct rebuild_place *place, const struct cfg *cfg,
			 struct rebuild_source *source, char *why, size_t size)
{
	for (size_t i = 0; i < source->count; i++) {
		struct rebuild_space *space = &source->spaces[i];
		char link[REBUILD_PATH_MAX], name[32];
		int rc;

		(void)snprintf(name, sizeof(name), "%" PRIu32, space->oid);
		rc = rebuild_format(link, sizeof(link), place->data, "/pg_tblspc/", name);
		if (rc == 0 && (rebuild_link(space->ours, sizeof(space->ours), link) < 0 ||
				space->ours[0] != '/'))
			memcpy(space->ours, space->theirs, sizeof(space->ours));
		if (rc == 0)
			rc = look_at_space(place, cfg, space->ours);
		if (rc == 0)
			continue;
		(void)snprintf(why, size, "%.200s: %s", space->ours,
			       rc == -EEXIST ? "it holds a tablespace that is not this data "
					       "directory's"
					     : strerror(-rc));
		return rc;
	}
	return 0;
}

/* ---- room ---- */

static int device(const char *path, dev_t *id)
{
	struct stat status;

	if (stat(path, &status) < 0)
		return -errno;
	*id = status.st_dev;
	return 0;
}

/* The sum of bytes that go to the file system of `where`. */
static int64_t share(const char *parent, const char *where, const struct rebuild_source *source)
{
	int64_t bytes = 0;
	dev_t id = 0, other = 0;

	if (device(where, &id) < 0)
		return 0;
	if (device(parent, &other) == 0 && other == id)
		bytes += source->base_bytes;
	for (size_t i = 0; i < source->count; i++)
		if (device(source->spaces[i].ours, &other) == 0 && other == id)
			bytes += source->spaces[i].bytes;
	return bytes;
}

static int room_at(const char *parent, const char *where, const struct rebuild_source *source,
		   char *why, size_t size)
{
	int64_t bytes = share(parent, where, source);
	int64_t needed = bytes + bytes / ROOM_PART + ROOM_BYTES;
	struct statvfs room;
	int64_t there;

	if (statvfs(where, &room) < 0) {
		(void)snprintf(why, size, "%.200s: %s", where, strerror(errno));
		return -errno;
	}
	there = (int64_t)(room.f_bavail * room.f_frsize);
	if (there >= needed)
		return 0;
	(void)snprintf(why, size, "%.200s has %" PRId64 " MB free, the copy takes %" PRId64 " MB",
		       where, there >> 20, needed >> 20);
	return -ENOSPC;
}

void rebuild_parent(char *parent, size_t size, const char *path)
{
	const char *slash = strrchr(path, '/');

	(void)snprintf(parent, size, "%.*s", slash > path ? (int)(slash - path) : 1, path);
}

int rebuild_place_room(const struct rebuild_place *place, const struct rebuild_source *source,
		       char *why, size_t size)
{
	char parent[REBUILD_PATH_MAX];
	int rc;

	rebuild_parent(parent, sizeof(parent), place->data);
	rc = room_at(parent, parent, source, why, size);
	for (size_t i = 0; i < source->count && rc == 0; i++)
		rc = room_at(parent, source->spaces[i].ours, source, why, size);
	return rc;
}

/* ---- making ---- */

static int make_directory(const char *path, const struct rebuild_place *place)
{
	if (mkdir(path, 0700) < 0)
		return -errno;
	return lchown(path, place->uid, place->gid) < 0 ? -errno : 0;
}

int rebuild_place_make(const struct rebuild_place *place, const struct cfg *cfg,
		       const struct rebuild_source *source)
{
	char path[REBUILD_PATH_MAX];
	int rc = make_directory(place->fresh, place);

	if (rc == 0 && place->wal[0] != '\0')
		rc = make_directory(place->wal, place);
	for (size_t i = 0; i < source->count && rc == 0; i++) {
		rc = rebuild_space_path(path, sizeof(path), cfg, source->spaces[i].ours,
					place->number);
		if (rc == 0)
			rc = make_directory(path, place);
	}
	return rc;
}
