/* SPDX-License-Identifier: PostgreSQL */
/*
 * What each switch (spin -D) takes away from record.pml, or adds to it: README.md has the table.
 * Without any, every rule stands.
 */

#define UNCOMPARED 0
#define fence_after_write(n) NONE
#define sync_at_start ON
#define extended(n) (stamp[n] && primary(n) && !mark[n])
#define hold_lease(n) lease[n] = (primary(n) && !mark[n] -> TTL : lease[n])
#define votes(n) (standby(n) && !withdrawn[n] && !ahead[n])
#define caught_up(n) (sync[n] == ON && !lacks[other(n)])
#define alone(n) (sync[n] != ON)
#define mark_permits(n, solo) (mark[n] == NONE || mark[n] == BY_GUARD || solo)
#define may_take(n) (holder == n || paired)
#define waited_enough(n) (holder == n || (waited[n] == WAIT && still[n] == WAIT))

/* ---- the guard ---- */

#define to_be_fenced(n) (primary(n) && (mark[n] || lease[n] == 0))

#ifdef GUARD_LATE
#define guard_on_time(n) true
#else
#define guard_on_time(n) !to_be_fenced(n)
#endif
#define starts_promptly(n)      !(start[n] == LOOKED || start[n] == GRANTED)

/* ---- what is checked ---- */

#ifdef BY_RIGHT
#define counts(n) (primary(n) && lease[n] && !mark[n])
#elif defined(DATA_ONLY)
#define counts(n) false
#else
#define counts(n) primary(n)
#endif
