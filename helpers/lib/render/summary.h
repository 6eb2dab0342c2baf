/* SPDX-License-Identifier: PostgreSQL */
/* The consequences of a sound configuration: "cluster_config check". */
#ifndef PGV_SUMMARY_H
#define PGV_SUMMARY_H

#include <stdio.h>

#include "config/cfg.h"

void summary_print(FILE *out, const struct cfg *cfg);

#endif
