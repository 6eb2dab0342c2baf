/* SPDX-License-Identifier: PostgreSQL */
/*
 * pg_rewind cannot be run again on a directory in which it was killed: it reads the target's own
 * WAL to learn which blocks to fetch, and among the first things that it overwrites or removes is
 * that WAL, and the history of the timeline that says where the two parted.  So the newest part of
 * it, the histories and the control file are kept beside the mark until it has ended.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/log.h"
#include "base/state.h"
#include "node/path.h"
#include "postgres/pgdata_file.h"
#include "postgres/wal_segment.h"
#include "rewind/rewind.h"

/* pg_rewind begins at the last checkpoint before the fork.  With more WAL than this since then, or
 * too little room for it, a killed one ends in a base backup. */
#define KEEP_BYTES_MAX INT64_C(2147483648)
#define SEGMENTS_MAX   4096
#define CONTROL_BYTES  8192

struct segments {
	size_t count;
	int64_t bytes; /* of one */
	char names[SEGMENTS_MAX][WAL_SEGMENT_NAME + 1];
};

static struct file_path kept_path(const struct cfg *cfg, const char *name)
{
	char path[300];

	(void)snprintf(path, sizeof(path), "kept.wal/%s", name);
	return file_state(cfg, path);
}

static int open_below(const struct cfg *cfg, const char *name)
{
	char path[CFG_PATH_MAX + 32];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", cfg->data_dir, name);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int copy_file(int from_directory, const char *from, int to_directory, const char *to)
{
	AUTO_FD int in = openat(from_directory, from, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	AUTO_FD int out = -1;

	if (in < 0)
		return -errno;
	if (unlinkat(to_directory, to, 0) < 0 && errno != ENOENT)
		return -errno;
	out = openat(to_directory, to, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	return out < 0 ? -errno : pgdata_copy(in, out, to_directory);
}

/* ---- which ---- */

static int by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* Segments of the directory up to the one that the last record may reach into: what is named beyond
 * is recycled and holds nothing yet. */
static int list_segments(struct segments *list, int directory, const struct pgdata_control *control)
{
	DIR AUTO_DIR *all = fdopendir(dup(directory));
	uint64_t end = control->min_recovery_lsn > control->checkpoint_lsn
			   ? control->min_recovery_lsn
			   : control->checkpoint_lsn;
	struct dirent *entry;
	struct wal_name last;

	list->count = 0;
	if (all == NULL)
		return -errno;
	while ((entry = readdir(all)) != NULL) {
		const int64_t bytes = wal_segment_size(directory, entry->d_name);

		if (bytes == 0)
			continue;
		if (list->count == SEGMENTS_MAX)
			return -E2BIG;
		list->bytes = bytes;
		memcpy(list->names[list->count++], entry->d_name, WAL_SEGMENT_NAME + 1);
	}
	if (list->count == 0)
		return 0;
	qsort(list->names, list->count, sizeof(list->names[0]), by_name);
	last = wal_segment_name(control->timeline, end / (uint64_t)list->bytes + 1, list->bytes);
	while (list->count > 0 && strcmp(list->names[list->count - 1], last.text) > 0)
		list->count--;
	return 0;
}

/* The index of the oldest one to be kept. */
static size_t oldest_that_fits(const struct segments *list, int kept)
{
	struct statvfs room;
	int64_t left = KEEP_BYTES_MAX;
	size_t first = list->count;

	/* Half of what is free: the state directory must not fill the disk of the database. */
	if (fstatvfs(kept, &room) == 0 && (int64_t)(room.f_bavail * room.f_frsize / 2) < left)
		left = (int64_t)(room.f_bavail * room.f_frsize / 2);
	while (first > 0 && left >= list->bytes) {
		left -= list->bytes;
		first--;
	}
	return first;
}

/* ---- keeping ---- */

int rewind_forget_wal(const struct cfg *cfg)
{
	struct file_path path = file_state(cfg, "kept.wal");
	DIR AUTO_DIR *all = opendir(path.text);
	struct dirent *entry;
	int rc = state_remove(kept_path(cfg, "complete").text, true);

	if (all == NULL)
		return errno == ENOENT ? 0 : -errno;
	while (rc == 0 && (entry = readdir(all)) != NULL)
		if (entry->d_name[0] != '.')
			rc = state_remove(kept_path(cfg, entry->d_name).text, false);
	return rc < 0 || rmdir(path.text) == 0 ? rc : -errno;
}

/* They are small, and one for each failover that there was. */
static int keep_histories(int wal, int kept)
{
	DIR AUTO_DIR *all = fdopendir(dup(wal));
	struct dirent *entry;
	int rc = 0;

	if (all == NULL)
		return -errno;
	rewinddir(all); /* the place in it is that of the descriptor, which was read to its end */
	while (rc == 0 && (entry = readdir(all)) != NULL)
		if (wal_is_history(entry->d_name))
			rc = copy_file(wal, entry->d_name, kept, entry->d_name);
	return rc;
}

int rewind_keep_wal(const struct cfg *cfg, const struct pgdata_control *control)
{
	AUTO_FD int wal = open_below(cfg, "pg_wal");
	AUTO_FD int global = open_below(cfg, "global");
	AUTO_FD int kept = -1;
	struct segments AUTO_FREE *list = malloc(sizeof(*list));
	int rc = rewind_forget_wal(cfg);

	if (list == NULL)
		return -ENOMEM;
	if (rc == 0)
		rc = wal < 0 ? wal : global < 0 ? global : 0;
	if (rc == 0)
		rc = state_mkdirs(file_state(cfg, "kept.wal").text);
	if (rc < 0)
		return rc;
	kept = open(file_state(cfg, "kept.wal").text, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (kept < 0)
		return -errno;
	rc = list_segments(list, wal, control);
	for (size_t i = oldest_that_fits(list, kept); i < list->count && rc == 0; i++)
		rc = copy_file(wal, list->names[i], kept, list->names[i]);
	if (rc == 0)
		rc = keep_histories(wal, kept);
	if (rc == 0)
		rc = copy_file(global, "pg_control", kept, "pg_control");
	return rc < 0 ? rc : state_write(kept_path(cfg, "complete").text, "", 0600, true);
}

enum fact rewind_wal_kept(const struct cfg *cfg)
{
	int there = state_exists(kept_path(cfg, "complete").text);

	return there < 0 ? FACT_UNKNOWN : fact_of(there);
}

/* ---- putting back ---- */

/* In place: by this file the rewinding mark knows its directory. */
static int restore_control(const struct cfg *cfg)
{
	AUTO_FD int global = open_below(cfg, "global");
	AUTO_FD int in = open(kept_path(cfg, "pg_control").text, O_RDONLY | O_CLOEXEC);
	AUTO_FD int out = -1;
	char control[CONTROL_BYTES];

	if (global < 0)
		return global;
	if (in < 0)
		return -errno;
	if (pread(in, control, sizeof(control), 0) != CONTROL_BYTES)
		return -EINVAL;
	out = openat(global, "pg_control", O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
	if (out < 0)
		return -errno;
	if (pwrite(out, control, sizeof(control), 0) != CONTROL_BYTES)
		return -EIO;
	return fsync(out) < 0 ? -errno : 0;
}

int rewind_restore_wal(const struct cfg *cfg)
{
	DIR AUTO_DIR *all = opendir(file_state(cfg, "kept.wal").text);
	AUTO_FD int data = -1;
	AUTO_FD int wal = -1;
	struct dirent *entry;
	int rc;

	if (all == NULL)
		return -errno;
	data = open_below(cfg, ".");
	wal = open_below(cfg, "pg_wal");
	rc = wal < 0 ? wal : data < 0 ? data : 0;
	while (rc == 0 && (entry = readdir(all)) != NULL)
		if (strlen(entry->d_name) == WAL_SEGMENT_NAME || wal_is_history(entry->d_name))
			rc = copy_file(dirfd(all), entry->d_name, wal, entry->d_name);
	if (rc == 0 && fsync(wal) < 0)
		rc = -errno;
	/* Written last by pg_rewind, so that both are its own when it had come to its end. */
	if (rc == 0 && unlinkat(data, "backup_label", 0) < 0 && errno != ENOENT)
		rc = -errno;
	return rc < 0 ? rc : restore_control(cfg);
}
