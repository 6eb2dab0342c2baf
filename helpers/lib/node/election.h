/* SPDX-License-Identifier: PostgreSQL */
/*
 * The election instance of keepalived carries an address of no use to anybody, on lo, because
 * keepalived refuses an instance without one.  Its presence is the kernel's own word that
 * keepalived here is MASTER: a hint and never a fact, since a killed keepalived leaves it behind.
 */
#ifndef PGV_ELECTION_H
#define PGV_ELECTION_H

#include <stddef.h>

#include "base/outcome.h"
#include "config/cfg.h"

/* 127.0.VRID.1, or fd51::VRID in a cluster of IPv6 addresses. */
void election_address(const struct cfg *cfg, char *text, size_t size);

/* Is this node MASTER of the election, as far as the kernel knows? */
enum fact election_master(const struct cfg *cfg);

/* Does keepalived live here?  YES when it ran check_primary within the last seconds, NO
 * when not. */
enum fact election_alive(const struct cfg *cfg);

#endif
