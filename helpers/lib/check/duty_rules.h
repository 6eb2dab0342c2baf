/* SPDX-License-Identifier: PostgreSQL */
/*
 * Decides what a primary does next for its record (docs/safety.md): pure, so that a test can try
 * every combination of facts.  Asked again after each step, until there is nothing more to do now.
 */
#ifndef PGV_DUTY_RULES_H
#define PGV_DUTY_RULES_H

#include <stdbool.h>
#include <stdio.h>

#include "base/outcome.h"
#include "record/record_trust.h"

struct duty_facts {
	enum record_trust trust;
	bool holder; /* of the row; this and the next three are valid when trust is RECORD_GOOD */
	bool paired;
	bool released;
	bool paused;
	bool renewed; /* in this run */

	bool starting; /* the server starts up: it may be renewed for, no more can be done */
	bool refuses;  /* it runs and refuses us: it can be told nothing, and nothing is known of it
			*/
	bool mode_sync;
	bool solo_stamp;        /* this node knows that the record says solo */
	enum fact by_right;     /* it serves by right: a lease or a grant runs, or solo */
	enum fact sync_on;      /* synchronous_standby_names is what paired needs */
	enum fact sync_settled; /* and every commit from now on waits (server_sync.h) */

	enum fact follows; /* the standby streams and makes progress, and has done so for a while */
	enum fact lost;    /* it has not for [replication] solo_after */
	enum fact too_far; /* async: it lags by more than max_lag */
	enum fact near;    /* async: by no more than half of it */
	bool targeted;     /* sync: the position that it must reach is remembered */
	enum fact reached; /* and reached */
};

enum duty_step {
	DUTY_NOTHING,
	DUTY_FENCE,   /* the other node holds the term */
	DUTY_CREATE,  /* write a new record */
	DUTY_RENEW,   /* say that we still serve */
	DUTY_GO_SOLO, /* in the record, also where it is so already, then the stamp */
	DUTY_UNSTAMP, /* the record says paired: what says otherwise goes first */
	DUTY_SYNC_OFF,
	DUTY_SYNC_ON,
	DUTY_TARGET, /* remember the position from which on every commit is synchronous */
	DUTY_PAIR,   /* take the stamp away, then the record */
	DUTY_STEPS
};

/* First rule that holds wins; the order is the safety argument. */
enum duty_step duty_decide(const struct duty_facts *f);

/* --explain: each rule and how it came out, and what follows. */
void duty_explain(const struct duty_facts *f, FILE *out);

const char *duty_word(enum duty_step step);

#endif
