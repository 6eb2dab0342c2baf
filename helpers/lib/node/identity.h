/* SPDX-License-Identifier: PostgreSQL */
#ifndef PGV_IDENTITY_H
#define PGV_IDENTITY_H

#include "base/auto.h"
#include "config/cfg.h"

/*
 * Which node this host is: `name` when given, else the one whose address is configured here.
 * Returns 0, or -ENOENT after saying which addresses were looked for.  The witness host is neither:
 * helpers that run there do not call this.
 */
int node_identify(struct cfg *cfg, const char *name) MUST_CHECK;
/* The same for a name that was given. */
int node_identify_named(struct cfg *cfg, const char *name) MUST_CHECK;

#endif
