/* SPDX-License-Identifier: PostgreSQL */
/* One connection, begun and ended: how it went, and how long that took. */
#ifndef PGATTEMPT_H
#define PGATTEMPT_H

#include <stdint.h>

#include "config/cfg.h"
#include "postgres/pg.h"

struct attempt {
	int rc;
	enum pg_failure failure;
	char why[160];
	int64_t took_ms;
};

/* Also asserts that result, failure and reason agree. */
struct attempt attempt(const struct cfg *cfg, enum pg_where where, int64_t ms);

#endif
