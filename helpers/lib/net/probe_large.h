/* SPDX-License-Identifier: PostgreSQL */
/* Do large packets arrive?  A tunnel or a switch that drops them lets pings and connections
 * through, and replication stands still as soon as there is something to send. */
#ifndef PGV_PROBE_LARGE_H
#define PGV_PROBE_LARGE_H

#include <stddef.h>
#include <stdint.h>

#include "base/deadline.h"
#include "base/outcome.h"

/*
 * Sends echo requests as large as the path takes by what the kernel knows of it (mtu, 0: not known;
 * at most 9000), not to be divided, beside small ones.  YES: a large one came back.  NO: none did,
 * but small ones.  UNKNOWN: neither came, or nothing could be sent.
 */
enum fact probe_large(const char *address, int64_t *mtu, const struct deadline *dl);

#endif
