/* SPDX-License-Identifier: PostgreSQL */
#include "check/duty.h"

static void *do_beside(void *arg)
{
	struct duty_beside *beside = arg;

	duty_do(beside->report, beside->cfg, beside->local, &beside->dl);
	return NULL;
}

void duty_begin(struct duty_beside *beside)
{
	beside->runs = pthread_create(&beside->thread, NULL, do_beside, beside) == 0;
}

void duty_end(struct duty_beside *beside)
{
	if (beside->runs)
		(void)pthread_join(beside->thread, NULL);
	else
		(void)do_beside(beside);
}
