/* SPDX-License-Identifier: PostgreSQL */
/*
 * All that can be known of the cluster from one node, in about a second: both servers, the
 * witness, the virtual address, and this node's own files.  The other node's files cannot be seen
 * from here.
 */
#ifndef PGV_STATUS_H
#define PGV_STATUS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/outcome.h"
#include "config/cfg.h"
#include "node/files.h"
#include "postgres/server.h"
#include "postgres/server_slots.h"
#include "record/record_view.h"
#include "rejoin/salvage_shelf.h"
#include "status/status_rules.h"

/* The last verdicts that this node kept of what acts by itself. */
enum status_attempt {
	ATTEMPT_PROMOTE,
	ATTEMPT_REJOIN,
	ATTEMPT_REJOIN_CHECK,
	ATTEMPT_FENCE_TEST,
	ATTEMPT_RELEASE,
	ATTEMPT_SLOTS,
	ATTEMPTS
};

/* Whom the kernel of this node lets in to the server (nftlease.h). */
enum status_kernel {
	KERNEL_UNKNOWN = 0,
	KERNEL_OFF,     /* kernel_lease = no */
	KERNEL_MISSING, /* everybody: the table is not there */
	KERNEL_SHUT,
	KERNEL_UNTIL,
	KERNEL_OPEN,
	KERNELS
};

/* A time of this boot, as it was when we looked. */
struct status_stamp {
	bool known;
	int64_t away_ms; /* until then; negative: since then */
	char word[32];
};

struct status {
	struct server servers[CFG_NODES]; /* by index of the node */
	struct server_slots slots[CFG_NODES];
	enum fact rights; /* our role has those that a takeover needs */
	enum fact witness;
	char witness_why[160];
	struct record_view record; /* where the witness keeps one (cfg_has_record) */
	enum status_vip vip;
	char vip_why[160];

	/* this node */
	struct fenced_mark fenced;
	enum fact withdrawn_mark; /* an interrupted takeover: the vote is to be given back */
	struct status_stamp lease;
	struct status_stamp grant;
	struct status_stamp seen;      /* the primary, by this standby */
	struct status_stamp streaming; /* from the primary, by this standby */
	int serving;                   /* track files; -1: missing or garbage */
	int election;
	int priority;
	enum fact keepalived;
	enum fact election_master;
	enum fact guard;
	enum status_kernel kernel;
	int64_t kernel_left_ms;       /* KERNEL_UNTIL */
	char watchdog[64];            /* "off", or as in guard_watchdog.h; "": unknown */
	bool watchdog_missing;        /* and required */
	enum fact baseline;           /* the witness host reached the other node in good times */
	char attempts[ATTEMPTS][512]; /* "" : none */
	struct salvage salvage;       /* the last one of this node; path "" : none */
};

/* Asks and reads everything.  Never fails: what could not be found out is unknown. */
void status_gather(struct status *status, const struct cfg *cfg);

/* What the rules may look at.  Pure. */
struct status_facts status_facts_of(const struct status *status, const struct cfg *cfg);

/* The part about slots. */
void status_slots_facts(struct status_facts *f, const struct status *status, const struct cfg *cfg);

/* Bytes that the standby has yet to receive, as far as known: false when not. */
bool status_lag(const struct status *status, uint64_t *bytes);

/* Which server is the one primary?  Its index, or -1 when there is none or more than one. */
int status_primary(const struct status *status);

/* What attempts are called: "promote_safe", "rejoin", "fence_old". */
const char *status_attempt_word(enum status_attempt attempt);

struct status_forecast {
	enum fact takes_over;
	char text[320];
};

/* Plain words: what would happen if the primary died now.  Pure. */
struct status_forecast status_forecast(const struct status *status, const struct cfg *cfg);

/* For people and for scripts. */
void status_print(const struct status *status, const struct cfg *cfg, FILE *out);
void status_print_json(const struct status *status, const struct cfg *cfg,
		       const struct verdict *verdict, FILE *out);

#endif
