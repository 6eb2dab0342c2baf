/* SPDX-License-Identifier: PostgreSQL */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "setup/setup_rules_internal.h"

void setup_say(char *detail, size_t size, const char *fmt, ...)
{
	size_t used = strlen(detail);
	va_list args;

	if (used > 0 && used + 2 < size) {
		(void)snprintf(detail + used, size - used, "; ");
		used += 2;
	}
	va_start(args, fmt);
	(void)vsnprintf(detail + used, size - used, fmt, args);
	va_end(args);
}

enum fact setup_both(enum fact one, enum fact other)
{
	if (one == FACT_NO || other == FACT_NO)
		return FACT_NO;
	return one == FACT_YES && other == FACT_YES ? FACT_YES : FACT_UNKNOWN;
}
