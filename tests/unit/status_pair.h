/* SPDX-License-Identifier: PostgreSQL */
/* A healthy pair as cluster_status sees it from n2, and what comes of it. */
#ifndef STATUS_PAIR_H
#define STATUS_PAIR_H

#include "status/status.h"

struct cfg status_config(void);
struct status status_pair(void);

/* The forecast is this, in these words. */
void status_expect(const struct status *status, const struct cfg *cfg, enum fact takes_over,
		   const char *words);
/* The table, or the JSON; to be freed. */
char *status_printed(const struct cfg *cfg, bool json, const struct status *status);

#endif
