/* SPDX-License-Identifier: PostgreSQL */
#include "rejoin_asserts.h"

#include <stddef.h>

static bool holds_term(const struct rejoin_facts *f)
{
	return f->right == RIGHT_OURS || f->right == RIGHT_OURS_SOLO;
}

/* Somebody who can know said that nobody else serves: the record, or the standby where there is
 * none, or the lease that this node never lost and nobody else keeps count of. */
static bool is_entitled(const struct rejoin_facts *f)
{
	bool unheard = f->right == RIGHT_UNUSED || f->right == RIGHT_UNWRITTEN;

	return holds_term(f) || (unheard && f->peer_votes == FACT_YES) ||
	       (f->right == RIGHT_UNUSED && f->lease_runs == FACT_YES);
}

/* A person's word about the other host, where no record speaks against it. */
static bool has_a_word(const struct rejoin_facts *f)
{
	return f->peer_down_by_operator && !f->no_resume &&
	       (f->peer == SERVER_UNKNOWN || f->peer == SERVER_DOWN) &&
	       (holds_term(f) || f->right == RIGHT_UNUSED || f->right == RIGHT_UNWRITTEN);
}

/*
 * The guard's mark says that somebody else might serve by now: whoever knows better answers it, but
 * not the lease.  The other node's mark says that it was about to take over: only a record by which
 * it may not answers it.  A person's is answered by a person, who needs the same proof; and of who
 * holds the term, a person lifts any.
 */
bool rejoin_fence_is_answered(const struct rejoin_facts *f, enum fenced_by by)
{
	bool unheard = f->right == RIGHT_UNUSED || f->right == RIGHT_UNWRITTEN;
	bool voted = unheard && f->peer_votes == FACT_YES;

	switch (by) {
	case FENCED_BY_GUARD:
		return holds_term(f) || voted;
	case FENCED_BY_OPERATOR:
		return f->lift && (holds_term(f) || voted);
	case FENCED_BY_PEER:
		return f->right == RIGHT_OURS_SOLO || (f->lift && holds_term(f));
	case FENCED_BY_UNKNOWN:
		break;
	}
	return f->lift && holds_term(f);
}

bool rejoin_may_start_as_primary(const struct rejoin_facts *f)
{
	bool alone = f->right == RIGHT_OURS_SOLO;
	bool fence =
	    f->fenced == FACT_NO ||
	    (f->fenced == FACT_YES && (has_a_word(f) || rejoin_fence_is_answered(f, f->fenced_by)));
	bool directory = f->local == LOCAL_DOWN && f->form == PGDATA_PRIMARY &&
			 f->right_version == FACT_YES && f->control == FACT_YES &&
			 f->rewinding == FACT_NO;
	bool history = f->same_system != FACT_NO && f->peer != SERVER_PRIMARY &&
		       f->peer_ahead != FACT_YES && f->past != PAST_DIVERGED &&
		       f->past != PAST_UNRELATED;
	/* A standby that may take over, and is about to, or is given the time to. */
	bool others_turn = !alone && (f->peer_withdrawn == FACT_YES || f->no_resume);

	/* Who asks for a new copy of the other node does not ask for a primary here. */
	return !f->copy_by_hand && directory && fence && history && !others_turn &&
	       !f->watchdog_missing && (is_entitled(f) || has_a_word(f));
}

static bool may_rewind(const struct rejoin_facts *f)
{
	return (f->local == LOCAL_DOWN || f->local == LOCAL_STANDBY) &&
	       f->form != PGDATA_RECOVERY && f->right_version == FACT_YES &&
	       f->control == FACT_YES && f->peer == SERVER_PRIMARY && f->same_system == FACT_YES &&
	       f->past == PAST_DIVERGED && f->can_rewind == FACT_YES && f->pausing != FACT_YES &&
	       f->rewinding != FACT_UNKNOWN && f->rewind_spent != FACT_YES && !f->copy_by_hand &&
	       (f->local != LOCAL_STANDBY || f->streaming != FACT_YES);
}

/* The primary's history holds all of ours, or all of it up to the fork. */
static bool ours_goes_on_there(const struct rejoin_facts *f)
{
	return f->same_system == FACT_YES && (f->past == PAST_SHARED || f->past == PAST_DIVERGED);
}

/* By itself, this never discards what may be the only copy; a person may, of one system, and of
 * anything that he names. */
