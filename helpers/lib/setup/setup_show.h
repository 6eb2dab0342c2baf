/* SPDX-License-Identifier: PostgreSQL */
#ifndef PGV_SETUP_SHOW_H
#define PGV_SETUP_SHOW_H

#include <stdio.h>

#include "setup/setup_rules.h"

/* Counted up when a key of the JSON changes its meaning or goes. */
#define SETUP_JSON_VERSION 1

void setup_print(const struct setup_findings *findings, const struct setup *setup, FILE *out);
void setup_print_json(const struct setup_findings *findings, const struct verdict *verdict,
		      const struct cfg *cfg, FILE *out);

/* --explain: a line for each check, in the order of worth, and how it came out. */
void setup_explain(const struct setup_findings *findings, FILE *out);

#endif
