/* SPDX-License-Identifier: PostgreSQL */
/* May the server write where a promotion has to? */
#ifndef PGV_WAL_PLACE_H
#define PGV_WAL_PLACE_H

#include <stddef.h>

#include "base/outcome.h"
#include "config/cfg.h"

/*
 * Tried with the eyes of the server's user: a segment of WAL in pg_wal, since a promotion begins
 * its timeline with a new one, and a small file beside pg_control.  Nothing is left behind, whoever
 * is killed: the files have no name.  NO with why[size] set; UNKNOWN: it could not be tried.
 */
enum fact wal_place_writable(const struct cfg *cfg, char *why, size_t size);

#endif
