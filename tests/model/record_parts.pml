/* SPDX-License-Identifier: PostgreSQL */
/*
 * Of record.pml: what a state is made of, and the parts that steps have in common.
 */
#ifndef TTL
#define TTL 2 /* ticks of a lease */
#endif
#ifndef MARGIN
#define MARGIN 1
#endif
#define WAIT (TTL + MARGIN)

#define NONE 0
/* the fenced mark, by who wrote it */
#define BY_GUARD 1
#define BY_OTHER 2 /* the other node, or a person */
/* synchronous_standby_names: off, set, and taken by the checkpointer: commits go by that */
#define OFF 0
#define SET 1
#define ON  2
/* check_primary, under record.lock: "go solo" is under way, has been answered */
#define ASKS_SOLO 1
#define HAS_SOLO  2
/* rejoin, under start.lock: asks the witness, is answered (paired, or solo), looks again, ... */
#define RESUMES      1
#define RESUMED      2
#define RESUMED_SOLO 3
#define LOOKED       4
#define GRANTED      5
#define STARTED      6
/* fence_self, at the node that it fences */
#define MARKED  1
#define STOPPED 2
/* promote_safe: the vote is withdrawn, the take is under way, answered, the stamp is written */
#define WITHDREW 1
#define TAKES    2
#define TAKEN    3
#define STAMPED  4
/* its fence of the old primary */
#define BEGUN  1
#define PROVEN 2
/* requests on their way to the witness, each for the version that its sender has seen */
#define GO_SOLO 1
#define PAIR    2
#define RELEASE 4
#define RESUME  8
#define TAKE    16
#define BY_WORD 32 /* a take by an operator's word, from whatever the record says */
#define CREATE  64

/* the record */
bit holder;
bit paired = 1;
bit released;
#ifdef PAUSES
bit pause; /* an operator wants no takeover, until a time of the witness's */
#endif

/* on disk */
bit primary_form[2]; /* the directory would start as a primary */
bit ahead[2];        /* its timeline is newer than the other node's */
byte mark[2];
bit withdrawn[2]; /* the standby votes for nobody; it may well stream on */
bit lacks[2];     /* some acknowledged commit is not here */
bit found;        /* node 0 runs the server that was there before its guard, and is not marked "leased" */
byte sync[2];

/* of this boot; leases, waits and what an answer is still worth in ticks */
bit up[2]; /* a server runs */
byte lease[2];
bit stamp[2];   /* "the record says that only this node may serve" */
byte asked[2];  /* a question for a vote has come to the standby */
byte answer[2]; /* a vote or a renewal was answered, and is still to be taken */
byte duty[2];
byte start[2];
byte worth[2]; /* of the answer that a start goes by */
byte harm[2];
byte work[2];
byte ago[2];    /* since a question for a vote has come to this node */
byte waited[2]; /* since the last question that a vote can have answered */
bit seen[2];    /* the standby has seen the record as it is now, */
byte still[2];  /* since then */
byte fence[2];

/* on the way */
byte wire[2];

#define other(n)    (1 - (n))
#define primary(n)  (up[n] && primary_form[n])
#define standby(n)  (up[n] && !primary_form[n])
#define streams(n)  (standby(n) && primary(other(n)) && !ahead[n])
#define holds(n)    (good(n) && holder == n && !released)
#define sent(n, it) ((wire[n] & (it)) != 0)

#include "record_switches.pml"
#include "say.pml"

/* ---- the two promises ---- */

inline promises(n)
{
	assert(!(counts(0) && counts(1)));
	assert(!(serves(n) && lacks[n]))
}

/* ---- parts of steps ---- */

inline prolong(n, ticks)
{
	found = found_after_lease(n);
	lease[n] = (ticks > lease[n] -> ticks : lease[n]);
	promises_of_a_lease(n)
}

inline extend(n) /* the guard does at each of its ticks, as long as the stamp stands */
{
	if
	:: extended(n) -> prolong(n, TTL)
	:: else
	fi
}

inline forget_start(n)
{
	start[n] = NONE;
	worth[n] = 0
}

inline forget_run(n)
{
	work[n] = NONE;
	waited[n] = 0;
	fence[n] = NONE
}

/* The record has a new version.  Who has seen an older one changes nothing any more. */
inline stale(n)
{
	wire[n] = wire[n] & UNCOMPARED;
	seen[n] = 0;
	still[n] = 0;
	fence[n] = fence_after_write(n);
	duty[n] = (duty[n] == ASKS_SOLO && !sent(n, GO_SOLO) -> NONE : duty[n]);
	start[n] = (start[n] == RESUMES && !sent(n, RESUME | CREATE) -> NONE : start[n]);
	work[n] = (work[n] == TAKES && !sent(n, TAKE | BY_WORD) -> WITHDREW : work[n])
}

inline written()
{
	stale(0);
	stale(1)
}

#include "record_lost.pml"

inline end_server(n)
{
#ifdef FAST_STOP
	if /* commits that wait for the standby are let go */
	:: primary(n) -> lacks[other(n)] = 1
	:: else
	fi;
#endif
	end_lease(n);
#ifdef BEHIND_OUR_BACK
	begun_behind[n] = 0;
#endif
#ifdef ROLE_BY_FILE
	misread[n] = 0;
#endif
	found = found_after_end(n);
	up[n] = 0;
	sync[n] = sync_at_start(sync[n]);
#ifdef LATE_ALTER_SYSTEM
	owed[n] = 0;
#endif
#ifdef LATE_PROMOTION
	promoting[n] = 0;
#endif
	if /* promote_safe asks its own server in each round */
	:: !primary_form[n] -> forget_run(n)
	:: else
	fi
}

inline power_off(n) /* what is on its way to the witness stays there */
{
	end_server(n);
	lease[n] = lease_after_boot(n);
	stamp[n] = stamp_after_boot(n);
#ifdef STAMP_READ_FIRST
	saw_stamp[n] = 0;
#endif
	asked[n] = 0;
	answer[n] = 0;
	ago[n] = 0;
	duty[n] = NONE;
	forget_start(n);
	harm[n] = NONE;
	forget_run(n);
	seen[n] = 0;
	still[n] = 0
}

inline begin_primary(n)
{
	up[n] = 1;
	seen[n] = 0;
	still[n] = 0;
	ago[n] = 0;
	promises(n)
}
