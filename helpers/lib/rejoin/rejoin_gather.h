/* SPDX-License-Identifier: PostgreSQL */
/* The facts of rejoin, and how they are found out. */
#ifndef PGV_REJOIN_GATHER_H
#define PGV_REJOIN_GATHER_H

#include "base/deadline.h"
#include "config/cfg.h"
#include "postgres/history_file.h"
#include "postgres/pgdata.h"
#include "postgres/recovery_target.h"
#include "postgres/server.h"
#include "postgres/server_log.h"
#include "record/record_trust.h"
#include "rejoin/rejoin_rules.h"
#include "salvage/salvage_shelf.h"

struct rejoin {
	const struct cfg *cfg;
	struct deadline dl;
	bool automatic;      /* --auto */
	bool acted;          /* something was changed in this run */
	bool started;        /* the server was started in this run, and was not stopped since */
	bool restored;       /* the standby was told in this run whom to follow */
	bool rebuilt;        /* a new copy was taken in this run */
	bool copy_by_hand;   /* --rebuild */
	const char *discard; /* --discard; NULL: not given */
	bool undone;         /* what a killed pg_rewind had found was put back in this run */
	int64_t receiving_since_ms;
	int64_t away_since_ms; /* the standby has not received since, in this run */
	int64_t told_ms;       /* when people at a terminal were last told what it waits for */

	enum fact target; /* a recovery target is set for the standby that is down */
	char target_what[RECOVERY_TARGET_MAX];
	struct server_log log; /* where the server's log ended before that */
	struct server local;
	struct server peer;
	struct pgdata_control control;
	bool stray; /* a signal file came while this directory's primary ran: it does not count */
	struct history_file ours;
	struct history_file theirs;
	/* with a record */
	struct record_link link;
	struct record_memory memory;
	struct record record;
	enum record_trust trust;
	uint64_t fork;        /* where the two part, when past says so */
	bool without_salvage; /* --without-salvage */
	bool salvaged;        /* what diverged was kept in this run, or is not to be */
	struct salvage salvage;
	struct rejoin_facts facts;
};

/* Looks at everything, from the beginning.  Changes nothing. */
void rejoin_gather(struct rejoin *r);

/* The timeline that the local data is on. */
uint32_t rejoin_our_timeline(const struct rejoin *r);

/* One phrase for people: both nodes, as seen. */
void rejoin_detail(const struct rejoin *r, const struct verdict *verdict, char *text, size_t size);

#endif
