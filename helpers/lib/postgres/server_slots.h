/* SPDX-License-Identifier: PostgreSQL */
/*
 * Replication slots of one server, asked once in a new connection, and what is done with them.  A
 * slot that is ours is called pgvrrp_NODE, after the node that streams with it.
 */
#ifndef PGV_SERVER_SLOTS_H
#define PGV_SERVER_SLOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/deadline.h"
#include "config/cfg.h"
#include "postgres/pg.h"

#define SLOT_PREFIX   "pgvrrp_"
#define SLOT_NAME_MAX 64
/* Ours come first; a server with more than these is shown in part. */
#define SERVER_SLOTS_MAX 16

enum slot_hold {
	SLOT_UNKNOWN = 0,
	SLOT_EMPTY, /* it holds no WAL: nobody has streamed with it */
	SLOT_KEEPS,
	SLOT_LATE, /* beyond the bound: the next checkpoint may take its WAL */
	SLOT_LOST, /* the bound was reached, and its WAL is gone */
	SLOT_HOLDS
};

struct server_slot {
	char name[SLOT_NAME_MAX];
	bool active; /* somebody streams with it */
	enum slot_hold hold;
	uint64_t restart_lsn; /* from here on it holds WAL; 0: none */
	uint64_t held_bytes;  /* from there to where the WAL ends */
};

struct server_slots {
	bool known;
	char why[160]; /* when it is not */
	bool standby;
	int64_t bound_bytes; /* max_slot_wal_keep_size; negative: none */
	int64_t room;        /* how many more the server would take */
	uint64_t redo_lsn;   /* recovery would begin here; on a standby read while it was one */
	char uses[SLOT_NAME_MAX]; /* primary_slot_name */
	size_t count;
	struct server_slot slots[SERVER_SLOTS_MAX];
};

/* Never fails: what could not be found out is in why. */
void server_slots_ask(struct server_slots *slots, const struct cfg *cfg, enum pg_where where,
		      const struct deadline *dl);

/* The name of the slot with which this node streams.  Pure. */
void slot_name_of(const char *node, char *name, size_t size);
bool slot_is_ours(const char *name);
const struct server_slot *slot_find(const struct server_slots *slots, const char *name);

/* On the local server.  0 or -errno, why in log.  What is in use is not dropped. */
int server_slot_create(const struct cfg *cfg, const char *name, bool reserve,
		       const struct deadline *dl) MUST_CHECK;
int server_slot_drop(const struct cfg *cfg, const char *name, const struct deadline *dl) MUST_CHECK;
int server_slot_advance(const struct cfg *cfg, const char *name, uint64_t lsn,
			const struct deadline *dl) MUST_CHECK;
/* ALTER SYSTEM SET primary_slot_name, and seen in a new connection.  "" : none. */
int server_slot_use(const struct cfg *cfg, const char *name, const struct deadline *dl) MUST_CHECK;

const char *slot_hold_word(enum slot_hold hold);

#endif
