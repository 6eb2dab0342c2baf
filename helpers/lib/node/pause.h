/* SPDX-License-Identifier: PostgreSQL */
/*
 * A pause: by an operator's word nobody takes over until a time.  It forbids and gives nobody a
 * right, so whoever reads one too long or too short serves no worse than without it.  Where the
 * witness keeps a record, the pause stands there (record/record_pause.h); else this node promises
 * it, by the file "paused" in its state_dir, and the promise is kept by whichever node is the
 * standby.
 */
#ifndef PGV_PAUSE_H
#define PGV_PAUSE_H

#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/outcome.h"
#include "config/cfg.h"

/* The longest: a pause that is forgotten ends in the same week. */
#define PAUSE_MAX_MS  (INT64_C(7) * 24 * 3600 * 1000)
#define PAUSE_BY_MAX  64
#define PAUSE_WHY_MAX 128

struct pause {
	enum fact runs;  /* UNKNOWN: it cannot be read, and counts as a pause */
	int64_t left_ms; /* when it was asked */
	char by[PAUSE_BY_MAX];
	char why[PAUSE_WHY_MAX];
};

/*
 * This node's promise.  It counts CLOCK_BOOTTIME; in a later boot it counts from the beginning of
 * that, because nobody knows how long the host was off: never shorter than what was asked for, and
 * longer by no more than that for each boot.
 */
struct pause pause_read(const struct cfg *cfg);
int pause_write(const struct cfg *cfg, const struct pause *pause) MUST_CHECK;
int pause_clear(const struct cfg *cfg) MUST_CHECK;

/* "29 min left, by alice on n1: kernel update"; "" when none runs. */
void pause_words(const struct pause *pause, char *text, size_t size);

#endif
