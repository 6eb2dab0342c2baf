/* SPDX-License-Identifier: PostgreSQL */
/*
 * A connection pooler on a node.  Its clients reach the server from the host itself, by a socket or
 * loopback, and the kernel's lease, which holds TCP of other hosts back, lets that pass
 * (safety.md).
 */
#ifndef PGV_SETUP_POOLER_H
#define PGV_SETUP_POOLER_H

#include <stddef.h>

#include "base/outcome.h"

/*
 * YES: none of the poolers that are known by name runs on this host, containers of it included; NO:
 * why names it, with its pid; UNKNOWN: the list of processes could not be read, why says so.
 * Processes are known by comm of proc(5).
 */
enum fact setup_no_pooler(char *why, size_t size);

#endif
