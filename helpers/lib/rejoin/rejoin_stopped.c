/* SPDX-License-Identifier: PostgreSQL */
/*
 * The last part of the rules: a server that is down, or a running standby that cannot stream from
 * a primary that is there.
 */
#include "rejoin/rejoin_right.h"
#include "rejoin/rejoin_table.h"

#define REBUILD "\"rejoin --rebuild\" takes a new copy of the primary, and keeps the old one aside"

static bool standby(const struct rejoin_facts *f)
{
	return f->local == LOCAL_STANDBY;
}

static bool down(const struct rejoin_facts *f)
{
	return f->local == LOCAL_DOWN;
}

/* ---- both ---- */

static bool marks_unreadable(const struct rejoin_facts *f)
{
	return f->fenced == FACT_UNKNOWN || f->rewinding == FACT_UNKNOWN;
}

static bool control_unreadable(const struct rejoin_facts *f)
{
	return f->control != FACT_YES;
}

static bool rewound(const struct rejoin_facts *f)
{
	return down(f) && f->rewinding == FACT_YES && f->rewound == FACT_YES;
}

/* Also where the control file is the source's already, so that the histories no longer differ. */
static bool undo(const struct rejoin_facts *f)
{
	return down(f) && f->rewinding == FACT_YES && f->undoable == FACT_YES &&
	       f->peer == SERVER_PRIMARY && f->same_system == FACT_YES && f->pausing != FACT_YES;
}

/* pg_rewind needs a clean shutdown, which for a crashed standby takes a server that runs. */
static bool start_standby(const struct rejoin_facts *f)
{
	return f->rewinding == FACT_NO && f->form == PGDATA_STANDBY && down(f) &&
	       !(rejoin_diverged(f) && f->clean == FACT_YES);
}

static bool cannot_rewind(const struct rejoin_facts *f)
{
	return rejoin_diverged(f) && f->can_rewind != FACT_YES;
}

static bool rewind_spent(const struct rejoin_facts *f)
{
	return rejoin_diverged(f) && f->rewind_spent == FACT_YES;
}

static bool rewind_pause(const struct rejoin_facts *f)
{
	return rejoin_diverged(f) && f->pausing == FACT_YES;
}

/* ---- the other node is a primary ---- */

static bool wal_gone(const struct rejoin_facts *f)
{
	return standby(f) && f->peer == SERVER_PRIMARY && f->wal_gone == FACT_YES;
}

static bool beside_primary(const struct rejoin_facts *f)
{
	return f->peer == SERVER_PRIMARY;
}

static bool ours_newer(const struct rejoin_facts *f)
{
	return beside_primary(f) && f->past == PAST_OURS_NEWER;
}

static bool same_timeline(const struct rejoin_facts *f)
{
	return beside_primary(f) && f->past == PAST_SAME && down(f);
}

static bool unrelated(const struct rejoin_facts *f)
{
	return beside_primary(f) && f->past == PAST_UNRELATED;
}

static bool follows_on(const struct rejoin_facts *f)
{
	return beside_primary(f) && f->past == PAST_SHARED && f->same_system == FACT_YES && down(f);
}

/* ---- down, a primary's directory, and the other node is no primary ---- */

static bool by_operator(const struct rejoin_facts *f)
{
	return f->peer_down_by_operator && !f->no_resume && f->right != RIGHT_UNKNOWN &&
	       f->right != RIGHT_THEIRS && (f->peer == SERVER_UNKNOWN || f->peer == SERVER_DOWN);
}

/* What answers a mark: rejoin_mark_answered.  A person's word that the other node is switched off
 * answers any. */
static bool fenced(const struct rejoin_facts *f)
{
	bool answered = rejoin_mark_answered(f, f->fenced_by_guard, f->fenced_by_peer);

	return f->fenced != FACT_NO && !(f->fenced == FACT_YES && (answered || by_operator(f)));
}

static bool peer_takes_over(const struct rejoin_facts *f)
{
	return f->peer_withdrawn == FACT_YES && f->right != RIGHT_OURS_SOLO;
}

static bool peer_newer(const struct rejoin_facts *f)
{
	return f->past == PAST_DIVERGED || f->past == PAST_UNRELATED;
}

static bool peer_ahead(const struct rejoin_facts *f)
{
	return f->peer_ahead == FACT_YES;
}

