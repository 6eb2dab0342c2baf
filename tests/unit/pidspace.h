/* SPDX-License-Identifier: PostgreSQL */
/*
 * Tests whose servers outlive whoever started them: in a process namespace of its own, so that
 * nothing is left of them when the test ends, however it ends.
 */
#ifndef PIDSPACE_H
#define PIDSPACE_H

/*
 * Runs body in a new namespace, with a /proc and a /tmp (in memory: a data directory has a thousand
 * files) of its own, and returns what it returned; 1 when it died.  Needs root.
 */
int pidspace_run(int (*body)(void));

/* Reaps what has ended of the children of body itself. */
void pidspace_reap(void);

#endif
