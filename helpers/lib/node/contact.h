/* SPDX-License-Identifier: PostgreSQL */
#ifndef PGV_CONTACT_H
#define PGV_CONTACT_H

#include <stdint.h>

#include "base/auto.h"
#include "config/cfg.h"

/* ---- contact: what a standby last knew of its primary.  Strict; not known for a file of another
 * boot, garbage, or a time that is still to come ---- */
struct contact {
	bool known;
	int64_t seen_ms;       /* the primary's server answered our question, which we sent then */
	int64_t streaming_ms;  /* a walreceiver was streaming then; 0: not in this boot */
	uint64_t primary_lsn;  /* its write position then */
	uint64_t received_lsn; /* ours, when streaming_ms was taken */
	uint32_t timeline;
	/* How far its data is behind the primary's.  Zeros: not known. */
	uint64_t replayed_lsn; /* of ours, when streaming_ms was taken */
	uint64_t mark_lsn;     /* the primary had written that much at mark_ms, and we have not
				  been seen to replay as much since */
	int64_t mark_ms;
	int64_t reached_ms;     /* all that the primary had written then is replayed here */
	uint64_t leased_system; /* of this system, the primary was last seen to be held to its lease
				   (leased.h); 0: it was not, or not asked in this boot */
};
/*
 * Notes what was replayed here, and what the primary had written at asked_ms, the two asked at the
 * same time.  Whoever replays all that was written at some moment shows the data of that moment or
 * of a later one.
 */
void contact_note_replay(struct contact *contact, uint64_t replayed_lsn, uint64_t primary_lsn,
			 int64_t asked_ms);
struct contact contact_read(const struct cfg *cfg);
int contact_write(const struct cfg *cfg, const struct contact *contact) MUST_CHECK;

#endif
