/* SPDX-License-Identifier: PostgreSQL */
#include "base/outcome.h"

#include <string.h>

const char *outcome_word(enum outcome outcome)
{
	switch (outcome) {
	case OUT_YES:
		return "yes";
	case OUT_NO:
		return "no";
	case OUT_REFUSED:
		return "refused";
	case OUT_UNKNOWN:
		return "unknown";
	case OUT_INCOMPLETE:
		return "incomplete";
	case OUT_USAGE:
		return "usage";
	case OUT_SYSTEM:
		return "system";
	case OUT_CONFIG:
		return "config";
	case OUT_BUG:
		break;
	}
	return "bug";
}

bool outcome_parse(const char *word, enum outcome *outcome)
{
	static const enum outcome all[] = { OUT_YES,     OUT_NO,         OUT_REFUSED,
					    OUT_UNKNOWN, OUT_INCOMPLETE, OUT_USAGE,
					    OUT_BUG,     OUT_SYSTEM,     OUT_CONFIG };

	for (size_t i = 0; i < ARRAY_COUNT(all); i++) {
		*outcome = all[i];
		if (strcmp(word, outcome_word(all[i])) == 0)
			return true;
	}
	return false;
}

const char *fact_word(enum fact fact)
{
	switch (fact) {
	case FACT_YES:
		return "yes";
	case FACT_NO:
		return "no";
	case FACT_UNKNOWN:
		break;
	}
	return "unknown";
}

bool fact_parse(const char *word, enum fact *fact)
{
	static const enum fact all[] = { FACT_YES, FACT_NO, FACT_UNKNOWN };

	for (size_t i = 0; i < ARRAY_COUNT(all); i++) {
		*fact = all[i];
		if (strcmp(word, fact_word(all[i])) == 0)
			return true;
	}
	return false;
}

enum fact fact_of(int truth)
{
	return truth ? FACT_YES : FACT_NO;
}
