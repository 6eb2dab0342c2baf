/* SPDX-License-Identifier: PostgreSQL */
/*
 * The part of the rules that takes a new copy of the primary where nothing else brings this node
 * back.  By itself only where that cannot discard the only copy of anything that was committed:
 * beside a primary of the same system whose history holds ours up to where ours ends or forked, and
 * which holds the term where there is a record.
 */
#include "rejoin/rejoin_table.h"

static bool idle(const struct rejoin_facts *f)
{
	return f->local == LOCAL_DOWN ||
	       (f->local == LOCAL_STANDBY && f->promoting == FACT_NO && f->streaming != FACT_YES);
}

bool rejoin_diverged(const struct rejoin_facts *f)
{
	return f->peer == SERVER_PRIMARY && f->same_system == FACT_YES && f->past == PAST_DIVERGED;
}

bool rejoin_half_rewound(const struct rejoin_facts *f)
{
	return f->rewinding == FACT_YES && !rejoin_diverged(f);
}

/* ---- by hand ---- */

/* --rebuild is enough where both are of one system; where more may be lost, its name is
 * asked for. */
static bool knows(const struct rejoin_facts *f)
{
	bool related =
	    f->same_system == FACT_YES && (f->past == PAST_SHARED || f->past == PAST_DIVERGED ||
					   f->past == PAST_SAME || f->past == PAST_UNRELATED);

	return related || f->discard || f->form == PGDATA_MISSING;
}

bool rejoin_copy_by_hand(const struct rejoin_facts *f)
{
	bool here =
	    f->local == LOCAL_DOWN || (f->local == LOCAL_STANDBY && f->promoting == FACT_NO);

	return f->copy_by_hand && here && f->peer == SERVER_PRIMARY && knows(f) &&
	       f->form != PGDATA_UNKNOWN && f->form != PGDATA_RECOVERY;
}

static bool asked_too_little(const struct rejoin_facts *f)
{
	return f->copy_by_hand && f->peer == SERVER_PRIMARY;
}

static bool asked_of_nobody(const struct rejoin_facts *f)
{
	return f->copy_by_hand;
}

/* ---- by itself ---- */

static bool lost_for_rewind(const struct rejoin_facts *f)
{
	if (rejoin_half_rewound(f))
		return f->local == LOCAL_DOWN && f->rewound == FACT_NO && f->undoable == FACT_NO;
	return rejoin_diverged(f) && (f->can_rewind == FACT_NO || f->rewind_spent == FACT_YES);
}

bool rejoin_needs_copy(const struct rejoin_facts *f)
{
	bool shared = f->past == PAST_SHARED || f->past == PAST_DIVERGED;
	bool needed = lost_for_rewind(f) || (f->local == LOCAL_STANDBY && f->wal_gone == FACT_YES);

	return needed && shared && idle(f) && f->peer == SERVER_PRIMARY &&
	       f->same_system == FACT_YES && f->rewinding != FACT_UNKNOWN &&
	       f->fenced != FACT_UNKNOWN && f->control == FACT_YES && f->copy_by_itself &&
	       (f->form == PGDATA_PRIMARY || f->form == PGDATA_STANDBY);
}

static bool entitled(const struct rejoin_facts *f)
{
	return rejoin_needs_copy(f) && (f->right == RIGHT_UNUSED || f->right == RIGHT_THEIRS);
}

static bool spent(const struct rejoin_facts *f)
{
	return entitled(f) && f->copy_spent == FACT_YES;
}

static bool pausing(const struct rejoin_facts *f)
{
	return entitled(f) && f->copy_pausing == FACT_YES;
}

static const struct rejoin_rule rules[] = {
	{ asked_too_little, STEP_VERDICT,
	  REFUSED("rebuild-discard",
		  "it is not known that the primary's history continues what is in this data "
		  "directory, which may hold the only copy of committed data",
		  "if it is not wanted any more, name it: \"rejoin --rebuild "
		  "--discard=SYSTEM_IDENTIFIER\" (pg_controldata shows it)") },
	{ asked_of_nobody, STEP_VERDICT,
	  REFUSED("rebuild-source",
		  "the other node does not answer as a primary that a copy could be taken of",
		  "start it, or make it the primary, first") },
	{ spent, STEP_VERDICT,
	  REFUSED("rebuild-stopped",
		  "taking a new copy failed too often in the same way, it is not tried again "
		  "by itself",
		  "remove the cause, then \"rejoin\" by hand", .id = RULE_REBUILD_STOPPED) },
	{ pausing, STEP_VERDICT,
	  REFUSED("rebuild-pause", "taking a new copy failed a moment ago, it is tried again later",
		  "see the log; \"rejoin\" by hand tries at once", .id = RULE_REBUILD_PAUSE) },
	{ entitled, STEP_REBUILD,
	  INCOMPLETE("rebuild", "only a new copy of the primary brings this node back", NULL) },
};

RULES_PART(rejoin_rules_copy, rules);
