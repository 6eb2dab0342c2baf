/* SPDX-License-Identifier: PostgreSQL */
/* A node that consists of its run and state directories only, for tests of the files in them. */
#ifndef NODEFILES_H
#define NODEFILES_H

#include "config/cfg.h"
#include "node/path.h"

extern struct cfg nodefiles_cfg;

/* For cmocka_unit_test_setup_teardown. */
int nodefiles_set_up(void **unused);
int nodefiles_tear_down(void **unused);

/* Writes a file as it stands; fails the test when it cannot. */
void nodefiles_put(struct file_path path, const char *text);

#endif
