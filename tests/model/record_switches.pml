/* SPDX-License-Identifier: PostgreSQL */
/*
 * What each switch (spin -D) takes away from record.pml, or adds to it: README.md has the table.
 * Without any, every rule stands.
 */

/* ---- what an answer is worth: more than TTL means that its age is not counted ---- */

#ifdef VOTE_COUNTS_FROM_RECEIPT
#define vote_worth (TTL + 1)
#else
#define vote_worth TTL
#endif
#ifdef RENEWAL_COUNTS_FROM_RECEIPT
#define renewal_worth (TTL + 1)
#else
#define renewal_worth TTL
#endif
#ifdef RESUMPTION_COUNTS_FROM_RECEIPT
#define resumption_worth (TTL + 1)
#else
#define resumption_worth TTL
#endif

#define at_most_ttl(ticks) (ticks > TTL -> TTL : ticks)
#define one_less(ticks)    (ticks > TTL || ticks == 0 -> ticks : ticks - 1)

/* ---- a write compares the version ---- */

#ifndef UNCOMPARED
#define UNCOMPARED 0 /* requests that are done though the record has moved on */
#endif

#ifdef HOLDER_UNCOMPARED
#define of_holder(n) true
#else
#define of_holder(n) (holder == n)
#endif

#define lands(n, it) (sent(n, it) && of_holder(n))

/* ---- the vote ---- */

#ifdef VOTE_NOT_WITHDRAWN
#define votes(n) (standby(n) && !ahead[n])
#else
#define votes(n) (standby(n) && !withdrawn[n] && !ahead[n])
#endif

/* ---- paired and solo ---- */

#ifdef NO_RECORD_LOCK
#define duty_free(n) (duty[n] != ASKS_SOLO)
#else
#define duty_free(n) (duty[n] == NONE)
#endif

#ifdef STAMP_BEFORE_THE_RECORD
#define may_stamp(n) (duty[n] != NONE)
#elif defined(STAMP_BY_LOOK)
#define may_stamp(n) (duty[n] == HAS_SOLO || (primary(n) && !duty[n] && holds(n) && !paired))
#else
#define may_stamp(n) (duty[n] == HAS_SOLO)
#endif

#ifdef STAMP_AWAY_LAST
#define stamp_when_pairing 1
#else
#define stamp_when_pairing 0
#endif

/* The guard takes the time, then reads the stamp, then writes the lease. */
#define extended(n) (primary(n) && stamp[n] && !mark[n])
#ifdef STAMP_READ_FIRST
bit saw_stamp[2];
#endif

/* In async mode sync means nothing, and never changes. */
#ifdef ASYNC
#define sync_alone      ON
#define may_turn_off(n) false
#define may_turn_on(n)  false
#else
#define sync_alone OFF
#define may_turn_on(n) (stamp[n] && duty_free(n))
#ifdef SYNC_OFF_FIRST
#define may_turn_off(n) (stamp[n] || duty[n] == ASKS_SOLO)
#else
#define may_turn_off(n) (stamp[n] && duty_free(n))
#endif
#endif


/* The server still turns sync off for a run that was killed, after a later one has turned it on. */
#ifdef LATE_ALTER_SYSTEM
bit owed[2];
#define owe_alter_system(n) owed[n] = 1
#else
#define owe_alter_system(n) skip
#endif

/* What the standby must have before it is paired: what there was when sync was on. */
#if defined(PAIRED_WITHOUT_SYNC)
#define settled(n) true
#elif defined(PAIRED_BEFORE_SETTLED)
#define settled(n) (sync[n] != OFF)
#else
#define settled(n) (sync[n] == ON)
#endif

#if defined(PAIRED_FAR_BEHIND)
#define reached(n) true
#elif defined(POSITION_TOO_EARLY) || defined(POSITION_OUTLIVES_SYNC)
bit was_reached[2]; /* what there was before sync was on, or while it was on an earlier time */
#define reached(n) was_reached[n]
#else
#define reached(n) (!lacks[other(n)])
#endif

