/* SPDX-License-Identifier: PostgreSQL */
/*
 * What each switch (spin -D) takes away from takeover.pml, or adds to it: README.md has the table.
 * Without any, every rule stands.
 */

/* ---- what an answer is worth, by the age of its question ---- */

#define worth(age) (age < TTL -> TTL - age : 0)

#ifdef VOTE_COUNTS_FROM_RECEIPT
#define vote_worth(n)  TTL
#define start_worth(n) TTL
#define vote_stale(n)  false
#else
#define vote_worth(n)  worth(vote_age[n])
#define start_worth(n) worth(start_age[n])
#define vote_stale(n)  (vote_age[n] >= TTL)
#endif

#ifdef PING_COUNTS_FROM_RECEIPT
#define ping_worth(n) TTL
#define ping_stale(n) false
#else
#define ping_worth(n) worth(ping_age[n])
#define ping_stale(n) (ping_age[n] >= TTL)
#endif

/* ---- the witness prolongs ---- */

#ifdef WITNESS_BEGINS
#define witness_may(n) true
#elif defined(WITNESS_REVIVES)
bit had[2]; /* a lease in this boot */
#define witness_may(n) (had[n])
#else
#define witness_may(n) (lease[n] > 0)
#endif

/* ---- the peer votes ---- */

#ifdef VOTE_NOT_WITHDRAWN
#define votes(n) standby(n)
#elif defined(PRIMARY_VOTES)
#define votes(n) (up[n] && !withdrawn[n])
#elif defined(NEWER_VOTES)
#define votes(n) (standby(n) && !withdrawn[n])
#else
#define votes(n) (standby(n) && !withdrawn[n] && timeline[n] <= timeline[other(n)])
#endif

/* ---- a fenced node stays down ---- */

#ifdef MARK_IGNORED
#define mark_permits(n, by_vote) true
#elif defined(ANY_MARK_ANSWERED)
#define mark_permits(n, by_vote) (mark[n] == NONE || by_vote)
#else /* a person's, once a person has lifted it */
#define mark_permits(n, by_vote) (mark[n] == NONE || (mark[n] != BY_OTHER && by_vote))
#endif

/* Of a standby a person takes them away without asking anybody. */
#define liftable(n) (mark[n] == BY_GUARD || mark[n] == BY_PERSON)

#ifdef NO_LOOK_UNDER_LOCK
#define still_permits(n, by_vote) true
#else
#define still_permits(n, by_vote) mark_permits(n, by_vote)
#endif

#ifdef NO_START_LOCK
#define lock_free(n) true
#else
#define lock_free(n) (start[n] < LOOKED_VOTE)
#endif

#ifdef MARK_UNWRITTEN
#define first_mark(n) mark[n]
#elif defined(MARK_OF_A_PERSON_WILL_DO)
#define first_mark(n) (mark[n] == BY_PERSON -> BY_PERSON : BY_OTHER)
#else
#define first_mark(n) BY_OTHER
#endif

/* What fence_self leaves before it says "fenced". */
#if defined(NO_MARK_AGAIN) || defined(MARK_UNWRITTEN)
#define last_mark(n) mark[n]
#elif defined(MARK_OF_THE_GUARD_WILL_DO)
#define last_mark(n) (mark[n] -> mark[n] : BY_OTHER)
#elif defined(MARK_OF_A_PERSON_WILL_DO)
#define last_mark(n) (mark[n] == BY_PERSON -> BY_PERSON : BY_OTHER)
#else
#define last_mark(n) BY_OTHER
#endif

/* What the guard leaves when it fences. */
#ifdef NO_MARK_OF_THE_GUARD
#define guard_mark(n) mark[n]
#elif defined(GUARD_REPLACES_MARK) || defined(MARK_OF_THE_GUARD_WILL_DO)
#define guard_mark(n) BY_GUARD
#else
#define guard_mark(n) (mark[n] -> mark[n] : BY_GUARD)
#endif

#ifdef MARK_GONE_AT_BOOT
#define mark_after_boot(n) NONE
#else
#define mark_after_boot(n) mark[n]
#endif

#ifdef FENCE_KEEPS_LEASE
#define lease_when_marked(n) lease[n]
#else
#define lease_when_marked(n) (mark[n] -> 0 : lease[n])
#endif

