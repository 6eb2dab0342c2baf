/* SPDX-License-Identifier: PostgreSQL */
/*
 * Is what a check has found worth a line in the log?  It is asked each second, so only what differs
 * from the last line is; and on a busy host the answer may differ each second, by turns.
 */
#ifndef PGV_NEWS_H
#define PGV_NEWS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/verdict.h"
#include "config/cfg.h"
#include "node/attempt.h"

/* So many lines in a minute; then only what has lasted for so long, or the next minute. */
#define NEWS_LINES     6
#define NEWS_MINUTE_MS 60000
#define NEWS_LASTS_MS  10000

struct news {
	char told[64]; /* "OUTCOME RULE" of the last line */
	char is[64];   /* of the last answer */
	int64_t since_ms;
	int64_t told_ms[NEWS_LINES]; /* of the last lines, the oldest first; 0: none */
};

enum news_kind {
	NEWS_NONE,
	NEWS_TOLD,
	NEWS_TOLD_LAST, /* the minute has no more lines */
};

/* Is it to be told now?  Notes what it says.  Pure. */
enum news_kind news_decide(struct news *news, const char *head, int64_t now);

/* The same of a verdict, by news.NAME below run_dir; says in the log when no more will come for
 * now. */
bool news_wants(const struct cfg *cfg, enum attempt attempt, const struct verdict *verdict);

#endif
