/* SPDX-License-Identifier: PostgreSQL */
/* The guard's hand on the kernel: clients are let in while it says so, and no longer than the
 * lease. Private to guard*.c. */
#ifndef PGV_GUARD_KERNEL_H
#define PGV_GUARD_KERNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "config/cfg.h"
#include "guard/guard_rules.h"
#include "net/nftlease.h"

struct guard_kernel {
	bool laid;           /* the table, by this guard; it may be gone since */
	bool known;          /* `is` was set by us, and nobody else has a reason to change it */
	struct nftlease is;  /* what was set last */
	bool told;           /* and that was said */
	int64_t seen_ms;     /* when it was set or last looked at */
	int64_t next_lay_ms; /* not before */
	bool complained;     /* that the kernel does not do it: once */
	uint32_t generation; /* of nftables, before this tick looked at anything */
	bool generation_known;
};

/* Before a tick looks at anything. */
void guard_kernel_begin(struct guard_kernel *k, const struct cfg *cfg);

/* After it has looked, and renewed the lease; not after it has fenced. */
void guard_kernel_keep(struct guard_kernel *k, const struct cfg *cfg, const struct guard_facts *f);

#endif
