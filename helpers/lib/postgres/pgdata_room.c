/* SPDX-License-Identifier: PostgreSQL */
#include "postgres/pgdata_room.h"

#include <sys/statvfs.h>

#include "node/path.h"

/* The bytes that others than root may still take; -1: not known. */
static int64_t free_at(const char *path)
{
	struct statvfs is;

	if (statvfs(path, &is) < 0 || is.f_blocks == 0)
		return -1;
	if (is.f_bavail > INT64_MAX / is.f_frsize)
		return INT64_MAX;
	return (int64_t)(is.f_bavail * is.f_frsize);
}

/* The smaller one that is known. */
static int64_t least(int64_t data, int64_t wal)
{
	if (data < 0 || (wal >= 0 && wal < data))
		return wal;
	return data;
}

struct pgdata_room pgdata_room(const struct cfg *cfg)
{
	const int64_t data = free_at(cfg->data_dir);
	const int64_t wal = free_at(file_data(cfg, "pg_wal").text); /* a link perhaps */
	struct pgdata_room room = { .full = FACT_UNKNOWN, .free_bytes = least(data, wal) };

	if ((data >= 0 && data < PGDATA_FULL_BYTES) || (wal >= 0 && wal < PGDATA_FULL_BYTES))
		room.full = FACT_YES;
	else if (data >= 0 && wal >= 0)
		room.full = FACT_NO;
	return room;
}
