/* SPDX-License-Identifier: PostgreSQL */
/*
 * The pause that the witness keeps beside the record.  Its end is a time of the witness's clock,
 * which alone is asked: a node hears how long is left, and counts that on its own.  Whether a
 * takeover is paused is decided by the write of the term (pgvrrp.take), in that same clock.
 */
#ifndef PGV_RECORD_PAUSE_H
#define PGV_RECORD_PAUSE_H

#include "node/pause.h"
#include "record/record.h"

/* Over the connection of the look before.  UNKNOWN: no answer.  A witness whose schema is older
 * than pauses keeps none: NO. */
struct pause record_pause_look(struct record_link *link, const struct deadline *dl);

#endif
