/* SPDX-License-Identifier: PostgreSQL */
/* The values that the templates of keepalived/ may ask for, from the configuration of one
 * cluster. */
#ifndef PGV_CONFIG_VALUES_H
#define PGV_CONFIG_VALUES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/auto.h"
#include "config/cfg.h"
#include "render/template.h"

#define CONFIG_VALUES_MAX  56
#define CONFIG_VALUES_TEXT 8192

struct config_values {
	struct template_value list[CONFIG_VALUES_MAX + 1];
	size_t count;
	char text[CONFIG_VALUES_TEXT]; /* the values */
	size_t used;
	bool full; /* something did not fit */
};

/* Adds one, formatted; with fmt NULL the name of a condition that does not hold. */
void config_value(struct config_values *values, const char *name, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

/*
 * Fills it.  path: of the INI file, absolute.  with_node: also what is this node's own (cfg->self).
 * Returns 0, or -EFBIG when the values do not fit.
 */
int config_values(struct config_values *values, const struct cfg *cfg, const char *path,
		  bool with_node) MUST_CHECK;

#endif
