/* SPDX-License-Identifier: PostgreSQL */
#include "postgres/server.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/mark.h"

/* The order of the columns of the one question. */
enum column {
	COL_STANDBY,
	COL_SYSTEM,
	COL_VERSION,
	COL_DATA_DIR,
	COL_READ_ONLY,
	COL_SYNC_NAMES,
	COL_SYNC_COMMIT,
	COL_SYNC_BYPASS,
	COL_WRITE_LSN,
	COL_WAL_FILE,
	COL_CHECKPOINT_TIMELINE,
	COL_NEEDED_TIMELINE,
	COL_RECEIVED_TIMELINE,
	COL_RECEIVED,
	COL_REPLAYED,
	COL_PAUSED,
	COL_RECEIVER,
	COL_CONNINFO,
	COL_WITHDRAWN,
	COL_SENDER_NAME,
	COL_SENDER_STATE,
	COL_SENDER_SYNC,
	COL_SENDER_FLUSH,
	COL_SENDER_PID,
	COLUMNS
};

/*
 * One row for each walsender, at least one.  Functions rather than the views above them, and raw
 * values rather than expressions: in a new backend each operator and relation that is looked up
 * for the first time costs more than its answer (this takes 1.2 ms, the comfortable form took 2.2).
 * "me" is looked at once, so that all columns speak of the same role.
 */
static const char question[] =
    "WITH me AS MATERIALIZED (SELECT pg_is_in_recovery() AS standby)"
    " SELECT me.standby,"
    " (SELECT system_identifier FROM pg_control_system()),"
    " current_setting('server_version_num'),"
    " current_setting('data_directory'),"
    " current_setting('default_transaction_read_only')::bool,"
    " current_setting('synchronous_standby_names'),"
    " current_setting('synchronous_commit'),"
    " (SELECT count(*) FROM pg_db_role_setting WHERE setconfig::text"
    "  ~* '[{,]synchronous_commit=(local|off|false|no|0|remote_write)[,}]'),"
    " CASE WHEN NOT me.standby THEN pg_current_wal_lsn() END,"
    " CASE WHEN NOT me.standby THEN pg_walfile_name(pg_current_wal_lsn()) END,"
    " (SELECT timeline_id FROM pg_control_checkpoint()),"
    " (SELECT min_recovery_end_timeline FROM pg_control_recovery()),"
    " w.received_tli,"
    " CASE WHEN me.standby THEN pg_last_wal_receive_lsn() END,"
    " CASE WHEN me.standby THEN pg_last_wal_replay_lsn() END,"
    " CASE WHEN me.standby THEN pg_is_wal_replay_paused() END,"
    " w.status,"
    " current_setting('primary_conninfo'),"
    " (pg_stat_file('" WITHDRAWN_DATA "', true)).size IS NOT NULL,"
    " a.application_name, s.state, s.sync_state, s.flush_lsn, s.pid"
    " FROM me, pg_stat_get_wal_receiver() AS w LEFT JOIN (pg_stat_get_wal_senders() AS s"
    "  CROSS JOIN LATERAL pg_stat_get_activity(s.pid) AS a) ON true";

/* The others are NULL where they do not apply. */
static int or_null(int rc)
{
	return rc == -ENODATA ? 0 : rc;
}

/* Each reader goes on only while everything before it was right. */
static int read_common(struct server *server, const struct pg_result *rows, bool *standby)
{
	int64_t identifier = 0;
	int rc = pg_get_bool(rows, 0, COL_STANDBY, standby);

	if (rc == 0)
		rc = pg_get_i64(rows, 0, COL_SYSTEM, &identifier);
	if (rc == 0)
		rc = pg_get_i64(rows, 0, COL_VERSION, &server->version_num);
	if (rc == 0)
		rc = pg_get_text(rows, 0, COL_DATA_DIR, server->data_dir, sizeof(server->data_dir));
	if (rc == 0)
		rc = pg_get_bool(rows, 0, COL_READ_ONLY, &server->read_only);
	if (rc == 0)
		rc = pg_get_text(rows, 0, COL_SYNC_NAMES, server->sync_names,
				 sizeof(server->sync_names));
	/* A system identifier fills 64 bits; SQL shows it as a signed number. */
	server->system_identifier = (uint64_t)identifier;
	return rc;
}

/*
 * Of the name of the file that is written: the control file learns of a promotion only with the
 * next checkpoint.
 */
