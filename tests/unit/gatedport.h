/* SPDX-License-Identifier: PostgreSQL */
/* A node with a port behind the kernel's gate, a listener there, and another node (farclient.h). */
#ifndef GATEDPORT_H
#define GATEDPORT_H

#include "config/cfg.h"
#include "farclient.h"

enum { GATED_PORT = 5432 };

extern struct netfixture gated_network;
extern int gated_listener;
extern struct cfg gated_cfg;

/* For cmocka_run_group_tests. */
int gatedport_begin(void **state);
int gatedport_end(void **state);
/* For cmocka_unit_test_setup: the gate is there, and open. */
int gatedport_open(void **state);

#endif
