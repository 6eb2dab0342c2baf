/* SPDX-License-Identifier: PostgreSQL */
/* state_dir/history: one JSON line for each event. */
#ifndef PGV_HISTORY_H
#define PGV_HISTORY_H

#include <stdint.h>
#include <stdio.h>

#include "base/auto.h"
#include "config/cfg.h"

/* Appends {"at":wall clock for people,"boot_ms":..,"node":..,"event":..,"detail":..}. */
int history_add(const struct cfg *cfg, const char *event, const char *detail) MUST_CHECK;
/* Event "salvaged", with "salvaged":{"path":..,"transactions":..,"bytes":..} besides. */
int history_add_salvaged(const struct cfg *cfg, const char *detail, const char *path,
			 int64_t transactions, int64_t bytes) MUST_CHECK;

/* The oldest event first: the lines as they were written, or in words for people, a time and an
 * event each with its detail below.  Without events nothing is printed.  0 or -errno. */
int history_copy(const struct cfg *cfg, FILE *out) MUST_CHECK;
int history_print(const struct cfg *cfg, FILE *out) MUST_CHECK;

struct history_event {
	char at[32]; /* as it was written, for people; "": none */
	char detail[320];
};
/* The last event of that name; one without `at` where there is none, or where the history cannot be
 * read. */
void history_last(const struct cfg *cfg, const char *event, struct history_event *last);

#endif