static int read_written_timeline(struct server *server, const struct pg_result *rows)
{
	char name[32];
	int rc = pg_get_text(rows, 0, COL_WAL_FILE, name, sizeof(name));

	if (rc < 0)
		return rc;
	if (strlen(name) != 24 || strspn(name, "0123456789ABCDEF") != 24)
		return -EPROTO;
	name[8] = '\0';
	server->timeline = (uint32_t)strtoul(name, NULL, 16);
	return 0;
}

/* A walsender is the peer's by its application_name, as in synchronous_standby_names.  One that was
 * left behind by a broken connection may stand beside the new one. */
static int read_sender(struct server *server, const struct pg_result *rows, size_t row,
		       const char *peer)
{
	char name[128];
	char state[32];
	char sync[32];
	uint64_t flush = 0;
	int64_t pid = 0;
	int rc = pg_get_text(rows, row, COL_SENDER_NAME, name, sizeof(name));

	/* No walsender at all; or a name too long to be a node's. */
	if (rc == -ENODATA || rc == -EFBIG || (rc == 0 && strcmp(name, peer) != 0))
		return 0;
	if (rc == 0)
		rc = pg_get_text(rows, row, COL_SENDER_STATE, state, sizeof(state));
	if (rc == 0)
		rc = pg_get_text(rows, row, COL_SENDER_SYNC, sync, sizeof(sync));
	if (rc == 0)
		rc = or_null(pg_get_lsn(rows, row, COL_SENDER_FLUSH, &flush));
	if (rc == 0)
		rc = pg_get_i64(rows, row, COL_SENDER_PID, &pid);
	if (rc < 0)
		return rc;
	if (strcmp(state, "streaming") == 0) {
		server->peer_streams = true;
		server->peer_sender = pid;
		server->peer_sync |= strcmp(sync, "sync") == 0 || strcmp(sync, "quorum") == 0;
	}
	if (flush > server->peer_flush_lsn)
		server->peer_flush_lsn = flush;
	return 0;
}

static int read_primary(struct server *server, const struct pg_result *rows, const char *peer)
{
	char commit[32] = "";
	int rc = pg_get_lsn(rows, 0, COL_WRITE_LSN, &server->write_lsn);

	if (rc == 0)
		rc = read_written_timeline(server, rows);
	if (rc == 0)
		rc = pg_get_i64(rows, 0, COL_SYNC_BYPASS, &server->sync_bypass);
	/* This number counts rows of a catalog. */
	if (rc == 0 && (server->sync_bypass < 0 || server->sync_bypass > INT32_MAX))
		rc = -EPROTO;
	if (rc == 0)
		rc = pg_get_text(rows, 0, COL_SYNC_COMMIT, commit, sizeof(commit));
	if (strcmp(commit, "local") == 0 || strcmp(commit, "off") == 0 ||
	    strcmp(commit, "remote_write") == 0)
		server->sync_bypass++;
	for (size_t row = 0; row < pg_rows(rows) && rc == 0; row++)
		rc = read_sender(server, rows, row, peer);
	return rc;
}

static int read_followed_timeline(struct server *server, const struct pg_result *rows)
{
	static const enum column sources[] = { COL_CHECKPOINT_TIMELINE, COL_NEEDED_TIMELINE,
					       COL_RECEIVED_TIMELINE };

	for (size_t i = 0; i < ARRAY_COUNT(sources); i++) {
		int64_t timeline = 0;
		int rc = or_null(pg_get_i64(rows, 0, sources[i], &timeline));

		if (rc < 0 || timeline < 0 || timeline > UINT32_MAX)
			return -EPROTO;
		if (timeline > server->timeline)
			server->timeline = (uint32_t)timeline;
	}
	return 0;
}

static int read_standby(struct server *server, const struct pg_result *rows)
{
	char receiver[32] = "";
	bool marked = true;
	int rc = read_followed_timeline(server, rows);

	if (rc == 0)
		rc = or_null(pg_get_lsn(rows, 0, COL_RECEIVED, &server->received_lsn));
	if (rc == 0)
		rc = or_null(pg_get_lsn(rows, 0, COL_REPLAYED, &server->replayed_lsn));
	if (rc == 0)
		rc = pg_get_bool(rows, 0, COL_PAUSED, &server->replay_paused);
	if (rc == 0)
		rc = or_null(pg_get_text(rows, 0, COL_RECEIVER, receiver, sizeof(receiver)));
	if (rc == 0)
		rc = pg_get_text(rows, 0, COL_CONNINFO, server->primary_conninfo,
				 sizeof(server->primary_conninfo));
	if (rc == 0)
		rc = pg_get_bool(rows, 0, COL_WITHDRAWN, &marked);
	/* After a restart nothing was received yet, but what is replayed is there. */
	if (server->received_lsn < server->replayed_lsn)
		server->received_lsn = server->replayed_lsn;
	server->receiving = strcmp(receiver, "streaming") == 0;
	server->marked = rc == 0 && marked;
	server->withdrawn = rc == 0 && (server->primary_conninfo[0] == '\0' || marked);
	return rc;
}

