/* SPDX-License-Identifier: PostgreSQL */
/* Where the facts of promote_safe come from. */
#ifndef PGV_PROMOTE_GATHER_H
#define PGV_PROMOTE_GATHER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/deadline.h"
#include "config/cfg.h"
#include "fence/fence.h"
#include "node/pause.h"
#include "postgres/server.h"
#include "postgres/server_replay.h"
#include "promote/life.h"
#include "promote/promote_rules.h"
#include "record/record_memory.h"

/* One run of promote_safe. */
struct promotion {
	const struct cfg *cfg;
	struct deadline dl;
	int64_t begun_ms;
	int64_t settled_ms; /* the last look at everything began */
	struct promote_facts facts;
	struct server local;
	struct fence fence;
	struct life_watch life;  /* with unproven = promote */
	bool fencing;            /* fence_begin was called */
	int fence_held;          /* that this node fences (fence_mutual.h); -1: it does not */
	bool powered;            /* and fence_ask_power */
	int64_t unpromoted_ms;   /* the last look that saw no primary here yet */
	int64_t observing_ms;    /* the witness host was asked to look then */
	int64_t withdrawn_ms;    /* when the withdrawal was verified; 0: not by this run */
	int64_t unasked_ms;      /* no vote was asked for since then, and given */
	int64_t asked_others_ms; /* when peer and witness were last asked */
	uint64_t replay_seen;    /* replay position, and since when it has stood there */
	int64_t replay_since_ms;
	struct server_replay replay;
	bool told_restoring;   /* that the promotion waits for restore_command */
	int cleared;           /* how often sessions that hold it up were told to end */
	char hindrance[200];   /* what unwritable is about */
	uint64_t received_lsn; /* by this node, while it was a standby */
	bool accepts;          /* --accept-loss */
	uint64_t accepted_lsn;
	/* with a record */
	struct pg_warm warm; /* the connection to the witness is made */
	struct record_link link;
	bool linked;
	struct record record; /* as last seen */
	struct record_memory memory;
	int64_t asked_record_ms;
	int64_t withdrawn_version; /* of the row when the vote was withdrawn */
	int64_t fence_version;     /* and when the fence was asked for */
	char witness_why[200];
	/* of the witness beside its record, or without one this node's own */
	struct pause pause;
	bool peer_late; /* it took the connection and gave no answer */
	char peer_why[160];
};

/*
 * On a standby: does its restore_command end?  Before all else, because it may take seconds: the
 * window in which the witness host looks may not begin so long before the vote is withdrawn.
 */
void promote_try_restore(struct promotion *p);

/* The first look at everything. */
void promote_gather(struct promotion *p);

/*
 * Looks again at this node, and at peer and witness when their last answers are older than half a
 * second.  last: just before the deed, the witness in any case.
 */
void promote_refresh(struct promotion *p, bool last);

/* How much of lease + margin, since the withdrawal and since the record was last written, is still
 * to come; 0: none, or it has not begun. */
int64_t promote_wait_left_ms(const struct promotion *p);

/* Ends the watch for life that began with the withdrawal, and sets facts.no_sign_of_life. */
void promote_probe(struct promotion *p);

/* A phrase on what is known, for the detail of the verdict. */
void promote_detail(const struct promotion *p, char *text, size_t size);

#endif
