/* SPDX-License-Identifier: PostgreSQL */
/* Is all well with the cluster?  Pure, so that a test can try the combinations. */
#ifndef PGV_STATUS_RULES_H
#define PGV_STATUS_RULES_H

#include <stdbool.h>
#include <stdio.h>

#include "base/verdict.h"
#include "postgres/server.h"

/* The owner of the virtual address. */
enum status_vip {
	VIP_UNKNOWN = 0,
	VIP_HERE,
	VIP_PEER,
	VIP_ELSEWHERE, /* a third host, or one of the nodes that ought not to */
	VIP_NOBODY,
	VIP_WHERES
};

struct status_facts {
	enum server_state local;
	enum server_state peer;
	bool only_late; /* whichever of them is unknown took the connection, and did not answer in
			   time */
	bool more_late; /* neither is, but not all that was asked further was answered in time */
	bool witness_late; /* the same of the witness's server, which is unknown for it */
	enum fact same_system;
	enum fact read_only; /* the primary, by default_transaction_read_only */
	/* the standby */
	enum fact withdrawn;
	enum fact streaming;
	enum fact vanishes; /* it is connected, and what is sent does not arrive; asked only of one
			       that lags or does not stream */
	enum fact replay_paused;
	enum fact fresh;       /* it lags by no more than max_lag */
	enum fact rights;      /* of our role: it lacks none that a takeover needs */
	enum fact own_connect; /* and CONNECT is its own, not only everybody's */
	enum fact undelayed;   /* it replays at once: recovery_min_apply_delay is not set */
	enum fact reloads;     /* both servers take one: no configuration file has an error */
	enum fact paused;      /* an operator wants no takeover */
	/* mode = sync */
	bool mode_sync;
	bool commits_wait;     /* for no standby: solo, and no reload turns that off */
	enum fact sync_held;   /* the primary waits for it */
	enum fact sync_bypass; /* some role, database or the server does not */
	enum fact sync_late;   /* of either server: just started it does not wait yet */
	/* this node */
	enum fact writable;    /* the server's user can write what a promotion has to */
	enum fact signal_file; /* standby.signal or recovery.signal lies beside this primary */
	enum fact disk_full;   /* the server's; less than a WAL segment is free */
	enum fact fenced;
	enum fact lease_runs;
	enum fact leased; /* the primary is held to its lease, by what this node knows */
	enum fact says_serving;
	enum fact keepalived;
	enum fact guard;
	enum fact kernel_lease; /* the kernel enforces it, or is not asked to */
	enum fact watchdog;     /* it is there, or not required */
	enum fact could_fence;  /* every way of fencing works, by its last test */
	enum fact could_return; /* it lacks nothing that pg_rewind would need, by its last look */

	/* the record at the witness; all are of no meaning without one */
	bool has_record;
	enum fact record_trusted;
	enum fact record_names_primary; /* the primary is its holder */
	enum fact record_paired;        /* the standby may take over */

	/* replication slots; of no meaning unless they are wanted, but the last */
	bool slots_wanted;
	enum fact slots_bounded; /* max_slot_wal_keep_size is set wherever that was asked */
	enum fact slot_used;     /* the standby streams with its slot */
	enum fact slot_holds;    /* which holds WAL for it */
	enum fact slots_near;    /* some slot is close to its bound, or beyond it */

	enum fact witness;
	enum status_vip vip;
};

/* YES: all is well.  NO: something is wrong, for certain.  UNKNOWN: nothing is known to be wrong,
 * but not everything is known. */
struct verdict status_decide(const struct status_facts *f);
/* --explain: each rule, and how it came out. */
void status_explain(const struct status_facts *f, FILE *out);

/* Of a pair, one the primary and the other its standby: is all known that the rules look at? */
bool status_all_known(const struct status_facts *f);

#endif
