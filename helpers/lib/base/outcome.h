/* SPDX-License-Identifier: PostgreSQL */
/*
 * The one vocabulary of results.  The numbers are an interface: keepalived,
 * cron, monitoring and operators read them, every man page lists them and the
 * tests assert them.  Nothing here is ever 126 or above, because the shell and
 * keepalived give those a meaning of their own.
 */
#ifndef PGV_OUTCOME_H
#define PGV_OUTCOME_H

#include <stdbool.h>

#include "base/auto.h"

enum outcome {
	OUT_YES = 0,        /* yes, or: the wanted state is reached */
	OUT_NO = 1,         /* a definite no */
	OUT_REFUSED = 2,    /* a rule forbids the deed; nothing was changed for good */
	OUT_UNKNOWN = 3,    /* could not be found out in time; never a permission */
	OUT_INCOMPLETE = 4, /* past the point of no return, the end was not seen */
	OUT_USAGE = 64,     /* called wrongly (sysexits.h EX_USAGE) */
	OUT_BUG = 70,       /* an invariant of ours does not hold (EX_SOFTWARE) */
	OUT_SYSTEM = 71,    /* the operating system refused something basic (EX_OSERR) */
	OUT_CONFIG = 78,    /* the configuration is not usable (EX_CONFIG) */
};

/* A fact that may not be known.  Zero is UNKNOWN, so that a fact nobody filled permits nothing. */
enum fact {
	FACT_UNKNOWN = 0,
	FACT_NO,
	FACT_YES,
};

/* Returns the word for an outcome ("yes", "refused", ...); "bug" for a value that is none. */
const char *outcome_word(enum outcome outcome);

/* The same backwards; false when it is no word of an outcome. */
bool outcome_parse(const char *word, enum outcome *outcome) MUST_CHECK;

/* Returns "yes", "no" or "unknown". */
const char *fact_word(enum fact fact);

/* The same backwards; false when it is none of them. */
bool fact_parse(const char *word, enum fact *fact) MUST_CHECK;

/* Returns FACT_YES for true, FACT_NO for false: for a truth that was just read. */
enum fact fact_of(int truth);

#endif
