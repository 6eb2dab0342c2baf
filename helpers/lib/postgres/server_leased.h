/* SPDX-License-Identifier: PostgreSQL */
/* Is the server that is asked held to its lease?  (node/leased.h) */
#ifndef PGV_SERVER_LEASED_H
#define PGV_SERVER_LEASED_H

#include "base/deadline.h"
#include "base/outcome.h"
#include "config/cfg.h"
#include "postgres/pg.h"

/* Looks for the mark in its data directory, by the right that pg_rewind needs too.  UNKNOWN when
 * that could not be asked. */
enum fact server_leased(const struct cfg *cfg, enum pg_where where, const struct deadline *dl);

#endif
