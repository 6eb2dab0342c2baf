/* SPDX-License-Identifier: PostgreSQL */
/* pgstage's pair, of which the standby (n2) replays nothing that a session of its own is against.
 */
#ifndef HELDREPLAY_H
#define HELDREPLAY_H

#include "base/proc.h"

/* For cmocka_run_group_tests, with pgstage_end.  Table t has 1000 rows, n from 1. */
int heldreplay_pair(void **state);

/* A session on n2 that executes `text`, and stays where it is; fails the test when there is none.
 */
void heldreplay_begin(struct proc *session, const char *text);

#endif