static int read_answer(struct server *server, const struct pg_result *rows, const char *peer)
{
	bool standby = false;
	int rc = read_common(server, rows, &standby);

	if (rc == 0)
		rc = standby ? read_standby(server, rows) : read_primary(server, rows, peer);
	if (rc == 0)
		server->state = standby ? SERVER_STANDBY : SERVER_PRIMARY;
	return rc;
}

static enum server_state state_of(enum pg_failure failure)
{
	if (failure == PG_FAIL_REFUSED)
		return SERVER_DOWN;
	if (pg_lives(failure))
		return SERVER_REFUSES;
	return failure == PG_FAIL_STARTING ? SERVER_STARTING : SERVER_UNKNOWN;
}

/* Fields read before the failure are worth nothing. */
static int failed(struct server *server, enum pg_failure failure, const char *why)
{
	*server = (struct server){
		.state = state_of(failure),
		.failure = failure,
		.asked_ms = server->asked_ms,
	};
	(void)snprintf(server->why, sizeof(server->why), "%s", why);
	if (failure == PG_FAIL_LATE)
		(void)snprintf(server->why, sizeof(server->why),
			       "connected, no answer within %" PRId64
			       " ms: it is busy, or stands still",
			       now_ms() - server->asked_ms);
	return -EPROTO;
}

static int ask(struct server *server, const struct cfg *cfg, enum pg_where where,
	       const struct deadline *dl, bool *again)
{
	/* The node that would be the standby of the one that is asked. */
	const struct cfg_node *other = where == PG_PEER ? cfg_self(cfg) : cfg_peer(cfg);
	struct pg AUTO_PG *pg = NULL;
	struct pg_result AUTO_PG_RESULT *rows = NULL;
	enum pg_failure failure = PG_FAIL_OTHER;
	char why[sizeof(server->why)];
	int rc;

	*server = (struct server){ .state = SERVER_UNKNOWN, .asked_ms = now_ms() };
	rc = pg_borrow(&pg, cfg, where, dl, &failure, why, sizeof(why));
	if (rc < 0)
		return failed(server, failure, why);
	rc = pg_query(&rows, pg, question, COLUMNS, 1, dl);
	/* "recovery is not in progress": a standby became a primary within the one statement. */
	*again = strcmp(pg_sqlstate(pg), "55000") == 0 || (rc == -ECONNRESET && pg_was_kept(pg));
	if (rc < 0)
		return failed(server, pg_failure_of(rc, pg), pg_error(pg));
	rc = read_answer(server, rows, other->name);
	if (rc < 0) {
		(void)snprintf(why, sizeof(why), "an answer that cannot be used: %s",
			       strerror(-rc));
		return failed(server, PG_FAIL_OTHER, why);
	}
	pg_return(&pg);
	return 0;
}

void server_ask(struct server *server, const struct cfg *cfg, enum pg_where where,
		const struct deadline *dl)
{
	bool again = false;

	if (ask(server, cfg, where, dl, &again) < 0 && again)
		(void)ask(server, cfg, where, dl, &again);
}

static void *ask_beside(void *arg)
{
	struct server_question *to = arg;

	server_ask(to->server, to->cfg, to->where, to->dl);
	return NULL;
}

void server_ask_begin(struct server_question *to)
{
	to->beside = pthread_create(&to->thread, NULL, ask_beside, to) == 0;
}

void server_ask_end(struct server_question *to)
{
	if (to->beside)
		(void)pthread_join(to->thread, NULL);
	else
		(void)ask_beside(to);
}

void server_ask_both(struct server *local, const struct deadline *local_dl, struct server *peer,
		     const struct deadline *peer_dl, const struct cfg *cfg)
{
	struct server_question to_peer = { peer, cfg, PG_PEER, peer_dl, 0, false };

	server_ask_begin(&to_peer);
	server_ask(local, cfg, PG_LOCAL, local_dl);
	server_ask_end(&to_peer);
}

const char *server_state_word(enum server_state state)
{
	static const char *const words[] = {
		[SERVER_UNKNOWN] = "unknown",   [SERVER_DOWN] = "down",
		[SERVER_STARTING] = "starting", [SERVER_REFUSES] = "refuses",
		[SERVER_PRIMARY] = "primary",   [SERVER_STANDBY] = "standby",
	};

	return (size_t)state < ARRAY_COUNT(words) ? words[state] : "unknown";
}
