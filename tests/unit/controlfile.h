/* SPDX-License-Identifier: PostgreSQL */
/* A global/pg_control as PostgreSQL would write it, as far as anybody here reads it. */
#ifndef CONTROLFILE_H
#define CONTROLFILE_H

#include <stdint.h>

/* How much of it counts. */
#define CONTROLFILE_READ 512

/* Writes one in this state (enum DBState of PostgreSQL); fails the test when it cannot. */
void controlfile_put(const char *path, uint32_t state);

#endif
