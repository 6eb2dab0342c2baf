/* SPDX-License-Identifier: PostgreSQL */
/*
 * For record.pml: a witness that loses the record (EMPTIED), or is restored from a backup, once
 * (RESTORED); and one that never had any (FOUND).  Then a node believes it unless it remembers a newer one.
 */
#if defined(EMPTIED) || defined(RESTORED) || defined(FOUND)
#define LOSSES
bit present = 1;
bit kept;          /* there is a backup, */
bit kept_holder;   /* which says */
bit kept_paired;
bit kept_released;
bit moved;    /* the record says something else since then, or did */
bit newer[2]; /* this node remembers that */
bit older_row; /* the record is that backup */

#ifdef BACKWARDS_BELIEVED
#define good(n) present
#else
#define good(n) (present && !(older_row && newer[n]))
#endif

/* The row is one that this node wrote, or sees. */
#define learn(n)   newer[n] = (newer[n] || (kept && moved))
#define changed(n) moved = kept; learn(n)

#ifdef CREATED_WITHOUT_VOTE
#define may_create(p) true
#else
#define may_create(p) votes(p)
#endif

/* What a node that has seen nothing newer cannot know, it cannot refuse. */
#ifdef NOBODY_SAW_THE_NEWER
#define may_restore true
#else
#define may_restore (!moved || (newer[0] && newer[1]))
#endif

inline take_over(n)
{
	present = 1;
	older_row = 0;
	newer[0] = (kept && newer[0]);
	newer[1] = (kept && newer[1]);
	holder = n;
	paired = 0;
	released = 0;
	changed(n)
}

inline vote_starts(n)
{
#ifdef ABSENT_STARTS_BY_VOTE
	start[n] = RESUMED;
	worth[n] = TTL
#else
	start[n] = RESUMES;
	wire[n] = wire[n] | CREATE
#endif
}

#ifdef EMPTIED
inline say_nothing()
{
	present = 0;
	holder = 0;
	paired = 0;
	released = 0;
	older_row = 0;
	moved = kept;
	newer[0] = (kept && newer[0]);
	newer[1] = (kept && newer[1]);
	written()
}
#endif

#if defined(EMPTIED) || defined(RESTORED)
active proctype witness()
{
	do
#ifdef EMPTIED
	:: d_step { present -> say_nothing(); printf("-- the witness is emptied\n") }
#endif
#ifdef RESTORED
	:: d_step { present && !kept && !older_row ->
		kept = 1; kept_holder = holder; kept_paired = paired; kept_released = released;
		moved = 0; newer[0] = 0; newer[1] = 0; printf("-- a backup of the witness\n") }
	:: d_step { kept && may_restore ->
		present = 1; holder = kept_holder; paired = kept_paired; released = kept_released;
		older_row = moved;
		newer[0] = (newer[0] && moved); newer[1] = (newer[1] && moved); moved = 0;
		kept = 0; kept_holder = 0; kept_paired = 0; kept_released = 0;
		written(); printf("-- the witness is restored\n") }
#endif
	od
}
#endif

#else

#define present    true
#define good(n)    true
#define learn(n)   skip
#define changed(n) skip

inline take_over(n)
{
	holder = n;
	paired = 0;
	released = 0
}

#endif
