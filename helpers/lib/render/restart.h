/* SPDX-License-Identifier: PostgreSQL */
/* "cluster_config check": what a restart of this node's server would change, and what it would
 * break. */
#ifndef PGV_RESTART_H
#define PGV_RESTART_H

#include <stdio.h>

#include "config/cfg.h"
#include "render/compared.h"
#include "render/restart_rules.h"

/* Prints it.  findings: what it would break.  lines: what we would have in postgresql.conf. */
void restart_print(FILE *out, struct restart_findings *findings, const struct compared *compared,
		   const struct cfg *cfg, const char *lines);

#endif
