/* SPDX-License-Identifier: PostgreSQL */
/*
 * The rules by which somebody decides what comes after the verdict.  The word of a rule is for
 * people and for what watches the log; no code decides by it, because a word that was misspelt in
 * one of two places would be a rule that never holds.  scripts/docs-sync checks that word and id
 * agree, and that each verdict of that word in a program has the id.
 */
#ifndef PGV_RULE_ID_H
#define PGV_RULE_ID_H

enum rule_id {
	RULE_PLAIN = 0,       /* any other: it is only told */
	RULE_ALREADY_RUNNING, /* another run holds the lock: this one is not noted as an attempt */

	/* ---- check_primary ---- */
	RULE_STANDBY,       /* monitoring limits its lag, which a primary has none of */
	RULE_FENCE_UNKNOWN, /* the detail is the reason of the fence, as of the next one */
	RULE_FENCED,
	RULE_UNPAIRED,            /* what the standby lacks */
	RULE_SERVES_COMMITS_WAIT, /* what is wrong in which file */

	/* ---- promote_safe ---- */
	RULE_ALREADY_PRIMARY,  /* the service is taken, should that have been left undone */
	RULE_PEER_STARTING,    /* passes soon: looked at again in the same run */
	RULE_PROMOTED,         /* goes into the history, and is told each time */
	RULE_UNWRITABLE,       /* the detail: where it cannot be written */
	RULE_RECORD_UNTRUSTED, /* the hint is that of the record's trust */
	RULE_WITNESS_UNSEEN,   /* with a record it is told in the words of the record */

	/* ---- fence_old ---- */
	RULE_METHOD_BROKEN, /* a no to whether this node could fence, though it is a refusal */

	/* ---- fence_self ---- */
	RULE_HARMLESS, /* the watchdog of a guard that is gone may be let go */

	/* ---- rejoin ---- */
	RULE_RESUMED,          /* told each time */
	RULE_REWIND_STOPPED,   /* the detail: how the tries to rewind failed */
	RULE_REWIND_PAUSE,     /* the same */
	RULE_REBUILD_STOPPED,  /* the detail: how the tries to take a new copy failed */
	RULE_REBUILD_PAUSE,    /* the same */
	RULE_RECOVERY_TARGET,  /* the detail: where the target is set */
	RULE_REPLAY_AT_TARGET, /* the same */
	RULE_REBUILD_SPACE,    /* older directories may give way to the new copy */

	/* ---- switchover ---- */
	RULE_NO_SUCCESSOR, /* the detail: why the standby could not take over */

	/* ---- witness_record ---- */
	RULE_ALREADY_RELEASED, /* after a write without an answer: it was made */
	RULE_NOT_PAUSED,       /* the same */
	RULE_RELEASED,         /* told each time */
};

#endif