/* PostgreSQL before the minor releases of May 2025 has sync on only after a while. */
#ifdef SLOW_SYNC_AT_START
#define sync_at_start(it) (it == OFF -> OFF : SET)
#else
#define sync_at_start(it) (it == OFF -> OFF : ON)
#endif

/* A commit is acknowledged without the other node; in async mode, one too many. */
#ifdef ASYNC
#define alone(n) (stamp[n])
#else
#define alone(n) (sync[n] != ON)
#endif

/* ---- release ---- */

#ifdef RELEASE_WITHOUT_LOCK
#define release_lock_free(n) true
#else
#define release_lock_free(n) (start[n] == NONE)
#endif

/* ---- a start ---- */

#ifdef MARK_IGNORED
#define mark_permits(n, solo) true
#elif defined(PAIRED_ANSWERS_ANY_MARK)
#define mark_permits(n, solo) true
#else
#define mark_permits(n, solo) (mark[n] == NONE || mark[n] == BY_GUARD || solo)
#endif

#ifdef NO_LOOK_UNDER_LOCK
#define still_permits(n, solo) true
#else
#define still_permits(n, solo) mark_permits(n, solo)
#endif

/* A right that ended before the start is none. */
#ifdef SLOW_START
#define starts_promptly(n) true
#else
#define starts_promptly(n) !(start[n] == LOOKED || start[n] == GRANTED)
#endif

/* ---- a fence ---- */

/* To keep it small: a standby that is fenced is only not promoted, and no fence makes a primary. */
#ifdef FENCED_ANYWHERE
#define may_harm(n) true
#elif defined(RESTORED)
#define may_harm(n) false
#else
#define may_harm(n) (primary_form[n])
#endif

#ifdef FENCE_WITHOUT_LOCK
#define fence_lock_free(n) true
#else
#define fence_lock_free(n) (start[n] == NONE)
#endif

#ifdef NO_MARK_AGAIN
#define last_mark(n) mark[n]
#else
#define last_mark(n) BY_OTHER
#endif

#ifdef FENCE_NOT_ASKED_FOR_BY_THE_RECORD
#define may_fence(n) seen[n]
#else
#define may_fence(n) (seen[n] && paired && holder == other(n))
#endif

/* A person may, whoever wrote the mark: a start and a takeover write the row themselves. */
#ifdef NO_LIFT
#define may_lift(n) false
#else
#define may_lift(n) (!primary(n))
#endif

#ifdef FENCE_OF_ANY_VERSION
#define fence_after_write(n) fence[n]
#else
#define fence_after_write(n) NONE
#endif

/* ---- a takeover ---- */

#ifdef TAKE_FROM_SOLO
#define may_take(n) true
#else
#define may_take(n) (holder == n || (paired && !paused))
#endif

#ifdef NO_WAIT_FOR_THE_VOTE
#define vote_over(n) true
#else
#define vote_over(n) (waited[n] == WAIT)
#endif
#ifdef NO_WAIT_FOR_THE_RECORD
#define renewal_over(n) true
#else
#define renewal_over(n) (still[n] == WAIT)
#endif

/*
 * The wait for the vote counts from the last question that came before the vote was withdrawn.  Only
 * of a standby that votes it is of use; of nobody else it is remembered, to keep the model small.
 */
#define notes(n) (standby(n) && !withdrawn[n])
#ifdef A_QUESTION_NOT_NOTED
#define ago_when_asked(n) ago[n]
#else
#define ago_when_asked(n) 0
#endif
#ifdef ASKED_AGO_READ_FIRST /* and then the vote is withdrawn */
byte saw_ago[2];
#define waited_before(n) saw_ago[n]
#else
#define waited_before(n) ago[n]
#endif

/* A node that holds the term already waits all the same. */
#ifdef HOLDER_TAKES_AT_ONCE
#define own_at_once(n) (holder == n)
#else
#define own_at_once(n) false
#endif

