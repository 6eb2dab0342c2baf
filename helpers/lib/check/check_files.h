/* SPDX-License-Identifier: PostgreSQL */
#ifndef PGV_CHECK_FILES_H
#define PGV_CHECK_FILES_H

#include "check/check_rules.h"
#include "config/cfg.h"

/* Fills what the files of this node say: the mark, the lease, the watchdog, the serving file.  Asks
 * no server, and takes no library that could. */
void check_gather_files(struct check_facts *f, const struct cfg *cfg);

#endif
