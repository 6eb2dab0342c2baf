/* SPDX-License-Identifier: PostgreSQL */
/*
 * Was anybody ever given a right to serve what is in this data directory?  From then on its server
 * is held to its lease; before, the guard leaves alone the one that was there when it came.
 *
 * data_dir/pg_vrrp.leased is there from before the first lease is used, and on a standby.  A base
 * backup and pg_rewind copy it, which is right: who followed such a primary is held to a lease too.
 * The standby asks for it before it may take over (server_leased.h).  state_dir/leased says the
 * same of this node and a system identifier, and outlives a directory that is restored from a
 * backup.
 */
#ifndef PGV_LEASED_H
#define PGV_LEASED_H

#include <stdint.h>

#include "base/auto.h"
#include "base/outcome.h"
#include "config/cfg.h"

/* The file in a data directory. */
#define LEASED_DATA "pg_vrrp.leased"

/* system: the directory's system identifier; 0: not known, and then any system's mark counts. */
struct leased_mark {
	enum fact data;
	enum fact state;
};
struct leased_mark leased_look(const struct cfg *cfg, uint64_t system);

/* YES: one of them says so.  NO only when both are known not to. */
enum fact leased_of(struct leased_mark mark);
enum fact leased_read(const struct cfg *cfg, uint64_t system);

/* Both durably; each is owned so that the server's user may replace its directory.  0 or -errno. */
int leased_write_data(const struct cfg *cfg, uint64_t system) MUST_CHECK;
int leased_write_state(const struct cfg *cfg, uint64_t system) MUST_CHECK;

#endif
