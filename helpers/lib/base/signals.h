/* SPDX-License-Identifier: PostgreSQL */
#ifndef PGV_SIGNALS_H
#define PGV_SIGNALS_H

#include <signal.h>
#include <stdbool.h>

#include "base/auto.h"

/*
 * For a process that runs until it is told to end: blocks SIGTERM and SIGINT, and gives a
 * descriptor that is readable when one has come (signalfd(2)).  Close it; -errno.
 */
int signals_open(void) MUST_CHECK;

/* The signal that wakes a process which waits (proc_wake).  Who does not wait for it ignores it. */
#define SIGNAL_WAKE SIGURG

/* The same for one that can also be woken: SIGNAL_WAKE is readable too. */
int signals_open_waking(void) MUST_CHECK;

/* Takes what has come: was it told to end?  False also when it was only woken, or nothing came. */
bool signals_end(int fd);

#endif
