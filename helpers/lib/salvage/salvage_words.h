/* SPDX-License-Identifier: PostgreSQL */
/* The parts of a salvage report that are made of sentences. */
#ifndef PGV_SALVAGE_WORDS_H
#define PGV_SALVAGE_WORDS_H

#include "salvage/salvage_report.h"

/* Heading, what it means, sums; the list of transactions follows. */
void words_summary(FILE *out, const struct salvage_report *report);

/* A script for psql: the names of the relations, on a server that runs. */
void words_names(FILE *out, const struct salvage_report *report);

/* `before`, then the text in double quotes, without anything that could move a
 * terminal's cursor. */
void words_quoted(FILE *out, const char *before, const char *text);

#endif
