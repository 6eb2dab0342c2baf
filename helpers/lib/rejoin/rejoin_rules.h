/* SPDX-License-Identifier: PostgreSQL */
/* The rules of rejoin: pure, so that a test can try every combination of facts. */
#ifndef PGV_REJOIN_RULES_H
#define PGV_REJOIN_RULES_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/verdict.h"
#include "node/mark.h"
#include "postgres/history_file.h"
#include "postgres/pgdata.h"
#include "postgres/server.h"

/* The server of the data directory, by its processes and by what it answers. */
enum rejoin_local {
	LOCAL_UNKNOWN = 0, /* cannot be looked at, or does not answer */
	LOCAL_DOWN,        /* no process of it is left */
	LOCAL_ORPHANS,     /* backends without a postmaster */
	LOCAL_SINGLE,      /* somebody has it open in single-user mode */
	LOCAL_OTHER,       /* no process of it, and yet a server answers at its socket */
	LOCAL_STARTING,
	LOCAL_REFUSES, /* it runs, and lets us not in */
	LOCAL_PRIMARY,
	LOCAL_STANDBY,
	LOCALS
};

/* How our history and the other node's relate. */
enum rejoin_past {
	PAST_UNKNOWN = 0,
	PAST_SHARED,     /* the other's history holds everything that ours does */
	PAST_DIVERGED,   /* the other's timeline is newer, and ours went on beyond the fork */
	PAST_OURS_NEWER, /* the other's timeline is older than ours */
	PAST_SAME,       /* two primaries, one timeline */
	PAST_UNRELATED,  /* the same timeline number with two histories, or nothing in common */
	PASTS
};

/* The word of the record at the witness for a directory that would start as a primary. */
enum rejoin_right {
	RIGHT_UNUSED = 0, /* the witness keeps none */
	RIGHT_UNKNOWN,    /* it cannot be read, or is not to be trusted */
	RIGHT_UNWRITTEN,  /* there is no row */
	RIGHT_OURS,       /* this node holds the term, and the other one may take over */
	RIGHT_OURS_SOLO,  /* only this node may serve */
	RIGHT_THEIRS,     /* the other node holds the term */
	RIGHTS
};

struct rejoin_facts {
	enum rejoin_local local;
	enum pgdata_form form;
	enum fact right_version; /* PG_VERSION is the configured one */
	enum fact control;       /* the control file could be read */
	enum fact clean;         /* it says that the server was shut down */
	enum fact can_rewind;    /* data checksums, or wal_log_hints */
	enum fact fenced;
	enum rejoin_right right;
	enum fenced_by fenced_by;
	bool keeps_record;      /* the witness does */
	enum fact rewinding;    /* pg_rewind has begun and was not seen to end */
	enum fact rewound;      /* it did end, but was not taken for it */
	enum fact undoable;     /* what it found was kept, and not put back in this run yet */
	enum fact pausing;      /* it failed a moment ago (only asked with --auto) */
	enum fact rewind_spent; /* it failed too often in the same way (only asked with --auto) */

	/* a new copy */
	enum fact swapping;     /* it is whole, and there is no data directory: it takes its name */
	enum fact wal_gone;     /* the primary has removed WAL that this standby has yet to get */
	enum fact copy_pausing; /* taking one failed a moment ago (only asked with --auto) */
	enum fact copy_spent;   /* or too often in the same way (only asked with --auto) */
	bool copy_by_itself;    /* rebuild = automatic */
	bool copy_by_hand;      /* --rebuild, and it was not done yet */
	bool discard;           /* --discard names the directory that is here */

	bool watchdog_missing; /* it is required, and could not be armed here */
	enum fact lease_runs;
	enum fact promoting; /* promote_safe is at work on this node, or has to be */
	bool to_be_promoted; /* a standby that holds the term of the record */

	/* a standby that runs here */
	enum fact withdrawn; /* its primary_conninfo is empty */
	enum fact follows;   /* it names the other node */
	enum fact streaming; /* and streams from it, and that one is a primary */
	enum fact replay_paused;

	/* of a standby that is down, or whose replay is paused: a recovery target is set for it */
	enum fact target;

	enum server_state peer;
	enum fact same_system;
	enum fact peer_withdrawn; /* a standby that follows nobody: it is about to take over */
	enum fact peer_votes;
	enum fact peer_ahead; /* it has received more than our directory holds */
	enum rejoin_past past;

	bool no_resume;             /* --no-resume */
	bool peer_down_by_operator; /* --assume-peer-down */
	bool lift;                  /* --lift-fence */
};

/* The next step.  All but STEP_VERDICT and STEP_WAIT change something. */
enum rejoin_step {
	STEP_VERDICT, /* nothing more: the verdict is final */
	STEP_WAIT,    /* look again; at the deadline the verdict is final */
	STEP_CLEAR,   /* end orphaned backends */
	STEP_START,   /* start a standby */
	STEP_LIFT,    /* take the fenced mark of the running standby away */
	STEP_RESTORE, /* make the running standby follow the other node */
	STEP_FOLLOW,  /* turn the directory into a standby */
	STEP_UNDO,    /* put back what a pg_rewind that was killed had found */
	STEP_REWIND,  /* the same, after pg_rewind */
	STEP_ADOPT,   /* the same, after a pg_rewind that ended while nobody looked */
	STEP_RESUME,  /* start the primary again */
	STEP_FINISH,  /* it streams: clear the marks */
	STEP_REBUILD, /* take a new copy of the primary */
	STEP_SWAP,    /* give one that is whole the name of the data directory */
	STEPS
};

/* First rule that holds wins; the order is the safety argument. */
enum rejoin_step rejoin_decide(const struct rejoin_facts *f, struct verdict *verdict);

/* Does the record say that this node holds the term? */
static inline bool rejoin_holds_term(const struct rejoin_facts *f)
{
	return f->right == RIGHT_OURS || f->right == RIGHT_OURS_SOLO;
}

/* Nothing but a new copy brings this node back, as far as the facts but the record say. */
bool rejoin_needs_copy(const struct rejoin_facts *f);

/* Prints each rule and how it came out. */
void rejoin_explain(const struct rejoin_facts *f, FILE *out);

/* "start the standby": what --dry-run says of a step. */
const char *rejoin_step_word(enum rejoin_step step);

/*
 * Compares histories.  Ours ends at `end`, which is where it was shut down or, for a standby, what
 * it has replayed; `open_end`: a primary that was not shut down, so it may have written more.
 */
struct rejoin_end {
	const struct history_file *history;
	uint64_t end;
	bool standby;
	bool open_end;
};
enum rejoin_past rejoin_compare(const struct rejoin_end *ours, const struct history_file *theirs,
				uint64_t *fork);

#endif
