/* SPDX-License-Identifier: PostgreSQL */
/*
 * A lease is kept by processes that get the processor when they want it: the guard, and
 * "check_primary --watch", which asks for it.  A host with a hundred runnable processes, or one
 * that pages out, makes any other wait for longer than a lease.
 */
#ifndef PGV_ON_TIME_H
#define PGV_ON_TIME_H

enum on_time {
	ON_TIME_GUARD, /* before the others: it fences */
	ON_TIME_WATCH,
};

/*
 * Real-time priority (SCHED_RR), and memory that is never paged out: the guard's all of it, and of
 * the watch what it has used, since its libraries are large and it uses little of them.  Its
 * threads have the priority too; a program that either starts has not (proc.h).  Where a right for
 * it is missing this says so in the log, and the process goes on without.
 */
void on_time(enum on_time who);

#endif
