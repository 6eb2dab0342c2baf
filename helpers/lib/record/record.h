/* SPDX-License-Identifier: PostgreSQL */
/*
 * The record: the witness's one row for this cluster (scripts/setup/witness.sql), which says who
 * may serve. Asked over libpq; every write is one compare-and-set on (term, version), so that
 * whoever has not seen the newest row changes nothing.  docs/safety.md says what each write
 * permits.
 */
#ifndef PGV_RECORD_H
#define PGV_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/deadline.h"
#include "base/outcome.h"
#include "config/cfg.h"
#include "node/pause.h"
#include "postgres/pg.h"

/* Of the witness's schema that we speak; it must have the same. */
#define RECORD_SCHEMA 1

/* "SYSTEM_IDENTIFIER/TIMELINE" of the witness's own server. */
#define RECORD_ORIGIN_MAX 32

/* The answer of the witness, and when it was asked. */
struct record {
	/* UNKNOWN: it did not answer, or with something that cannot be used.  NO: it answers, and
	 * keeps no row for this cluster. */
	enum fact present;
	int64_t asked_ms;    /* CLOCK_BOOTTIME, just before the question left */
	int64_t answered_ms; /* and when the answer was there */
	/* Of the witness.  When it is not RECORD_SCHEMA, present is YES and nothing below is
	 * filled: every truth is false, every number 0 (record_trust says RECORD_OTHER_SCHEMA). */
	int64_t schema;

	/* of the last write: "" when it was done, else why not, in one word (witness.sql) */
	char refused[16];

	/* Which server answered.  A promoted copy of a witness has another timeline, and so has one
	 * that was restored to a point in time; a row that a dump brought has another system. */
	char origin[RECORD_ORIGIN_MAX];

	/* valid when present */
	bool same_system; /* the row is of our system identifier */
	bool node_known;  /* this node is one of its two, and its holder is one of ours */
	bool sealed;      /* nobody has changed it by hand */
	int64_t term;
	int64_t version;
	char holder[CFG_NAME_MAX];
	bool paired;      /* the other node may take over; the holder serves under a lease */
	bool released;    /* the holder says that it does not serve */
	bool paused;      /* an operator wants no takeover */
	bool sync;        /* paired in sync mode */
	int64_t lease_ms; /* of the holder's configuration */
	bool final_known; /* released after a shutdown in good order, at final_lsn */
	uint64_t final_lsn;
	bool accepted_known; /* an operator took the term with what there was up to accepted_lsn */
	uint64_t accepted_lsn;
};

/* A connection to the witness, kept for as long as it works. */
struct record_link {
	const struct cfg *cfg;
	uint64_t system_identifier; /* of our own server or directory */
	struct pg *pg;
	enum pg_failure failure; /* why the last question failed */
	bool sent;               /* a statement may have left with it */
	bool stale;              /* it broke, and had been kept from before (pg_keep) */
	char why[160];
};

/* Prepares a link; opens nothing.  record_end closes, or keeps for the next one (pg_keep). */
void record_begin(struct record_link *link, const struct cfg *cfg, uint64_t system_identifier);
void record_end(struct record_link *link);

/*
 * All below: ask once, over the connection that is kept or else a new one.  0: answered, *record is
 * filled; a write that was not done says why in refused.  -errno: no answer that could be used, why
 * in the link, and record->present is UNKNOWN: whether a write was done (or will be, when what was
 * sent arrives late) is then not known, unless the link says that nothing was sent
 * (record_unsent).  The connection is closed then; whoever asks again gets a new one.
 */
int record_look(struct record_link *link, struct record *record,
		const struct deadline *dl) MUST_CHECK;

/*
 * `seen` is the row that the write is for: its term and version are compared.  It may be *record.
 * Nothing is written by another server than the one that showed it: "absent" then.
 */

/* The holder still serves.  resume: it begins to, after it had released. */
int record_renew(struct record_link *link, struct record *record, const struct record *seen,
		 bool resume, const struct deadline *dl) MUST_CHECK;
/* The holder goes on without the other node. */
int record_go_solo(struct record_link *link, struct record *record, const struct record *seen,
		   const struct deadline *dl) MUST_CHECK;
/* The other node may take over from now on. */
int record_pair(struct record_link *link, struct record *record, const struct record *seen,
		const struct deadline *dl) MUST_CHECK;
/* The holder's server is down; final_lsn 0: nobody knows where its WAL ends. */
int record_release(struct record_link *link, struct record *record, const struct record *seen,
		   uint64_t final_lsn, const struct deadline *dl) MUST_CHECK;
/* The term goes to this node, from paired or from itself. */
int record_take(struct record_link *link, struct record *record, const struct record *seen,
		const struct deadline *dl) MUST_CHECK;
/* The same by an operator's word, from whatever state, with what is here up to accepted_lsn. */
int record_take_by_word(struct record_link *link, struct record *record, const struct record *seen,
			uint64_t accepted_lsn, const struct deadline *dl) MUST_CHECK;
/* An operator wants no takeover, or wants it possible again. */
int record_pause(struct record_link *link, struct record *record, const struct record *seen,
		 bool paused, const struct deadline *dl) MUST_CHECK;
/* No takeover for so long, whoever holds the term; 0 ms ends that, and the pause above as well. */
int record_pause_for(struct record_link *link, struct record *record, const struct record *seen,
		     const struct pause *pause, const struct deadline *dl) MUST_CHECK;
/*
 * A record where there is none (seen->present is NO), or in place of a row that is of an earlier
 * term than `term` or was changed by hand.  This node becomes the holder, solo.  term:
 * record_next_term (record_trust.h).
 */
int record_create(struct record_link *link, struct record *record, const struct record *seen,
		  int64_t term, const struct deadline *dl) MUST_CHECK;

/* Is it certain that no statement left with the last question, because it failed before? */
bool record_unsent(const struct record_link *link);

static inline void auto_record_end(struct record_link *link)
{
	record_end(link);
}
#define AUTO_RECORD __attribute__((cleanup(auto_record_end)))

#endif
