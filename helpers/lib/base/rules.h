/* SPDX-License-Identifier: PostgreSQL */
/*
 * A table of rules, of which the first that holds decides.  Each room has its own kind of facts and
 * of rows; what all of them need is written once here.  A row is a struct with at least
 *
 *	bool (*holds)(const struct its_facts *f);	RULE_ALWAYS: where no rule before it does
 *	struct verdict verdict;
 *
 * and mostly a step that follows (RULE_OF finds the row of a verdict).
 */
#ifndef PGV_RULES_H
#define PGV_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/auto.h"
#include "base/verdict.h"

#define RULE_ALWAYS NULL

struct rules {
	size_t (*search)(const void *facts); /* the first that holds, counted from 0; count: none */
	const char *first;                   /* the verdict of the first row */
	size_t stride;                       /* from there to that of the next one */
	size_t count;
};

/*
 * Makes `name`, to be handed to the functions below, of a table that stands above it.  The
 * conversion of the facts is in the one function that is made here: what a predicate takes is
 * checked by the compiler.
 */
#define RULES(name, table)                                              \
	RULES_SEARCH(name, table)                                       \
	static const struct rules name##_table = RULES_OF(name, table); \
	static const struct rules *const name[] = { &name##_table, NULL }
/* One of several tables that are asked one after the other: the room lists their addresses in an
 * array that ends with NULL, and hands that. */
#define RULES_PART(name, table)   \
	RULES_SEARCH(name, table) \
	const struct rules name = RULES_OF(name, table)

#define RULES_SEARCH(name, table)                                                   \
	static size_t name##_search(const void *facts)                              \
	{                                                                           \
		size_t i = 0;                                                       \
                                                                                    \
		while (i < ARRAY_COUNT(table) && (table)[i].holds != RULE_ALWAYS && \
		       !(table)[i].holds(facts))                                    \
			i++;                                                        \
		return i;                                                           \
	}
#define RULES_OF(name, table)                                                        \
	{                                                                            \
		.search = name##_search, .first = (const char *)&(table)[0].verdict, \
		.stride = sizeof((table)[0]), .count = ARRAY_COUNT(table)            \
	}

/* The row of type `row` in which this verdict, as rules_decide returned it, stands. */
#define RULE_OF(row, said) \
	((const row *)(const void *)((const char *)(said)-offsetof(row, verdict)))

/* The verdict of the first rule that holds, in the table.  One does: the last rule of the last
 * table always holds. */
const struct verdict *rules_decide(const struct rules *const *tables, const void *facts);

/*
 * --explain: a line for each rule, in their order.  "ok  not fenced" of one that did not hold,
 * "REFUSED  no-standby: MESSAGE" of the one that decided, "-  peer-serves" of those behind it,
 * which were not asked.  said: what the one that decided came to, where the room completes
 * that after the table; NULL: as it stands there.
 */
void rules_explain(const struct rules *const *tables, const void *facts, const struct verdict *said,
		   FILE *out);

#endif