static bool may_rebuild(const struct rejoin_facts *f)
{
	bool idle =
	    f->local == LOCAL_DOWN || (f->local == LOCAL_STANDBY && f->promoting == FACT_NO);
	bool theirs = f->right == RIGHT_UNUSED || f->right == RIGHT_THEIRS;
	bool nothing_else =
	    (f->local == LOCAL_STANDBY && f->wal_gone == FACT_YES && f->streaming != FACT_YES) ||
	    (f->past == PAST_DIVERGED &&
	     (f->can_rewind == FACT_NO || f->rewind_spent == FACT_YES)) ||
	    (f->local == LOCAL_DOWN && f->rewinding == FACT_YES && f->undoable == FACT_NO &&
	     f->rewound == FACT_NO);
	bool by_itself = f->copy_by_itself && theirs && ours_goes_on_there(f) && nothing_else &&
			 f->copy_spent != FACT_YES && f->copy_pausing != FACT_YES &&
			 f->fenced != FACT_UNKNOWN && f->rewinding != FACT_UNKNOWN &&
			 f->control == FACT_YES && f->right_version == FACT_YES;
	bool word =
	    f->copy_by_hand &&
	    (ours_goes_on_there(f) || f->discard || f->form == PGDATA_MISSING ||
	     (f->same_system == FACT_YES && (f->past == PAST_SAME || f->past == PAST_UNRELATED)));

	return idle && f->peer == SERVER_PRIMARY && f->form != PGDATA_UNKNOWN &&
	       f->form != PGDATA_RECOVERY && (word || by_itself);
}

bool rejoin_may_do(const struct rejoin_facts *f, enum rejoin_step step)
{
	bool down = f->local == LOCAL_DOWN && f->right_version == FACT_YES;

	switch (step) {
	case STEP_RESUME:
		return rejoin_may_start_as_primary(f);
	case STEP_REWIND:
		return may_rewind(f);
	case STEP_START:
		return down && f->form == PGDATA_STANDBY && f->rewinding == FACT_NO &&
		       f->target == FACT_NO;
	case STEP_FOLLOW:
		return down && f->rewinding == FACT_NO && f->peer == SERVER_PRIMARY &&
		       f->same_system == FACT_YES && f->past == PAST_SHARED;
	case STEP_UNDO:
		return down && f->rewinding == FACT_YES && f->undoable == FACT_YES &&
		       f->rewound != FACT_YES && f->peer == SERVER_PRIMARY &&
		       f->same_system == FACT_YES && f->pausing != FACT_YES;
	case STEP_ADOPT:
		return down && f->rewinding == FACT_YES && f->rewound == FACT_YES &&
		       f->same_system != FACT_NO;
	case STEP_LIFT: /* what the other node relies on is its mark, where no row is compared */
		return f->local == LOCAL_STANDBY && f->fenced == FACT_YES &&
		       ((f->peer_down_by_operator &&
			 (f->peer == SERVER_UNKNOWN || f->peer == SERVER_DOWN)) ||
			(f->lift && (f->keeps_record || f->fenced_by == FENCED_BY_GUARD ||
				     f->fenced_by == FENCED_BY_OPERATOR)));
	case STEP_FINISH:
		return f->local == LOCAL_STANDBY && f->streaming == FACT_YES &&
		       f->promoting == FACT_NO &&
		       !(f->replay_paused == FACT_YES && f->target == FACT_YES);
	case STEP_RESTORE:
		return f->local == LOCAL_STANDBY && f->promoting == FACT_NO &&
		       (f->withdrawn == FACT_YES || f->follows == FACT_NO);
	case STEP_CLEAR:
		return f->local == LOCAL_ORPHANS;
	case STEP_WAIT:
		return f->local == LOCAL_STARTING || f->local == LOCAL_STANDBY;
	case STEP_REBUILD:
		return may_rebuild(f);
	case STEP_SWAP:
		return f->local == LOCAL_DOWN && f->form == PGDATA_MISSING &&
		       f->swapping == FACT_YES;
	case STEP_VERDICT:
		return true;
	case STEPS:
		break;
	}
	return false;
}

/* A verdict says yes only of a server that runs, and not of a fenced one. */
bool rejoin_says_rightly(const struct rejoin_facts *f, enum rejoin_step step,
			 const struct verdict *verdict)
{
	if (verdict->outcome == OUT_BUG || verdict->rule == NULL || verdict->message == NULL)
		return false;
	if (step != STEP_VERDICT || verdict->outcome != OUT_YES)
		return true;
	return (f->local == LOCAL_PRIMARY || f->local == LOCAL_STANDBY) && f->fenced == FACT_NO;
}
