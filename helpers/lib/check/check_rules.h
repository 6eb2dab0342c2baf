/* SPDX-License-Identifier: PostgreSQL */
/* The rules of check_primary: pure, so that a test can try every combination of facts. */
#ifndef PGV_CHECK_RULES_H
#define PGV_CHECK_RULES_H

#include <stdbool.h>
#include <stdio.h>

#include "base/verdict.h"
#include "config/cfg.h"
#include "postgres/server.h"

/*
 * The amount that keepalived adds to the priority of both instances.  Just promoted is strictly
 * higher than settled, so that a frozen node that wakes and still believes in its mastership yields
 * (docs/safety.md).
 */
enum { PRIORITY_STANDBY = 0, PRIORITY_SETTLED = 50, PRIORITY_PROMOTED = 60, PRIORITY_SPAN = 90 };

struct check_facts {
	/* A server that refuses us, and is a primary by its control file, is one here. */
	enum server_state local;
	bool refuses;             /* it does: nothing else is known of it */
	enum fact right_version;  /* the server's major version is the configured one */
	enum fact right_data_dir; /* and its data directory; UNKNOWN is passed over: a role may not
				     see it */
	enum fact read_only;
	enum fact replay_paused;
	enum fact sync_on; /* synchronous_standby_names lists the other node */
	bool mode_sync;

	enum fact fenced;
	enum fact lease_runs;
	bool lease_known; /* there is a lease file of this boot: one was granted */
	/* Primary: it has had none for longer than the guard, which has been on duty in this boot,
	 * leaves one without. */
	bool lease_overdue;
	enum fact says_serving;
	enum fact leased; /* this directory is held to its lease (leased.h) */

	bool watchdog_missing; /* it is required, and this node has none */

	bool commits_wait;   /* for a standby that is lost (duty.h, unheard) */
	enum fact disk_full; /* of the server; what is not known says nothing */
	bool full_for_long;  /* for so long that it does not pass by itself */
	bool steps_down;     /* it is configured to, and has not done so since there was room */
	/* The standby voted in this round, streams, has all, and the record lets it take over. */
	bool standby_ready;

	enum fact record_theirs; /* the record gives the right to the other node */
	bool solo;               /* it says that only this node may serve */

	enum fact peer_votes;
	enum fact peer_is_primary;
	bool peer_other_system; /* the peer's server is of another cluster altogether */
	bool peer_not_older;    /* its timeline is ours or newer */
	/* The peer has voted for this server since that was started; asked only of a primary. */
	enum fact peer_followed;
};

/* Fills what the local server said. */
void check_facts_of(struct check_facts *f, const struct server *local, const struct cfg *cfg);

/* May this node be, or become, the one that serves? */
struct verdict check_decide(const struct check_facts *f);
/* --explain: each rule, and how it came out. */
void check_explain(const struct check_facts *f, FILE *out);

/*
 * May keepalived believe the serving file?  A no in it needs no proof, a yes needs the lease, and a
 * file that cannot be read is never believed; a fenced mark that cannot be read is borne until the
 * lease has ended.  Looks at fenced, lease_runs and says_serving only.
 */
struct verdict check_serving_decide(const struct check_facts *f);

/*
 * Must this node be fenced at once?  Two primaries have met and ours is neither the newer one nor
 * the one of which the record says that it serves; or the lease ran out and no guard has fenced us;
 * or the record gives the right to the other node.
 */
bool check_must_fence(const struct check_facts *f);

/*
 * Is this primary to leave serving to its standby, because its disk is full?  It is fenced as when
 * its lease has ended, so all that holds of that holds of it; nobody is promoted for it but by the
 * rules.
 */
bool check_steps_down(const struct check_facts *f);

/*
 * Must it be fenced for its lease alone, as the guard would have done had it run?  Such a mark says
 * only that somebody else might serve by now, and what proves that nobody does answers it
 * (rejoin_mark_answered).  After two primaries, or against the record, it takes a person.
 */
bool check_lease_ended(const struct check_facts *f);

#endif
