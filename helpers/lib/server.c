/* SPDX-License-Identifier: PostgreSQL */
#include "server.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* The order of the columns of the one question. */
enum column {
	COL_STANDBY,
	COL_SYSTEM,
	COL_VERSION,
	COL_DATA_DIR,
	COL_READ_ONLY,
	COL_TIMELINE,
	COL_WRITE_LSN,
	COL_SYNC_NAMES,
	COL_PEER_STREAMS,
	COL_PEER_SYNC,
	COL_PEER_FLUSH,
	COL_SYNC_BYPASS,
	COL_RECEIVED,
	COL_REPLAYED,
	COL_PAUSED,
	COL_RECEIVING,
	COL_CONNINFO,
	COLUMNS
};

/*
 * Functions rather than the views above them, and no catalogs but one: in a new backend every
 * relation looked up costs more than its answer.  me is looked at once, so that all columns speak
 * of the same role.  A primary's timeline is taken from the name of the file it writes: the control
 * file learns of a promotion only with the next checkpoint.  A walsender is the peer's by its
 * application_name, as in synchronous_standby_names.
 */
static const char question[] =
    "WITH me AS MATERIALIZED (SELECT pg_is_in_recovery() AS standby)"
    " SELECT me.standby,"
    " (SELECT system_identifier FROM pg_control_system()),"
    " current_setting('server_version_num'),"
    " current_setting('data_directory'),"
    " current_setting('default_transaction_read_only')::bool,"
    " CASE WHEN me.standby THEN greatest(w.received_tli,"
    "  (SELECT timeline_id FROM pg_control_checkpoint()),"
    "  (SELECT min_recovery_end_timeline FROM pg_control_recovery()))"
    " ELSE ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::bigint END,"
    " CASE WHEN NOT me.standby THEN pg_current_wal_lsn() END,"
    " current_setting('synchronous_standby_names'),"
    " p.streams, p.sync, p.flush,"
    " (SELECT count(*) FROM pg_db_role_setting, unnest(setconfig) AS s"
    "  WHERE lower(s) LIKE 'synchronous_commit=%%' AND split_part(lower(s), '=', 2) = ANY (o.off))"
    "  + (current_setting('synchronous_commit') = ANY (o.off))::int,"
    " CASE WHEN me.standby THEN"
    "  greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()) END,"
    " CASE WHEN me.standby THEN pg_last_wal_replay_lsn() END,"
    " CASE WHEN me.standby THEN pg_is_wal_replay_paused() END,"
    " coalesce(w.status = 'streaming', false),"
    " current_setting('primary_conninfo')"
    " FROM me, pg_stat_get_wal_receiver() AS w,"
    " (SELECT '{local,off,false,no,0}'::text[] AS off) AS o,"
    " (SELECT coalesce(bool_or(s.state = 'streaming'), false) AS streams,"
    "  coalesce(bool_or(s.state = 'streaming' AND s.sync_state IN ('sync', 'quorum')), false)"
    "   AS sync,"
    "  max(s.flush_lsn) AS flush"
    "  FROM pg_stat_get_wal_senders() AS s"
    "  JOIN pg_stat_get_activity(NULL) AS a ON a.pid = s.pid"
    "  WHERE a.application_name = %s) AS p";

/* Each reader goes on only while everything before it was right. */
static int read_common(struct server *server, const struct pg_result *row, bool *standby)
{
	int64_t identifier = 0;
	int64_t timeline = 0;
	int rc = pg_get_bool(row, 0, COL_STANDBY, standby);

	if (rc == 0)
		rc = pg_get_i64(row, 0, COL_SYSTEM, &identifier);
	if (rc == 0)
		rc = pg_get_i64(row, 0, COL_VERSION, &server->version_num);
	if (rc == 0)
		rc = pg_get_text(row, 0, COL_DATA_DIR, server->data_dir, sizeof(server->data_dir));
	if (rc == 0)
		rc = pg_get_bool(row, 0, COL_READ_ONLY, &server->read_only);
	if (rc == 0)
		rc = pg_get_i64(row, 0, COL_TIMELINE, &timeline);
	if (rc == 0 && (timeline < 1 || timeline > UINT32_MAX))
		rc = -EPROTO;
	/* It fills 64 bits; SQL shows it as a signed number. */
	server->system_identifier = (uint64_t)identifier;
	server->timeline = (uint32_t)timeline;
	return rc;
}

