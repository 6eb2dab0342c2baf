/* SPDX-License-Identifier: PostgreSQL */
#include "base/on_time.h"

#include <errno.h>
#include <sched.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>

#include "base/log.h"

/* Of 1 to 99; LimitRTPRIO= of the guard's unit allows ten. */
#define PRIORITY_GUARD 10
#define PRIORITY_WATCH 5

void on_time(enum on_time who)
{
	const bool guard = who == ON_TIME_GUARD;
	const struct sched_param priority = { .sched_priority =
						  guard ? PRIORITY_GUARD : PRIORITY_WATCH };
	/* The guard has no threads; those of the watch would be reset too. */
	const int policy = guard ? SCHED_RR | SCHED_RESET_ON_FORK : SCHED_RR;

	if (mlockall(MCL_CURRENT | MCL_FUTURE | (guard ? 0 : MCL_ONFAULT)) < 0)
		log_warning("could not lock memory: %s", strerror(errno));
	if (sched_setscheduler(0, policy, &priority) < 0)
		log_warning("could not get real-time priority: %s", strerror(errno));
}
