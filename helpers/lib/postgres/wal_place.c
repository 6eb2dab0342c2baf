/* SPDX-License-Identifier: PostgreSQL */
#include "postgres/wal_place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/act_as.h"
#include "base/auto.h"

/* The usual size of a segment; one of another size has room where this one has, or nearly. */
#define SEGMENT_BYTES (16 * 1024 * 1024)

/* A file system that cannot reserve room, or has no files without a name, is none that is
 * read-only. */
static int try_at(const char *directory, off_t bytes)
{
	static const char byte = 0;
	AUTO_FD int file = open(directory, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);

	if (file < 0)
		return errno == EOPNOTSUPP || errno == EISDIR ? 0 : -errno;
	if (fallocate(file, 0, 0, bytes) < 0 && errno != EOPNOTSUPP && errno != ENOSYS)
		return -errno;
	return write(file, &byte, sizeof(byte)) < 0 ? -errno : 0;
}

enum fact wal_place_writable(const struct cfg *cfg, char *why, size_t size)
{
	static const struct {
		const char *name;
		off_t bytes;
	} places[] = { { "pg_wal", SEGMENT_BYTES }, { "global", 1 } };
	struct act_as as;
	enum fact writable = FACT_YES;

	if (act_as_begin(&as, cfg->os_user) < 0)
		return FACT_UNKNOWN;
	for (size_t i = 0; i < ARRAY_COUNT(places) && writable == FACT_YES; i++) {
		char path[CFG_PATH_MAX + 16];
		int rc;

		(void)snprintf(path, sizeof(path), "%s/%s", cfg->data_dir, places[i].name);
		rc = try_at(path, places[i].bytes);
		if (rc < 0)
			(void)snprintf(why, size, "%s: %s", path, strerror(-rc));
		if (rc < 0)
			writable = rc == -ENOENT ? FACT_UNKNOWN : FACT_NO;
	}
	if (act_as_end(&as) < 0)
		return FACT_UNKNOWN;
	return writable;
}
