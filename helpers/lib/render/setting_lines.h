/* SPDX-License-Identifier: PostgreSQL */
/*
 * The text of postgresql.conf.in, line by line beside what the servers have: "name = value" becomes
 * what setting_choose says, with a comment where that is not our own value.
 */
#ifndef PGV_SETTING_LINES_H
#define PGV_SETTING_LINES_H

#include <stdio.h>

#include "base/auto.h"
#include "config/cfg.h"
#include "render/compared.h"

struct setting_report {
	char fault[160];     /* why nothing could be printed */
	char overruled[400]; /* settings whose line will not take effect, and by what */
};

/* 0; -EINVAL with report->fault; -EFBIG, -EIO. */
int setting_lines(FILE *out, const char *text, const struct compared *compared,
		  const struct cfg *cfg, struct setting_report *report) MUST_CHECK;

/* The settings for which the server here would not have, after a restart, what would be printed:
 * names[size], ", " between. */
void setting_lines_lacking(const char *text, const struct compared *compared, char *names,
			   size_t size);

#endif
