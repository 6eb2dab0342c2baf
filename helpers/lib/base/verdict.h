/* SPDX-License-Identifier: PostgreSQL */
/* The one result of a run, and the constructors with which rule tables and returns write it. */
#ifndef PGV_VERDICT_H
#define PGV_VERDICT_H

#include "base/outcome.h"
#include "base/rule_id.h"

/*
 * The conclusion from the facts.  rule, message and hint point to static text; detail is filled at
 * run time and may be empty.
 */
struct verdict {
	enum outcome outcome;
	enum rule_id id;     /* RULE_PLAIN where nobody decides by the rule */
	const char *rule;    /* short stable name of the rule that decided, e.g. "witness-unseen" */
	const char *message; /* one sentence, lower case, no full stop, as PostgreSQL writes */
	const char *hint;    /* what the reader can do, or NULL */
	char detail[320];
};

/*
 * A verdict on one line, named after its outcome: rule, message and hint (or NULL).  In a table it
 * stands as it is; elsewhere behind a cast: return (struct verdict)REFUSED("rule", "message",
 * NULL). The id of a rule by which somebody decides follows: YES("x", "message", NULL, .id =
 * RULE_X).
 */
#define YES(rule, message, ...)          VERDICT_OF(OUT_YES, rule, message, __VA_ARGS__)
#define NO(rule, message, ...)           VERDICT_OF(OUT_NO, rule, message, __VA_ARGS__)
#define REFUSED(rule, message, ...)      VERDICT_OF(OUT_REFUSED, rule, message, __VA_ARGS__)
#define UNKNOWN(rule, message, ...)      VERDICT_OF(OUT_UNKNOWN, rule, message, __VA_ARGS__)
#define INCOMPLETE(rule, message, ...)   VERDICT_OF(OUT_INCOMPLETE, rule, message, __VA_ARGS__)
#define BUG(rule, message, ...)          VERDICT_OF(OUT_BUG, rule, message, __VA_ARGS__)
#define SYSTEM_ERROR(rule, message, ...) VERDICT_OF(OUT_SYSTEM, rule, message, __VA_ARGS__)
#define CONFIG_ERROR(rule, message, ...) VERDICT_OF(OUT_CONFIG, rule, message, __VA_ARGS__)
#define USAGE_ERROR(rule, message, ...)  VERDICT_OF(OUT_USAGE, rule, message, __VA_ARGS__)

/* The rest is the hint, and what may follow it. */
#define VERDICT_OF(outcome_, rule_, message_, ...)                                                 \
	{                                                                                          \
		.outcome = (outcome_), .rule = (rule_), .message = (message_), .hint = __VA_ARGS__ \
	}

#endif
