/* SPDX-License-Identifier: PostgreSQL */
/* A directory that only looks like a server's. */
#ifndef DATADIRECTORY_H
#define DATADIRECTORY_H

#include "config/cfg.h"

/* Its place; no server's programs. */
extern struct cfg data_cfg;

/* For each test: empty at first, nothing left behind. */
int data_set_up(void **state);
int data_tear_down(void **state);

/* The path of a file in it, valid until the next call. */
const char *data_path(const char *name);
void data_put(const char *name, const char *text);

#endif