static int read_primary(struct server *server, const struct pg_result *row)
{
	int rc = pg_get_lsn(row, 0, COL_WRITE_LSN, &server->write_lsn);

	if (rc == 0)
		rc = pg_get_text(row, 0, COL_SYNC_NAMES, server->sync_names,
				 sizeof(server->sync_names));
	if (rc == 0)
		rc = pg_get_bool(row, 0, COL_PEER_STREAMS, &server->peer_streams);
	if (rc == 0)
		rc = pg_get_bool(row, 0, COL_PEER_SYNC, &server->peer_sync);
	if (rc == 0)
		rc = pg_get_i64(row, 0, COL_SYNC_BYPASS, &server->sync_bypass);
	if (rc == 0)
		rc = pg_get_lsn(row, 0, COL_PEER_FLUSH, &server->peer_flush_lsn);
	/* No walsender, or one that has not reported yet. */
	return rc == -ENODATA && server->peer_flush_lsn == 0 ? 0 : rc;
}

/* NULL before anything was received or replayed. */
static int read_position(const struct pg_result *row, size_t column, uint64_t *lsn)
{
	int rc = pg_get_lsn(row, 0, column, lsn);

	return rc == -ENODATA ? 0 : rc;
}

static int read_standby(struct server *server, const struct pg_result *row)
{
	int rc = read_position(row, COL_RECEIVED, &server->received_lsn);

	if (rc == 0)
		rc = read_position(row, COL_REPLAYED, &server->replayed_lsn);
	if (rc == 0)
		rc = pg_get_bool(row, 0, COL_PAUSED, &server->replay_paused);
	if (rc == 0)
		rc = pg_get_bool(row, 0, COL_RECEIVING, &server->receiving);
	if (rc == 0)
		rc = pg_get_text(row, 0, COL_CONNINFO, server->primary_conninfo,
				 sizeof(server->primary_conninfo));
	server->withdrawn = rc == 0 && server->primary_conninfo[0] == '\0';
	return rc;
}

static int read_row(struct server *server, const struct pg_result *row)
{
	bool standby = false;
	int rc = read_common(server, row, &standby);

	if (rc == 0)
		rc = standby ? read_standby(server, row) : read_primary(server, row);
	if (rc == 0)
		server->state = standby ? SERVER_STANDBY : SERVER_PRIMARY;
	else
		(void)snprintf(server->why, sizeof(server->why),
			       "an answer that cannot be used: %s", strerror(-rc));
	return rc;
}

static enum server_state state_of(enum pg_failure failure)
{
	if (failure == PG_FAIL_REFUSED)
		return SERVER_DOWN;
	return failure == PG_FAIL_STARTING ? SERVER_STARTING : SERVER_UNKNOWN;
}

static int failed(struct server *server, enum pg_failure failure, const char *why)
{
	server->failure = failure;
	server->state = state_of(failure);
	if (why != NULL)
		(void)snprintf(server->why, sizeof(server->why), "%s", why);
	return -EPROTO;
}

static int ask(struct server *server, const struct cfg *cfg, enum pg_where where,
	       const struct deadline *dl, bool *promoted_meanwhile)
{
	/* The node that would be the standby of the one that is asked. */
	const struct cfg_node *other = where == PG_PEER ? cfg_self(cfg) : cfg_peer(cfg);
	struct pg AUTO_PG *pg = NULL;
	struct pg_result AUTO_PG_RESULT *row = NULL;
	enum pg_failure failure = PG_FAIL_OTHER;
	char name[2 * CFG_NAME_MAX + 8];
	char sql[sizeof(question) + sizeof(name)];
	int rc;

	*server = (struct server){ .state = SERVER_UNKNOWN, .asked_ms = now_ms() };
	rc = pg_open(&pg, cfg, where, dl, &failure, server->why, sizeof(server->why));
	if (rc < 0)
		return failed(server, failure, NULL);
	rc = pg_literal(pg, other->name, name, sizeof(name));
	if (rc < 0)
		return failed(server, PG_FAIL_OTHER, "the name of a node cannot be quoted");
	(void)snprintf(sql, sizeof(sql), question, name);
	rc = pg_query(&row, pg, sql, COLUMNS, 1, dl);
	*promoted_meanwhile = strcmp(pg_sqlstate(pg), "55000") == 0;
	if (rc < 0)
		return failed(server, pg_failure_of(rc, pg), pg_error(pg));
	rc = read_row(server, row);
	if (rc < 0)
		return failed(server, PG_FAIL_OTHER, NULL);
	return 0;
}

void server_ask(struct server *server, const struct cfg *cfg, enum pg_where where,
		const struct deadline *dl)
{
	bool again = false;

	/* "recovery is not in progress": a standby became a primary within the one statement. */
	if (ask(server, cfg, where, dl, &again) < 0 && again)
		(void)ask(server, cfg, where, dl, &again);
}

const char *server_state_word(enum server_state state)
{
	static const char *const words[] = {
		[SERVER_UNKNOWN] = "unknown",   [SERVER_DOWN] = "down",
		[SERVER_STARTING] = "starting", [SERVER_PRIMARY] = "primary",
		[SERVER_STANDBY] = "standby",
	};

	return (size_t)state < ARRAY_COUNT(words) ? words[state] : "unknown";
}
