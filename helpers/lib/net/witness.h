/* SPDX-License-Identifier: PostgreSQL */
/* Is the witness to be seen from here, now? */
#ifndef PGV_WITNESS_H
#define PGV_WITNESS_H

#include <stddef.h>

#include "base/deadline.h"
#include "base/outcome.h"
#include "config/cfg.h"

/*
 * Asks the configured witness until it answers, or for probe_timeout, or to the deadline.
 * YES: it answered.  NO: it was asked and silent.  UNKNOWN: it could not be asked.  why[size]: a
 * phrase.
 */
enum fact witness_seen(const struct cfg *cfg, const struct deadline *dl, char *why, size_t size);

#endif
