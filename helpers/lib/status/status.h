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

#include "base/verdict.h"
#include "config/cfg.h"
#include "node/attempt.h"
#include "node/contact.h"
#include "node/history.h"
#include "node/mark.h"
#include "node/pause.h"
#include "postgres/pgdata.h"
#include "postgres/pgdata_room.h"
#include "postgres/server.h"
#include "postgres/server_config.h"
#include "postgres/server_replay.h"
#include "postgres/server_slots.h"
#include "record/record_view.h"
#include "salvage/salvage_shelf.h"
#include "status/status_flow.h"
#include "status/status_rules.h"

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
	struct server_config config[CFG_NODES];
	struct server_replay replay[CFG_NODES];
	struct status_flow flow; /* between the two, where it seems to stand still */
	struct server_rights rights;
	bool late; /* a server that spoke did not answer all that it was asked further in time */
	enum fact witness;
	bool witness_late; /* its server took the connection, and did not answer in time */
	char witness_why[160];
	struct record_view record; /* where the witness keeps one (cfg_has_record) */
	struct pause pause; /* beside it, by its witness; without one the promise of this node */
	enum status_vip vip;
	char vip_why[160];

	/* this node */
	int64_t looked_ms;      /* at its files, by CLOCK_BOOTTIME */
	struct contact contact; /* with its primary, by this standby */
	enum pgdata_form form;  /* of the data directory */
	enum fact writable;     /* by the server's user, where a promotion has to write */
	char writable_why[256];
	struct pgdata_room room;
	struct fenced_mark fenced;
	/* A primary here is held to its lease (leased.h); a standby here has seen that of its
	 * primary. */
	enum fact leased;
	enum fact withdrawn_mark; /* an interrupted takeover: the vote is to be given back */
	struct status_stamp lease;
	struct status_stamp grant;
	struct status_stamp seen;      /* the primary, by this standby */
	struct status_stamp streaming; /* from the primary, by this standby */
	int serving;                   /* track files; -1: missing or garbage */
	int election;
	int priority;
	enum fact keepalived;
	struct status_stamp called; /* check_answer, by keepalived */
	enum fact election_master;
	enum fact guard;
	enum status_kernel kernel;
	int64_t kernel_left_ms; /* KERNEL_UNTIL */
	char watchdog[64];      /* "off", or as in guard_watchdog.h; "": unknown */
	bool watchdog_missing;  /* and required */
	enum fact baseline;     /* the witness host reached the other node in good times */
	struct attempt_last attempts[ATTEMPTS_SHOWN];
	struct salvage salvage;     /* the last one of this node; path "" : none */
	struct history_event drill; /* the last that this node has held */
};

/* Asks and reads everything.  Never fails: what could not be found out is unknown. */
void status_gather(struct status *status, const struct cfg *cfg);

/* The facts that the rules look at.  Pure. */
struct status_facts status_facts_of(const struct status *status, const struct cfg *cfg);

/* The part about slots.  primary: as status_primary says. */
void status_slots_facts(struct status_facts *f, const struct status *status, const struct cfg *cfg,
			int primary);

/* Bytes that the standby has yet to receive, as far as known: false when not. */
bool status_lag(const struct status *status, uint64_t *bytes);

/* Which server is the one primary?  Its index, or -1 when there is none or more than one. */
int status_primary(const struct status *status);

/* "rejoin, 12 s ago: refused ...": why this node is not back, where rejoin has said so; else "". */
void status_last_rejoin(const struct status *status, char *text, size_t size);

struct status_forecast {
	enum fact takes_over; /* UNKNOWN also where only the standby's node knows enough */
	char text[480];
};

/*
 * In plain words, what would happen if the primary died now: what promote_safe on the standby would
 * decide (promote_forecast.h), and on what proof.  Pure.
 */
struct status_forecast status_forecast(const struct status *status, const struct cfg *cfg);

/* For people and for scripts. */
void status_print(const struct status *status, const struct cfg *cfg, const struct verdict *verdict,
		  FILE *out);
void status_print_json(const struct status *status, const struct cfg *cfg,
		       const struct verdict *verdict, FILE *out);

#endif