static bool record_unknown(const struct rejoin_facts *f)
{
	return f->right == RIGHT_UNKNOWN;
}

static bool record_theirs(const struct rejoin_facts *f)
{
	return f->right == RIGHT_THEIRS;
}

/* With a record nothing else counts; before there is one, the standby's vote does. */
static bool entitled(const struct rejoin_facts *f)
{
	if (f->right == RIGHT_UNWRITTEN)
		return f->peer_votes == FACT_YES;
	if (f->right != RIGHT_UNUSED)
		return f->right == RIGHT_OURS || f->right == RIGHT_OURS_SOLO;
	return f->peer_votes == FACT_YES || f->lease_runs == FACT_YES;
}

static bool must_wait(const struct rejoin_facts *f)
{
	return entitled(f) && f->no_resume && f->right != RIGHT_OURS_SOLO;
}

static bool no_vote(const struct rejoin_facts *f)
{
	return f->peer == SERVER_STANDBY;
}

static bool always(const struct rejoin_facts *f)
{
	(void)f;
	return true;
}

const struct rejoin_rule rejoin_rules_stopped[] = {
	{ marks_unreadable,
	  STEP_VERDICT,
	  { .outcome = OUT_UNKNOWN,
	    .rule = "marks-unreadable",
	    .message = "it cannot be told whether this node was fenced",
	    .hint = "is state_dir there, and is its file system mounted?" } },
	{ control_unreadable,
	  STEP_VERDICT,
	  { .outcome = OUT_UNKNOWN,
	    .rule = "control-unreadable",
	    .message = "the control file of the data directory cannot be read" } },
	{ rewound,
	  STEP_ADOPT,
	  { .outcome = OUT_INCOMPLETE,
	    .rule = "rewound",
	    .message = "the data directory is rewound and not yet a standby" } },
	{ undo,
	  STEP_UNDO,
	  { .outcome = OUT_INCOMPLETE,
	    .rule = "undo",
	    .message = "pg_rewind was killed, and what it had found was kept" } },
	{ rejoin_half_rewound,
	  STEP_VERDICT,
	  { .outcome = OUT_REFUSED,
	    .rule = "half-rewound",
	    .message = "pg_rewind has begun and was not seen to end, so the server may not start",
	    .hint = "it is run again when the other node answers as a primary; else " REBUILD } },
	{ start_standby,
	  STEP_START,
	  { .outcome = OUT_INCOMPLETE,
	    .rule = "start-standby",
	    .message = "the data directory is a standby's and the server is down" } },
	{ cannot_rewind,
	  STEP_VERDICT,
	  { .outcome = OUT_REFUSED,
	    .rule = "cannot-rewind",
	    .message = "the histories diverged, and pg_rewind needs data checksums or "
		       "wal_log_hints, which this data directory was run without",
	    .hint = REBUILD } },
	{ rewind_spent,
	  STEP_VERDICT,
	  { .outcome = OUT_REFUSED,
	    .rule = "rewind-stopped",
	    .message = "pg_rewind failed too often in the same way, it is not tried again by "
		       "itself",
	    .hint = "\"rejoin\" by hand tries again; " REBUILD } },
	{ rewind_pause,
	  STEP_VERDICT,
	  { .outcome = OUT_REFUSED,
	    .rule = "rewind-pause",
	    .message = "the rewind failed a moment ago, it is tried again later",
	    .hint = "see the log; \"rejoin\" by hand tries at once" } },
	{ rejoin_diverged,
	  STEP_REWIND,
	  { .outcome = OUT_INCOMPLETE, .rule = "rewind", .message = "the histories diverged" } },
	{ ours_newer,
	  STEP_VERDICT,
	  { .outcome = OUT_REFUSED,
	    .rule = "ours-newer",
	    .message = "the other node is a primary on an older timeline than this node's data",
	    .hint = "which of them is to be kept is for a person to say; \"rejoin --rebuild "
		    "--discard=SYSTEM_IDENTIFIER\" gives up what is here" } },
	{ same_timeline,
	  STEP_VERDICT,
	  { .outcome = OUT_REFUSED,
	    .rule = "same-timeline",
	    .message = "both nodes have a primary's data of the same timeline, which pg_rewind "
		       "cannot tell apart",
	    .hint = REBUILD } },
	{ unrelated,
	  STEP_VERDICT,
	  { .outcome = OUT_REFUSED,
	    .rule = "unrelated",
	    .message = "the histories of both nodes have nothing in common that pg_rewind could "
		       "start from",
	    .hint = REBUILD } },
	{ wal_gone,
	  STEP_VERDICT,
	  { .outcome = OUT_REFUSED,
	    .rule = "wal-gone",
	    .message = "the primary has removed WAL that this standby has yet to get",
	    .hint = REBUILD } },
	{ standby,
	  STEP_WAIT,
	  { .outcome = OUT_INCOMPLETE,
	    .rule = "not-streaming",
	    .message = "the standby runs, but it does not stream from the primary yet",
	    .hint = "see the server's log: password, pg_hba.conf, WAL that was removed" } },
	{ follows_on,
	  STEP_FOLLOW,
	  { .outcome = OUT_INCOMPLETE,
	    .rule = "follow",
	    .message = "the other node's history holds everything that is here" } },
	{ beside_primary,
	  STEP_VERDICT,
	  { .outcome = OUT_UNKNOWN,
	    .rule = "history-unknown",
	    .message = "it cannot be told whether the histories of both nodes diverged",
	    .hint = "the role needs the rights of \"cluster_config sql\" on the other node" } },
	{ fenced,
	  STEP_VERDICT,
	  { .outcome = OUT_REFUSED,
	    .rule = "fenced",
	    .message = "this node was fenced, and no primary answers that it could follow",
	    .hint = "it comes back as a standby when the other node answers as a primary" } },
	{ record_unknown,
	  STEP_VERDICT,
	  { .outcome = OUT_REFUSED,
	    .rule = "record-unknown",
	    .message = "the witness does not say that this node may start as a primary: its record "
		       "cannot be read, or is not to be trusted",
	    .hint = "\"witness_record\" says what is the matter with it" } },
	{ record_theirs,
	  STEP_VERDICT,
	  { .outcome = OUT_REFUSED,
	    .rule = "record-theirs",
	    .message = "the record at the witness gives the right to serve to the other node",
	    .hint = "start that one; this node comes back as its standby" } },
	{ peer_takes_over,
	  STEP_VERDICT,
	  { .outcome = OUT_REFUSED,
	    .rule = "takeover-under-way",
	    .message = "the other node has withdrawn its vote and is about to take over" } },
	{ peer_newer,
	  STEP_VERDICT,
	  { .outcome = OUT_REFUSED,
	    .rule = "peer-newer",
	    .message = "the other node is on a newer timeline, though it is no primary",
	    .hint = "\"promote_safe --by-hand\" there, if its data is to be kept" } },
	{ peer_ahead,
	  STEP_VERDICT,
	  { .outcome = OUT_REFUSED,
	    .rule = "peer-ahead",
	    .message = "the other node has WAL of this timeline that is not here",
	    .hint = "was an older state restored here? \"promote_safe --by-hand\" there" } },
	{ must_wait,
	  STEP_VERDICT,
	  { .outcome = OUT_REFUSED,
	    .rule = "restart-wait",
	    .message = "the primary may start again, but gives its standby time to take over" } },
	{ entitled,
	  STEP_RESUME,
	  { .outcome = OUT_INCOMPLETE,
	    .rule = "resume",
	    .message = "the other node votes for this one, its lease never ran out, or it holds "
		       "the term of the record" } },
	{ by_operator,
	  STEP_RESUME,
	  { .outcome = OUT_INCOMPLETE,
	    .rule = "resume-by-operator",
	    .message = "a person said that the other node is switched off" } },
	{ no_vote,
	  STEP_VERDICT,
	  { .outcome = OUT_REFUSED,
	    .rule = "no-vote",
	    .message = "the other node is a standby, but does not follow this one",
	    .hint = "\"rejoin\" there makes it follow" } },
	{ always,
	  STEP_VERDICT,
	  { .outcome = OUT_REFUSED,
	    .rule = "nobody-answers",
	    .message = "nothing gives this node the right to start as a primary: the other node "
		       "does not answer, and there is no lease",
	    .hint = "start the other node, or look at it: if it is switched off, \"rejoin "
		    "--assume-peer-down=NODE\"" } },
	{ 0 },
};
