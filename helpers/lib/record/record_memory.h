/* SPDX-License-Identifier: PostgreSQL */
/*
 * The memory of this node about the record.
 *
 * state_dir/record (survives reboots): the row as it was when anything but its version last
 * changed. A record that is older went backwards. run_dir/record (of this boot): the newest row
 * seen, and since when its version has stood there.
 *
 * Written by whoever looked, and only ever forwards (both files are replaced under
 * record_memory.lock).  Read it BEFORE the witness is asked: then a record that is older than what
 * is remembered went backwards, and is not just one that another run has seen change meanwhile.
 */
#ifndef PGV_RECORD_MEMORY_H
#define PGV_RECORD_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/outcome.h"
#include "config/cfg.h"
#include "record/record.h"

struct record_memory {
	/* state_dir: UNKNOWN when it cannot be read (nothing is believed then), NO when nothing was
	 * ever seen.  While run_dir has a row, that one stands in for a file that is gone. */
	enum fact known;
	int64_t term;
	int64_t version;
	char holder[CFG_NAME_MAX];      /* of that term: a term never changes hands */
	char origin[RECORD_ORIGIN_MAX]; /* the server that keeps it; "": not known */

	/* run_dir, of this boot; newest.present is not YES when there is none or it is garbage. Its
	 * own asked_ms, answered_ms and refused are not kept. */
	struct record newest;
	int64_t first_ms; /* this version was first seen then: when the answer was there */
	int64_t last_ms;  /* and last seen by a question that was sent then */
};

/* Never fails: what cannot be read is not known. */
struct record_memory record_memory_read(const struct cfg *cfg);

/*
 * Notes a row that record_trust found good; -EINVAL for what never is.  One that is older than what
 * another run has noted meanwhile changes no file.  *memory then holds this row (and not what
 * others noted), with the times known for its version, so that record_trust still finds it good. 0,
 * or -errno when one of the files could not be written: state_dir's is written, and durable, before
 * the function returns, whenever anything but the version has changed.
 */
int record_memory_note(const struct cfg *cfg, struct record_memory *memory,
		       const struct record *record) MUST_CHECK;

/* For how long the newest version was seen unchanged: from the answer that first showed it to the
 * sending of the question that last did.  0 when none was seen. */
int64_t record_memory_still_ms(const struct record_memory *memory);

#endif
