/* SPDX-License-Identifier: PostgreSQL */
/*
 * The third part of the rules: a server that is down, or a running standby that cannot stream from
 * a primary that is there.
 */
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

/* A rewind that failed half-way, not one that was killed: its message is what matters, and what
 * it had found is not put back again and again. */
static bool half_spent(const struct rejoin_facts *f)
{
	return down(f) && f->rewinding == FACT_YES && f->rewound != FACT_YES &&
	       f->rewind_spent == FACT_YES;
}

static bool half_pause(const struct rejoin_facts *f)
{
	return down(f) && f->rewinding == FACT_YES && f->rewound != FACT_YES &&
	       f->pausing == FACT_YES;
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

/* As a standby it would wait, end or promote itself there. */
static bool target_set(const struct rejoin_facts *f)
{
	return start_standby(f) && f->target == FACT_YES;
}

static bool target_unknown(const struct rejoin_facts *f)
{
	return start_standby(f) && f->target != FACT_NO;
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

#define REWIND_STOPPED                                                                         \
	REFUSED("rewind-stopped",                                                              \
		"pg_rewind failed too often in the same way, it is not tried again by itself", \
		"\"rejoin\" by hand tries again; " REBUILD, .id = RULE_REWIND_STOPPED)
#define REWIND_PAUSE                                                                        \
	REFUSED("rewind-pause", "the rewind failed a moment ago, it is tried again later",  \
		"remove the cause that the detail names; \"rejoin\" by hand tries at once", \
		.id = RULE_REWIND_PAUSE)

static const struct rejoin_rule rules[] = {
	{ marks_unreadable, STEP_VERDICT,
	  UNKNOWN("marks-unreadable", "it cannot be told whether this node was fenced",
		  "is state_dir there, and is its file system mounted?") },
	{ control_unreadable, STEP_VERDICT,
	  UNKNOWN("control-unreadable", "the control file of the data directory cannot be read",
		  NULL) },
	{ rewound, STEP_ADOPT,
	  INCOMPLETE("rewound", "the data directory is rewound and not yet a standby", NULL) },
	{ half_spent, STEP_VERDICT, REWIND_STOPPED },
	{ half_pause, STEP_VERDICT, REWIND_PAUSE },
	{ undo, STEP_UNDO,
	  INCOMPLETE("undo", "pg_rewind was killed, and what it had found was kept", NULL) },
	{ rejoin_half_rewound, STEP_VERDICT,
	  REFUSED("half-rewound",
		  "pg_rewind has begun and was not seen to end, so the server may not start",
		  "it is run again when the other node answers as a primary; else " REBUILD) },
	{ target_set, STEP_VERDICT,
	  REFUSED("recovery-target",
		  "a recovery target is set, at which this standby would stop, end or promote "
		  "itself",
		  "remove the setting from that file, then \"rejoin\"",
		  .id = RULE_RECOVERY_TARGET) },
	{ target_unknown, STEP_VERDICT,
	  UNKNOWN("target-unknown",
		  "it could not be found out in time whether a recovery target is set for this "
		  "standby",
		  NULL) },
	{ start_standby, STEP_START,
	  INCOMPLETE("start-standby", "the data directory is a standby's and the server is down",
		     NULL) },
	{ cannot_rewind, STEP_VERDICT,
	  REFUSED("cannot-rewind",
		  "the histories diverged, and pg_rewind needs data checksums or "
		  "wal_log_hints, which this data directory was run without",
		  REBUILD) },
	{ rewind_spent, STEP_VERDICT, REWIND_STOPPED },
	{ rewind_pause, STEP_VERDICT, REWIND_PAUSE },
	{ rejoin_diverged, STEP_REWIND, INCOMPLETE("rewind", "the histories diverged", NULL) },
	{ ours_newer, STEP_VERDICT,
	  REFUSED("ours-newer",
		  "the other node is a primary on an older timeline than this node's data",
		  "which of them is to be kept is for a person to say; \"rejoin --rebuild "
		  "--discard=SYSTEM_IDENTIFIER\" gives up what is here") },
	{ same_timeline, STEP_VERDICT,
	  REFUSED("same-timeline",
		  "both nodes have a primary's data of the same timeline, which pg_rewind "
		  "cannot tell apart",
		  REBUILD) },
	{ unrelated, STEP_VERDICT,
	  REFUSED("unrelated",
		  "the histories of both nodes have nothing in common that pg_rewind could "
		  "start from",
		  REBUILD) },
	{ wal_gone, STEP_VERDICT,
	  REFUSED("wal-gone", "the primary has removed WAL that this standby has yet to get",
		  REBUILD) },
	{ standby, STEP_WAIT,
	  INCOMPLETE("not-streaming",
		     "the standby runs, but it does not stream from the primary yet",
		     "see the server's log: password, pg_hba.conf, WAL that was removed") },
	{ follows_on, STEP_FOLLOW,
	  INCOMPLETE("follow", "the other node's history holds everything that is here", NULL) },
	{ beside_primary, STEP_VERDICT,
	  UNKNOWN("history-unknown",
		  "it cannot be told whether the histories of both nodes diverged",
		  "the role needs the rights of \"cluster_config sql\" on the other node") },
};

RULES_PART(rejoin_rules_stopped, rules);
