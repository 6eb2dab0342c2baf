/* SPDX-License-Identifier: PostgreSQL */
#include "pgstage.h"

struct pgfixture pgstage;

int pgstage_one(void **state)
{
	if (pgfixture_possible() && pgfixture_network() == 0 && pgfixture_init(&pgstage) == 0 &&
	    pgfixture_start(&pgstage, 0, true) == 0)
		return 0;
	(void)pgstage_end(state);
	return -1;
}

int pgstage_pair(void **state)
{
	if (pgfixture_possible() && pgfixture_network() == 0 && pgfixture_pair(&pgstage) == 0)
		return 0;
	(void)pgstage_end(state);
	return -1;
}

int pgstage_end(void **state)
{
	(void)state;
	pgfixture_end(&pgstage);
	return 0;
}
