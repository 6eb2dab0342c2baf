/* SPDX-License-Identifier: PostgreSQL */
/*
 * The state of one PostgreSQL server by its own word, asked once in a new connection, one
 * statement, so that the answers cannot straddle a promotion.  And the few things that we ask a
 * standby to do.
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
	SERVER_REFUSES,     /* it lives and answers, but not us: role, password, rights, pg_hba */
	SERVER_PRIMARY,
	SERVER_STANDBY,
};

struct server {
	enum server_state state;
	enum pg_failure failure; /* why it is neither PRIMARY nor STANDBY */
	char why[160];           /* the same in words */
	int64_t asked_ms;        /* just before our question left (CLOCK_BOOTTIME) */

	enum server_state behind; /* REFUSES: what the local one is (server_look_behind) */

	/* valid for PRIMARY and STANDBY; the timeline and this also where behind is known */
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
	int64_t sync_bypass; /* roles and databases that set synchronous_commit to what does not
				wait until the standby has flushed: local, off, remote_write; and
				the server itself if it does */

	/* STANDBY */
	uint64_t received_lsn; /* newer of pg_last_wal_receive_lsn() and replay */
	uint64_t replayed_lsn;
	bool replay_paused;
	bool receiving; /* a walreceiver in state streaming */
	char primary_conninfo[SERVER_CONNINFO_MAX];
	bool marked;    /* it sees the mark of the withdrawn vote in its data directory */
	bool withdrawn; /* primary_conninfo is empty, or the mark is there (mark.h) */
};

/* Asks.  Never fails: what could not be found out is in state, failure and why. */
void server_ask(struct server *server, const struct cfg *cfg, enum pg_where where,
		const struct deadline *dl);

/*
 * The local server refuses us: is it a primary or a standby?  It runs, as it answers, and what it
 * is stands in its control file.  Fills behind, system_identifier and timeline, or leaves them as
 * they are.
 */
void server_look_behind(struct server *server, const struct cfg *cfg, const struct deadline *dl);

/* Why a server refuses us, in its own words, and what mends that, with the names of
 * this cluster. */
void server_refusal(enum pg_failure failure, const char *why, const struct cfg *cfg, char *text,
		    size_t size);

/* The same beside other work, in a thread of its own: server is filled when
 * server_ask_end returns. */
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
 * Is this answer of the peer a vote for us (docs/safety.md, "With a record"): a standby, of our
 * system, following this node (its primary_conninfo names one of our addresses), not withdrawn, on
 * a timeline not newer than `timeline` (ours). UNKNOWN when it did not answer.  Pure.
 */
enum fact server_votes_for(const struct server *peer, const char *our_address,
			   uint64_t system_identifier, uint32_t timeline);

/*
 * Does `standby` receive what `primary` writes now: both answered, of one system, the walreceiver
 * at work, on the timeline that the primary writes?  A walreceiver says "streaming" from the moment
 * that it is connected.  A standby beyond the fork asks for the old timeline again and again, the
 * primary sends what it has of it, up to the fork, and for that moment pg_stat_wal_receiver and
 * pg_stat_replication both say "streaming" (XLogSendPhysical of PostgreSQL); only the
 * timelines differ.  Pure.
 */
bool server_receives(const struct server *standby, const struct server *primary);

/* The primary_conninfo of a standby on node `self` that follows the other node, from the
 * configuration alone. */
int server_conninfo_to_peer(const struct cfg *cfg, char *conninfo, size_t size) MUST_CHECK;

/*
 * Was the server that runs here asked to become a primary?  A startup process that stands still (a
 * conflict, a disk, SIGSTOP) ends a promotion whenever it goes on, and nothing takes back what it
 * was asked for but the end of its server.  Until then the vote must not go back: the old primary
 * could serve by it when this one comes up.
 *
 * It is asked before a vote goes back (server_follow, and rejoin before it removes the mark of a
 * withdrawn vote), and before a stamp is removed whose server said no.  A wrong *no* makes two
 * primaries possible; a wrong *yes* leaves a standby that streams but votes for nobody, until its
 * server has ended.  So a stamp that cannot be read, or read in full, is a *yes*: only none, or one
 * of another boot or of an older server is a *no*.
 */
bool server_promotion_pending(const struct cfg *cfg);

/*
 * Removes a stamp that cannot be read, which no start would outdate, and says so in the log.  To be
 * called where no server runs, under the lock of promote_safe, which alone asks for promotions.
 */
void server_promotion_forget(const struct cfg *cfg);

/* ALTER SYSTEM SET primary_conninfo, reload, and verification in new connections until the
 * deadline.  0; -EPROTO: the server said no; -ENOTCONN, -ETIMEDOUT (why in log). */
int server_follow(const struct cfg *cfg, const char *conninfo,
		  const struct deadline *dl) MUST_CHECK;

/*
 * The server here is a standby that sees the mark of the withdrawn vote (withdrawn_write), in an
 * answer to a question that was asked after the call.  From then on each answer of every session
 * says so: the mark is looked for in the data directory by each question, and is no setting that a
 * session could still have as it was.
 */
bool server_shows_the_mark(const struct cfg *cfg, const struct deadline *dl);

/*
 * Takes the vote back, the mark of which stands (withdrawn_write): primary_conninfo is emptied as
 * by server_follow; where the server takes no reload, or not in time, its answer in a new
 * connection that it sees the mark is enough.  It goes on streaming then.  0; errors as
 * server_follow.
 */
int server_withdraw(const struct cfg *cfg, const struct deadline *dl) MUST_CHECK;

/* The rights of our role.  They are in the catalogs, so a standby has those of its primary.
 * UNKNOWN: the server did not say (why in log). */
struct server_rights {
	enum fact take_over;   /* every one that a takeover by promote_safe needs */
	enum fact own_connect; /* CONNECT was granted to it, and not only to everybody */
};
void server_rights_ask(struct server_rights *rights, const struct cfg *cfg, enum pg_where where,
		       const struct deadline *dl);

/* SELECT pg_promote(false): asks, does not wait.  0: the server took it. -EPROTO: it said no, or
 * lets nobody ask (why in log). Any other: it is not known whether it took it. */
int server_promote(const struct cfg *cfg, const struct deadline *dl) MUST_CHECK;

const char *server_state_word(enum server_state state);

#endif