/* ---- a promotion ---- */

#ifdef NO_WAIT
#define wait_over(n) true
#else
#define wait_over(n) (waited[n] == WAIT)
#endif

#ifdef UNPROVEN
#define isolated(n) true
#else
#define isolated(n) (work[n] == ISOLATED)
#endif

/* The window may begin before the withdrawal, but not by more than the margin. */
#ifdef SLOW_WITHDRAWAL
#define in_time(n) true
#else
#define in_time(n) (work[n] == REACHED || (work[n] == SILENT && window[n] <= MARGIN))
#endif

#ifdef FENCE_AFTER_WITHDRAWAL
#define may_ask(n) verified[n]
#else
#define may_ask(n) true
#endif

/* Only of a primary that is held to its lease is anything known when it is isolated. */
#if !defined(FOUND) || defined(STANDBY_NEEDS_NO_LEASED)
#define held(p) true
#else
#define held(p) (p == 1 || knows)
#endif

/* Its own vote does not tell: whether that arrived, nobody can know. */
#ifdef ITS_VOTE_WILL_DO
#define mark_is_seen (vote[0] == ANSWERED || !found)
#else
#define mark_is_seen (!found)
#endif

/* A helper writes a grant when it has seen its primary run, however long that took. */
#ifdef SECOND_GRANT
bit owed[2];
byte owed_age[2]; /* since the last look at which it was none */
#ifdef GRANT_FROM_LOOK
#define owed_worth(n) worth(owed_age[n])
#else
#define owed_worth(n) TTL
#endif
#endif

/* ---- a start ---- */

/* A right is not looked at once more, and what began without one has the guard's grace. */
#ifdef SLOW_START
#define right_permits(n, ticks) true
#define starts_promptly(n)      true
#else
#define right_permits(n, ticks) (ticks > 0)
#define starts_promptly(n)      !(start[n] >= LOOKED_VOTE && start[n] <= GRANTED)
#endif

#if defined(SLOW_START) || defined(BEHIND_OUR_BACK)
#define GRACE
byte grace[2];
#define graced(n) (grace[n] > 0)
#else
#define graced(n) false
#endif

/* ---- the guard ---- */

/* Somebody puts a standby.signal into the directory of a primary that runs, and the guard goes by it. */
#ifdef ROLE_BY_FILE
bit misread[2];
#define taken_for_a_standby(n) (misread[n])
#else
#define taken_for_a_standby(n) false
#endif

/*
 * The server that was there before the guard, in a directory that is not marked "leased": nobody was
 * ever given a right to it, so the guard leaves it alone.  It is marked before its first lease, and
 * when that server is seen to have ended.
 */
#define found_after_lease(n) (n == 0 -> 0 : found)

#ifdef GUARD_SPARES_ALWAYS
bit first_one = 1; /* still the server that the guard found */
#define spared(n)    (first_one && n == 0)
#define end_first(n) first_one = (n == 0 -> 0 : first_one)
#else
#define spared(n)    (found && n == 0)
#define end_first(n) skip
#endif

#ifdef GUARD_SPARES_THE_NEXT_SERVER
#define found_after_end(n) found
#else
#define found_after_end(n) (n == 0 -> 0 : found)
#endif

#define to_be_fenced(n) \
	(primary(n) && !taken_for_a_standby(n) && \
		(mark[n] || (lease[n] == 0 && !graced(n) && !spared(n))))

#ifdef GUARD_LATE
#define guard_on_time(n) true
#else
#define guard_on_time(n) !to_be_fenced(n)
#endif

/* ---- a reboot ---- */

#ifdef LEASE_OF_AN_EARLIER_BOOT
#define lease_after_boot TTL /* the clock begins anew, so that an old time lies ahead */
#else
#define lease_after_boot 0
#endif

#ifdef STANDBY_KEEPS_LEASE
#define lease_of_standby(n) lease[n]
#else
#define lease_of_standby(n) 0
#endif

/* ---- what is checked ---- */

#ifdef BY_RIGHT
#define counts(n) (primary(n) && (lease[n] || spared(n)) && !mark[n])
#elif defined(DATA_ONLY)
#define counts(n) false
#else
#define counts(n) primary(n)
#endif
