/* SPDX-License-Identifier: PostgreSQL */
#include "postgres/server_flow.h"

#include <errno.h>
#include <string.h>

#include "postgres/server_internal.h"

enum column {
	COL_RECEIVER,
	COL_SILENT,
	COL_RECEIVED,
	COL_NAME,
	COL_SENT,
	COL_ADDRESS,
	COL_PORT,
	COLUMNS
};

/*
 * One row for each walsender, the newest last, at least one.  written_lsn is of this connection
 * alone: a new one begins with the segment, so what was received before is sent once more.
 */
static const char question[] =
    "SELECT r.status,"
    " greatest(0, extract(epoch FROM clock_timestamp() - r.last_msg_receipt_time) * 1000)::bigint,"
    " r.written_lsn,"
    " s.application_name, s.sent_lsn, host(s.client_addr), s.client_port"
    " FROM pg_stat_get_wal_receiver() AS r LEFT JOIN pg_stat_replication AS s ON true"
    " ORDER BY s.backend_start";

static int or_null(int rc)
{
	return rc == -ENODATA ? 0 : rc;
}

static int read_receiver(struct server_flow *flow, const struct pg_result *rows)
{
	char status[32] = "";
	int rc = or_null(pg_get_text(rows, 0, COL_RECEIVER, status, sizeof(status)));

	if (rc == 0)
		rc = or_null(pg_get_i64(rows, 0, COL_SILENT, &flow->silent_ms));
	if (rc == 0)
		rc = or_null(pg_get_lsn(rows, 0, COL_RECEIVED, &flow->received_lsn));
	flow->receives = strcmp(status, "streaming") == 0;
	return rc;
}

/* The newest wins: one that was left behind by a broken connection may stand beside it. */
static int read_sender(struct server_flow *flow, const struct pg_result *rows, size_t row,
		       const char *peer)
{
	char name[128];
	int rc = pg_get_text(rows, row, COL_NAME, name, sizeof(name));

	if (rc == -ENODATA || rc == -EFBIG || (rc == 0 && strcmp(name, peer) != 0))
		return 0;
	flow->sends = true;
	if (rc == 0)
		rc = or_null(pg_get_lsn(rows, row, COL_SENT, &flow->sent_lsn));
	if (rc == 0)
		rc = or_null(pg_get_text(rows, row, COL_ADDRESS, flow->receiver_address,
					 sizeof(flow->receiver_address)));
	if (rc == 0)
		rc = or_null(pg_get_i64(rows, row, COL_PORT, &flow->receiver_port));
	return rc;
}

void server_flow_ask(struct server_flow *flow, const struct cfg *cfg, enum pg_where where,
		     const struct deadline *dl)
{
	const char *peer = where == PG_PEER ? cfg_self(cfg)->name : cfg_peer(cfg)->name;
	struct pg AUTO_PG *pg = NULL;
	struct pg_result AUTO_PG_RESULT *rows = NULL;
	enum pg_failure failure;
	char why[160];
	int rc = pg_open(&pg, cfg, where, dl, &failure, why, sizeof(why));

	*flow = (struct server_flow){ .known = false };
	if (rc == 0)
		rc = pg_query(&rows, pg, question, COLUMNS, 1, dl);
	if (rc == 0)
		rc = read_receiver(flow, rows);
	for (size_t row = 0; rc == 0 && row < pg_rows(rows); row++)
		rc = read_sender(flow, rows, row, peer);
	if (rc < 0)
		*flow = (struct server_flow){ .known = false };
	flow->known = rc == 0;
}