#ifdef LATE_PROMOTION
bit promoting[2]; /* the server will do it, whoever still waits for it */
#define asked_to_promote(n) (promoting[n] && standby(n))
#ifdef HOLDER_VOTES
#define may_give_back(n) true
#else
#define may_give_back(n) (!promoting[n])
#endif
#else
#define may_give_back(n) true
#define asked_to_promote(n) (work[n] == STAMPED)
#endif

/* ---- a reboot ---- */

#ifdef RUN_DIR_SURVIVES
#define lease_after_boot(n) lease[n]
#define stamp_after_boot(n) stamp[n]
#else
#define lease_after_boot(n) 0
#define stamp_after_boot(n) 0
#endif

/* ---- the guard ---- */

/* A lease ends with its server, and what was asked before is worth nothing then. */
#if defined(LEASE_OUTLIVES_SERVER) || defined(START_BY_LEASE)
#define end_lease(n) skip
#else
#define end_lease(n) lease[n] = (primary(n) -> 0 : lease[n]); answer[n] = 0; asked[n] = 0
#endif

/* Servers that somebody else starts: systemd without the gate, a person with pg_ctl. */
#ifdef BEHIND_OUR_BACK
bit begun_behind[2];
#define graced(n) (begun_behind[n])
#else
#define graced(n) false
#endif

/* What would let a server serve goes before the release; only such servers can use it. */
#if defined(BEHIND_OUR_BACK) && !defined(RIGHTS_KEPT)
#define give_rights_back(n) lease[n] = 0; stamp[n] = 0; answer[n] = 0; asked[n] = 0
#else
#define give_rights_back(n) skip
#endif

/* A vote only prolongs. */
#if defined(BEHIND_OUR_BACK) && !defined(VOTE_BEGINS)
#define votes_count(n) (lease[n] > 0 || spared(n))
#else
#define votes_count(n) true
#endif

/* Somebody puts a standby.signal into the directory of a primary that runs, and the guard goes by it. */
#ifdef ROLE_BY_FILE
bit misread[2];
#define taken_for_a_standby(n) (misread[n])
#else
#define taken_for_a_standby(n) false
#endif

/* As in takeover.pml: spared until its first lease, or until that server has ended. */
#define spared(n) (found && n == 0)

#ifdef GUARD_SPARES_ALWAYS
#define found_after_lease(n) found
#else
#define found_after_lease(n) (n == 0 -> 0 : found)
#endif

#ifdef GUARD_SPARES_THE_NEXT_SERVER
#define found_after_end(n) found
#else
#define found_after_end(n) (n == 0 -> 0 : found)
#endif

/* ---- a pause forbids to take over, and nothing else ---- */

#ifdef PAUSES
#define paused (pause)
#else
#define paused false
#endif

#ifdef PAUSE_STOPS_THE_GUARD
#define guarded(n) (!paused)
#else
#define guarded(n) true
#endif

#define to_be_fenced(n) \
	(guarded(n) && primary(n) && !taken_for_a_standby(n) && \
		(mark[n] || (lease[n] == 0 && !graced(n) && !spared(n))))

#ifdef GUARD_LATE
#define guard_on_time(n) true
#else
#define guard_on_time(n) !to_be_fenced(n)
#endif

/* ---- a person ---- */

inline switch_off(n) /* a person does, before saying so */
{
#ifdef WRONG_WORD
	skip
#else
	power_off(n)
#endif
}

/* ---- what is checked ---- */

#ifdef BY_RIGHT
#define serves(n) (primary(n) && (lease[n] || spared(n)) && !mark[n])
#define counts(n) serves(n)
#define promises_of_a_lease(n) promises(n)
#elif defined(DATA_ONLY)
#define serves(n) true
#define counts(n) false
#define promises_of_a_lease(n) skip
#else
#define serves(n) true
#define counts(n) primary(n)
#define promises_of_a_lease(n) skip
#endif
