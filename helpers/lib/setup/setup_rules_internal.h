/* SPDX-License-Identifier: PostgreSQL */
/* Shared by setup_rules.c and the tables of checks; the functions are in setup_words.c. */
#ifndef PGV_SETUP_RULES_INTERNAL_H
#define PGV_SETUP_RULES_INTERNAL_H

#include "base/auto.h"
#include "setup/setup_rules.h"

struct setup_checks {
	const struct setup_check *list;
	size_t count;
};

/* In the order of worth: the pair, its settings, the hosts. */
extern const struct setup_checks setup_pair_checks;
extern const struct setup_checks setup_setting_checks;
extern const struct setup_checks setup_host_checks;

/* Adds to detail, "; " between. */
void setup_say(char *detail, size_t size, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* Of the answers about both: NO where one is, else UNKNOWN where one is. */
enum fact setup_both(enum fact one, enum fact other);

#endif
