/* SPDX-License-Identifier: PostgreSQL */
/* What the tests of probe.c have in common.  Each function fails the running test. */
#ifndef PROBE_ASSERTS_H
#define PROBE_ASSERTS_H

#include <stdbool.h>
#include <stdint.h>

#include "net/probe.h"

/* Opens, or fails the test. */
struct probe open_probe(const char *address, uint16_t port);

/* Waits until something has arrived, 5 s at the most; returns what probe_take makes of it. */
int64_t take_next(struct probe *probe);

/* Two questions on one channel are answered, each once and from when it left. */
void assert_answered_now(const char *address, uint16_t port, bool raw);

#endif
