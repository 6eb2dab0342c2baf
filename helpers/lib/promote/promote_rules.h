/* SPDX-License-Identifier: PostgreSQL */
/*
 * The rules of promote_safe: pure.  The same rules are asked again and again while it goes on; each
 * answer is either a verdict or the next step.
 */
#ifndef PGV_PROMOTE_RULES_H
#define PGV_PROMOTE_RULES_H

#include <stdbool.h>
#include <stdio.h>

#include "base/verdict.h"
#include "fence/fence.h"
#include "postgres/server.h"
#include "record/record_trust.h"

struct promote_facts {
	enum server_state local;
	enum fact fenced;
	bool paused; /* an operator wants no takeover: by the record, or by this node's promise */
	enum fact replay_paused;
	enum fact rights;          /* the role lacks none that a takeover needs */
	bool watchdog_missing;     /* it is required, and could not be armed here */
	enum fact peer_is_primary; /* it answered so; NO: it answered otherwise; UNKNOWN: silent or
				      down */
	enum fact peer_is_standby;
	enum fact peer_is_starting; /* it answered that it starts up or shuts down */
	bool peer_refuses;          /* it lives, and lets us not in */
	enum fact keepalived_alive;
	enum fact election_master;
	enum fact witness_seen;
	enum fact fresh_enough; /* lag and staleness within [replication]; YES in sync mode */
	/* The old primary was not seen to be held to its lease (leased.h); of no meaning with a
	 * record, which says "paired" only of one that is. */
	bool peer_unleased;
	enum fact withdrawn; /* our vote, verified in a new connection */
	enum fact waited;    /* lease + margin since the vote was withdrawn */
	enum fence_verdict fence;
	bool fence_over;           /* no way of fencing is still under way */
	bool power_left;           /* its host could be switched off, and nobody has tried yet */
	enum fact no_sign_of_life; /* by any probe, after the wait */
	enum fact replayed; /* all that was received is replayed, and restore_command not at work */
	/* Obstacles that a promotion would wait for without an end; the first three beside
	 * replayed only. */
	bool delayed;       /* recovery_min_apply_delay is set */
	bool held;          /* sessions of this standby hold up replay */
	bool restoring;     /* restore_command is at work */
	bool restore_hangs; /* and does not end: it was tried */
	bool unwritable;    /* the server's user cannot write a new segment of WAL here */

	/* with a witness that keeps a record; else has_record is false and the rest is not looked
	 * at */
	bool has_record;
	enum record_trust trust;
	bool record_ours;   /* this node holds the term: a takeover whose end was not seen */
	bool record_paired; /* the other one does, and this one may take over */
	bool behind; /* async: it is known to lack more than max_lag, whatever the record says */
	bool record_released;   /* and says that it does not serve */
	enum fact record_still; /* nobody wrote it for lease + margin */
	bool record_renewed;    /* it was renewed since the vote was withdrawn, and not just once */
	bool accepted;          /* --accept-loss names what this standby has received */
	bool override;          /* an operator's --assume-peer-down with --accept-loss */

	bool unproven_promote;      /* [fencing] unproven = promote */
	bool peer_down_by_operator; /* --assume-peer-down: a person has looked */
	bool by_hand;               /* an operator runs it: VRRP may say what it likes */
};

enum promote_step {
	STEP_VERDICT = 0, /* over */
	STEP_WITHDRAW,    /* withdraw the vote */
	STEP_WAIT,        /* for the lease of the old primary, for fencing, for replay */
	STEP_POWER,       /* switch the old primary's host off */
	STEP_PROBE,       /* look for any sign of life */
	STEP_CLEAR,       /* end the sessions that hold up replay */
	STEP_PROMOTE,     /* every rule permits */
};

/* First rule that holds wins.  *verdict is filled for STEP_VERDICT, and says what is waited for
 * else. */
enum promote_step promote_decide(const struct promote_facts *f, struct verdict *verdict);

/* Prints every rule and how it came out. */
void promote_explain(const struct promote_facts *f, FILE *out);

#endif
