/* SPDX-License-Identifier: PostgreSQL */
#include "base/outcome.h"

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

enum fact fact_of(int truth)
{
	return truth ? FACT_YES : FACT_NO;
}
