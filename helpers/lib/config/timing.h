/* SPDX-License-Identifier: PostgreSQL */
/*
 * Milliseconds that more than one part counts on, and how they add up.  What an operator may set is
 * in [timing] (cfg_table.c); cfg_check.c refuses what does not fit together.
 *
 * One round of check_primary, from when it began:
 *
 *	0                          it asks this node's server, the other one's, and the witness
 *	budget - AFTERWARDS        the last moment for an answer
 *	check_budget               files are written, keepalived is told
 *	ROUND                      the next one begins
 *
 * A lease counts from when its question was sent, not from when the answer came.  So an answer may
 * take all of its round: a late one only leaves less of the lease, and what the guard needs of that
 * for a fence (lease_fence_at) nobody spends.  A primary whose standby and witness answer just in
 * time has, until the next answer, ROUND + check_budget between the sending of one question and the
 * answer to the next, and the guard sees that within CFG_TICK_MS: where lease - fence time is more,
 * it is never fenced for being late.
 *
 * The margin, which a takeover waits beyond the lease (cfg_margin_derived):
 *
 *	lease / DRIFT_PART  what two clocks may go apart in a lease
 *	WAKE_LATE           a guard that wakes for a fence, at the moment when it is due
 *	WITHDRAWAL          without a record: the vote is withdrawn after the window begins
 *	                    kernel_lease = no: a guard may stall so much longer
 *
 * and, where a watchdog may be armed, what is lacking to the whole second that it counts.
 */
#ifndef PGV_TIMING_H
#define PGV_TIMING_H

/* From one round to the next: keepalived's interval (keepalived/keepalived-cluster.conf.in). */
#define TIMING_ROUND_MS 1000
/* The longest check_budget that may be configured: a round is over before the next one begins. */
#define TIMING_BUDGET_MAX_MS 950
/*
 * A server that took so long for its answer is on a busy host, and the next round of --watch waits
 * for as much as PATIENT, while the lease has that much to spare: there an answer in time is dearer
 * than a round that is.
 */
#define TIMING_BUSY_MS    200
#define TIMING_PATIENT_MS 1250
/* The rest of a round, behind its questions. */
#define TIMING_AFTERWARDS_MS 100

/* An answer of the local server that is older than this is not acted on: we were stopped in
 * between. */
#define TIMING_STALE_MS 1500
/* After two missed rounds of check_primary --watch one is run for it; one that has answered nothing
 * for so long is ended and started anew. */
#define TIMING_WATCH_LATE_MS 2500
#define TIMING_WATCH_LOST_MS 4000
/* A primary that did not answer check_primary's question of three rounds is looked after. */
#define TIMING_CONTACT_LOST_MS 2500
/* keepalived calls check_answer each round; two may be late on a busy host, a third one means that
 * it is gone, or stands still. */
#define TIMING_CALLED_WITHIN_MS 3500
/* Two clocks, each 1 % fast or slow.  Those of real hosts are within 0.1 %. */
#define TIMING_DRIFT_PART 50
/* The guard has the priority of real time and its memory locked.  Longer stalls than that are for
 * the kernel's lease, and for the lease that the guard keeps ahead. */
#define TIMING_WAKE_LATE_MS 200
/* A withdrawal takes some 0.1 s, to begin to look through ssh 0.5 s. */
#define TIMING_WITHDRAWAL_MS 700
/* Time in which nobody looked at the standby says nothing of it. */
#define TIMING_GAP_MS 3000

_Static_assert(TIMING_BUDGET_MAX_MS < TIMING_ROUND_MS, "rounds do not overlap");
_Static_assert(TIMING_PATIENT_MS > TIMING_BUDGET_MAX_MS && TIMING_PATIENT_MS < TIMING_STALE_MS,
	       "who is patient waits for longer, and acts on what it was told");
_Static_assert(2 * TIMING_PATIENT_MS <= TIMING_WATCH_LATE_MS, "two patient rounds are not late");
_Static_assert(TIMING_STALE_MS > TIMING_BUDGET_MAX_MS, "an answer of this round is not stale");
_Static_assert(TIMING_WATCH_LATE_MS > TIMING_ROUND_MS + TIMING_BUDGET_MAX_MS,
	       "a round that takes all its time is not late");
_Static_assert(TIMING_WATCH_LOST_MS > TIMING_WATCH_LATE_MS + TIMING_BUDGET_MAX_MS,
	       "what was run in its place is over first");
_Static_assert(TIMING_CONTACT_LOST_MS > TIMING_ROUND_MS + TIMING_BUDGET_MAX_MS,
	       "one late answer is not a lost primary");
_Static_assert(TIMING_CALLED_WITHIN_MS > 3 * TIMING_ROUND_MS, "two rounds may be late");
_Static_assert(TIMING_GAP_MS > TIMING_ROUND_MS + TIMING_BUDGET_MAX_MS, "a late round is no gap");

#endif
