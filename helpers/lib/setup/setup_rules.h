/* SPDX-License-Identifier: PostgreSQL */
/* The checks of check_setup: pure, over what setup_gather found. */
#ifndef PGV_SETUP_RULES_H
#define PGV_SETUP_RULES_H

#include <stddef.h>
#include <stdio.h>

#include "base/verdict.h"
#include "setup/setup.h"

/* In the order in which findings are shown. */
enum setup_severity {
	SETUP_ERROR,   /* a failover would fail, lose something, or not come about */
	SETUP_UNKNOWN, /* it could not be looked at: never as well */
	SETUP_WARNING, /* it would take longer, or the next one would fail */
	SETUP_NOTE,    /* good to know */
	SETUP_SEVERITIES
};

struct setup_check {
	enum setup_severity severity; /* of a finding */
	/* YES: as it should be.  NO, UNKNOWN: detail[size] says what was seen, or why not. */
	enum fact (*look)(const struct setup *setup, char *detail, size_t size);
	struct verdict verdict; /* of a finding: rule, what is wrong, the remedy */
	const char *effect;     /* in a failover */
};

#define SETUP_DETAIL_MAX 240

struct setup_finding {
	enum setup_severity severity;
	const struct setup_check *check;
	char detail[SETUP_DETAIL_MAX];
};

#define SETUP_CHECKS_MAX 48
struct setup_findings {
	size_t count;
	size_t of[SETUP_SEVERITIES];
	size_t checks; /* that were made */
	struct setup_finding list[SETUP_CHECKS_MAX];
};

/* Makes every check; the findings come ordered by severity, then by worth.  A fault that two
 * checks name alike is named once. */
void setup_decide(struct setup_findings *findings, const struct setup *setup);

/* The verdict by the worst of them: NO an error, UNKNOWN something unknown, REFUSED a warning. */
struct verdict setup_verdict(const struct setup_findings *findings);

/* "error", "unknown", "warning", "note". */
const char *setup_severity_word(enum setup_severity severity);

/* NULL behind the last one. */
const struct setup_check *setup_check_at(size_t number);
size_t setup_check_count(void);

#endif
