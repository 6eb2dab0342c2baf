/* SPDX-License-Identifier: PostgreSQL */
/*
 * A verdict in the form of the Monitoring Plugins: one line with performance data, and the exit
 * codes 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN.
 */
#ifndef PGV_NAGIOS_H
#define PGV_NAGIOS_H

#include <stdio.h>

#include "base/auto.h"
#include "base/verdict.h"
#include "config/cfg.h"
#include "health/health_look.h"

enum nagios { NAGIOS_OK, NAGIOS_WARNING, NAGIOS_CRITICAL, NAGIOS_UNKNOWN };

/* How far a standby may lag, in bytes or by time; HEALTH_NEVER: any. */
struct nagios_limit {
	int64_t bytes;
	int64_t ms;
};
struct nagios_limits {
	struct nagios_limit warning, critical;
};

/* "16MB", "5s"; NULL: none.  0 or -EINVAL. */
int nagios_limit_parse(struct nagios_limit *limit, const char *text) MUST_CHECK;

/* A yes that wants something done is a WARNING; a lag that is to be judged and not known is
 * UNKNOWN.  Pure. */
enum nagios nagios_decide(const struct verdict *verdict, const struct health *h,
			  const struct nagios_limits *limits);

void nagios_print(FILE *out, enum nagios is, const struct verdict *verdict, const struct health *h,
		  const struct nagios_limits *limits);

#endif
