/* SPDX-License-Identifier: PostgreSQL */
/* Words that the table and the JSON of cluster_status share. */
#ifndef PGV_STATUS_SHOW_H
#define PGV_STATUS_SHOW_H

#include <stddef.h>
#include <stdint.h>

#include "base/report.h"
#include "status/status.h"

/* The node that has the virtual address, "elsewhere", "nowhere" or "unknown". */
const char *status_vip_word(enum status_vip vip, const struct cfg *cfg);

/* "off", "missing", "shut", "until", "open"; NULL when it is not known. */
const char *status_kernel_word(enum status_kernel kernel);

/* The first lines of the table for people, ten of 80 columns while all is well. */
void status_screen(const struct status *status, const struct cfg *cfg,
		   const struct verdict *verdict, FILE *out);

static inline const char *status_alive_word(enum fact alive)
{
	return alive == FACT_YES ? "alive" : alive == FACT_NO ? "not running" : "unknown";
}

#endif
