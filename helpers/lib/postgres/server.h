/* SPDX-License-Identifier: PostgreSQL */
/*
 * What one PostgreSQL server says of itself, asked once in a new connection, one statement, so that
 * the answers cannot straddle a promotion.  And the few things that we ask a standby to do.
 */
#ifndef PGV_SERVER_H
#define PGV_SERVER_H

#include <pthread.h>

#include "base/deadline.h"
#include "base/outcome.h"
#include "config/cfg.h"
#include "postgres/pg.h"

/* primary_conninfo with certificates and all; a longer one is not ours to handle. */
#define SERVER_CONNINFO_MAX 1024

enum server_state {
	SERVER_UNKNOWN = 0, /* silent, or its answer could not be used */
	SERVER_DOWN,        /* nobody listens: refused, or no socket */
	SERVER_STARTING,    /* it answers that it starts up or shuts down */
	SERVER_PRIMARY,
	SERVER_STANDBY,
};

struct server {
	enum server_state state;
	enum pg_failure failure; /* why UNKNOWN, DOWN, STARTING */
	char why[160];           /* the same in words */
	int64_t asked_ms;        /* just before our question left (CLOCK_BOOTTIME) */

	/* valid for PRIMARY and STANDBY */
	uint64_t system_identifier;
	int64_t version_num; /* 150004 */
	char data_dir[CFG_PATH_MAX];
	char sync_names[SERVER_CONNINFO_MAX]; /* synchronous_standby_names */
	bool read_only;                       /* default_transaction_read_only of a new session */
	uint32_t timeline; /* a primary's is the one it writes; a standby's the newest of its last
			      checkpoint, what it needs and what it receives: while it receives
			      nothing, perhaps an older one than it replays */

	/* PRIMARY */
	uint64_t write_lsn;  /* pg_current_wal_lsn() */
	bool peer_streams;   /* a walsender for the other node is in state streaming */
	bool peer_sync;      /* and it counts as a synchronous one */
	int64_t peer_sender; /* its pid, when streaming; another one: they met anew */
	uint64_t peer_flush_lsn;
	int64_t sync_bypass; /* roles and databases that set synchronous_commit = local or off,
				and the server itself if it does */

	/* STANDBY */
	uint64_t received_lsn; /* newer of pg_last_wal_receive_lsn() and replay */
	uint64_t replayed_lsn;
	bool replay_paused;
	bool receiving; /* a walreceiver in state streaming */
	char primary_conninfo[SERVER_CONNINFO_MAX];
	bool withdrawn; /* primary_conninfo is empty */
};

/* Asks.  Never fails: what could not be found out is in state, failure and why. */
void server_ask(struct server *server, const struct cfg *cfg, enum pg_where where,
		const struct deadline *dl);

/* The same beside other work, in a thread of its own: server is filled when server_ask_end returns. */
struct server_question {
	struct server *server;
	const struct cfg *cfg;
	enum pg_where where;
	const struct deadline *dl;
	pthread_t thread;
	bool beside; /* the thread runs */
};
void server_ask_begin(struct server_question *to);
void server_ask_end(struct server_question *to);

/*
 * The timeline that the local server, a standby, replays just now: IDENTIFY_SYSTEM (PostgreSQL's
 * manual, Streaming Replication Protocol).  0; or -errno with *timeline 0 (why in log).
 */
int server_replay_timeline(const struct cfg *cfg, uint32_t *timeline,
			   const struct deadline *dl) MUST_CHECK;

/* Asks both servers at the same time: it takes as long as the slower one, not as the sum. */
void server_ask_both(struct server *local, const struct deadline *local_dl, struct server *peer,
		     const struct deadline *peer_dl, const struct cfg *cfg);

/*
 * Is this answer of the peer a vote for us (DESIGN section 4): a standby, of our system, following
 * this node (its primary_conninfo names one of our addresses), not withdrawn, on a timeline not
 * newer than `timeline` (ours). UNKNOWN when it did not answer.  Pure.
 */
enum fact server_votes_for(const struct server *peer, const char *our_address,
			   uint64_t system_identifier, uint32_t timeline);

/* The primary_conninfo of a standby on node `self` that follows the other node, from the
 * configuration alone. */
int server_conninfo_to_peer(const struct cfg *cfg, char *conninfo, size_t size) MUST_CHECK;

/* ALTER SYSTEM SET primary_conninfo, reload, and verification in new connections until the
 * deadline.  0; -EPROTO: the server said no; -ENOTCONN, -ETIMEDOUT (why in log). */
int server_follow(const struct cfg *cfg, const char *conninfo,
		  const struct deadline *dl) MUST_CHECK;

/* Has our role every right that a takeover by promote_safe needs? Rights are in the catalogs, so a
 * standby has those of its primary.  UNKNOWN: the server did not say (why in log). */
enum fact server_lets_take_over(const struct cfg *cfg, enum pg_where where,
				const struct deadline *dl);

/* SELECT pg_promote(false): asks, does not wait.  0: the server took it. -EPROTO: it said no, or lets
 * nobody ask (why in log). Any other: it is not known whether it took it. */
int server_promote(const struct cfg *cfg, const struct deadline *dl) MUST_CHECK;

const char *server_state_word(enum server_state state);

#endif
