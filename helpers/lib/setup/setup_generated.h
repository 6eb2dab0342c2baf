/* SPDX-License-Identifier: PostgreSQL */
/* Files that ought to say the same: keepalived's and what is generated for it, the configuration
 * here and on the other node. */
#ifndef PGV_SETUP_GENERATED_H
#define PGV_SETUP_GENERATED_H

#include <stddef.h>
#include <stdint.h>

#include "base/outcome.h"
#include "config/cfg.h"

/* Does a file below /etc/keepalived hold, in one piece, what "cluster_config keepalived --include"
 * prints for this node? */
enum fact setup_generated(const struct cfg *cfg, char *why, size_t size);

/* setup_digest of the configuration file, in hexadecimal; "": it cannot be read. */
void setup_digest_of(const struct cfg *cfg, char *text, size_t size);

/* A number for what a text says: comments, blank lines and blanks at either end of a line do not
 * count.  Not against somebody who wants two texts to have the same. */
uint64_t setup_digest(const char *text);

#endif
