/* SPDX-License-Identifier: PostgreSQL */
/*
 * Decides what the guard does next, as a pure function of what it knows (docs/safety.md).  Times
 * are CLOCK_BOOTTIME milliseconds.
 */
#ifndef PGV_GUARD_RULES_H
#define PGV_GUARD_RULES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/outcome.h"
#include "guard/lease.h"
#include "net/nftlease.h"

enum guard_server {
	GUARD_SERVER_UNKNOWN = 0, /* its processes or its directory cannot be read */
	GUARD_SERVER_DOWN,
	GUARD_SERVER_PRIMARY, /* a postmaster runs, and is none of the below (pgdata_running) */
	GUARD_SERVER_STANDBY, /* its own pg_control says so too */
};

struct guard_facts {
	int64_t now;
	enum guard_server server;
	enum fact fenced; /* the mark */
	struct lease lease;
	int64_t
	    unentitled_since; /* a primary without a right to serve was first seen then; 0: no */
	bool spared; /* a primary that was there before the guard, and was never given a right */
	bool died_as_primary;  /* the server ended while it was one, and has not been dealt with */
	bool handed_over;      /* its end was a switchover's, which goes on from there */
	bool back_in_recovery; /* primary: its server was in production, and is in recovery now */
	int64_t
	    last_contact_ms; /* standby: when the primary last answered; 0: never in this boot */
	int64_t
	    last_streaming_ms; /* standby: when it last streamed from it; 0: never in this boot */
	int64_t standby_since_ms; /* standby: since when it has been one, by our eyes */
	bool vote_left; /* standby: its vote is withdrawn and no promote_safe is at work */
	bool promoting; /* standby: it may become a primary at any moment, or nobody knows */
	bool auto_start;

	/* from the configuration */
	int64_t lease_ms;
	int64_t fence_time_ms;
	int64_t contact_lost_ms; /* a primary silent for longer is looked after */
};

enum guard_act {
	GUARD_NOTHING = 0,
	GUARD_FENCE_LEASE,      /* the lease is about to end: harmless, and stay down */
	GUARD_FENCE_UNENTITLED, /* a primary that nobody gave a right: harmless, and stay down */
	GUARD_FENCE_AGAIN,      /* fenced, and yet a primary runs: somebody started it by hand */
	GUARD_END,        /* a primary that is none any more: the next server is looked at anew */
	GUARD_CLEAR_UP,   /* it died as a primary: VIP away, election away, orphans ended */
	GUARD_START,      /* down, or not to be seen: rejoin --auto may bring it back */
	GUARD_LOOK_AFTER, /* standby without a primary: promote_safe --auto decides */
	GUARD_ACTS
};

/* First rule that holds wins; the order is the safety argument. */
enum guard_act guard_decide(const struct guard_facts *facts);

/*
 * Is this running standby to be led back by rejoin?  It is still fenced (a rejoin was killed before
 * it was done), or the primary answers and yet it has not streamed for a while: its history may
 * have diverged.
 */
bool guard_standby_is_lost(const struct guard_facts *facts);

/*
 * Does this node stand for the election?  While a server runs here and nobody fenced it; a fenced
 * mark that cannot be read is borne on a primary until its lease has ended.
 */
bool guard_stands(const struct guard_facts *facts);

/*
 * Whom the kernel lets in: on a primary, clients as long as the lease, or always on one that is
 * spared; on a standby, clients; while the server is down, nobody.  False: it is to be left as it
 * is.
 */
bool guard_kernel_wants(const struct guard_facts *facts, struct nftlease *want);

/* A phrase for the log and the fenced mark. */
const char *guard_act_word(enum guard_act act);

#endif
