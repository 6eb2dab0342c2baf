/* SPDX-License-Identifier: PostgreSQL */
#ifndef PGV_PGDATA_ROOM_H
#define PGV_PGDATA_ROOM_H

#include <stdint.h>

#include "base/outcome.h"
#include "config/cfg.h"

/* The size of a WAL segment, as it is by default: with less, the next one cannot be made, and then
 * the server ends. */
#define PGDATA_FULL_BYTES (INT64_C(16) * 1024 * 1024)

struct pgdata_room {
	enum fact full; /* less than PGDATA_FULL_BYTES is free for the server, of data or of WAL */
	int64_t free_bytes; /* where less is; -1: not known */
};

/* By what the file systems of data_dir and of its pg_wal say; nothing is written. */
struct pgdata_room pgdata_room(const struct cfg *cfg);

#endif
