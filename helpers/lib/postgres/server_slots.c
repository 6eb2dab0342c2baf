/* SPDX-License-Identifier: PostgreSQL */
#include "postgres/server_slots.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "postgres/server_internal.h"

/* A slot's name is made of [a-z0-9_], an LSN of hexadecimal digits. */
#define SQL_MAX 256

enum column {
	COL_STANDBY,
	COL_BOUND,
	COL_ROOM,
	COL_REDO,
	COL_USES,
	COL_END,
	COL_NAME,
	COL_ACTIVE,
	COL_STATUS,
	COL_RESTART,
	COLUMNS
};

/*
 * One row for each slot, at least one.  The redo position is read before it is asked whether this
 * is a standby: one that was promoted in between must not give the position of its first
 * checkpoint, which the old primary has not.
 */
static const char question[] =
    "WITH c AS MATERIALIZED (SELECT redo_lsn FROM pg_control_checkpoint()),"
    " me AS MATERIALIZED (SELECT c.redo_lsn, pg_is_in_recovery() AS standby FROM c)"
    " SELECT me.standby, pg_size_bytes(current_setting('max_slot_wal_keep_size')),"
    " current_setting('max_replication_slots')::bigint"
    "  - (SELECT count(*) FROM pg_replication_slots),"
    " me.redo_lsn, current_setting('primary_slot_name'),"
    " CASE WHEN me.standby THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END,"
    " s.slot_name, s.active, s.wal_status, s.restart_lsn"
    " FROM me LEFT JOIN pg_replication_slots AS s ON NOT s.temporary"
    " ORDER BY starts_with(s.slot_name::text, '" SLOT_PREFIX "') DESC, s.slot_name";

static enum slot_hold hold_of(const char *status)
{
	if (status[0] == '\0')
		return SLOT_EMPTY;
	if (strcmp(status, "reserved") == 0 || strcmp(status, "extended") == 0)
		return SLOT_KEEPS;
	if (strcmp(status, "unreserved") == 0)
		return SLOT_LATE;
	return strcmp(status, "lost") == 0 ? SLOT_LOST : SLOT_UNKNOWN;
}

static int or_null(int rc)
{
	return rc == -ENODATA ? 0 : rc;
}

static int read_server(struct server_slots *slots, const struct pg_result *rows)
{
	int rc = pg_get_bool(rows, 0, COL_STANDBY, &slots->standby);

	if (rc == 0)
		rc = pg_get_i64(rows, 0, COL_BOUND, &slots->bound_bytes);
	if (rc == 0)
		rc = pg_get_i64(rows, 0, COL_ROOM, &slots->room);
	if (rc == 0)
		rc = pg_get_lsn(rows, 0, COL_REDO, &slots->redo_lsn);
	if (rc == 0)
		rc = pg_get_text(rows, 0, COL_USES, slots->uses, sizeof(slots->uses));
	return rc;
}

/* 1: read; 0: there is none in this row. */
static int read_slot(struct server_slot *slot, const struct pg_result *rows, size_t row)
{
	char status[32] = "";
	uint64_t end = 0;
	int rc = pg_get_text(rows, row, COL_NAME, slot->name, sizeof(slot->name));

	if (rc == -ENODATA)
		return 0;
	if (rc == 0)
		rc = pg_get_bool(rows, row, COL_ACTIVE, &slot->active);
	if (rc == 0)
		rc = or_null(pg_get_text(rows, row, COL_STATUS, status, sizeof(status)));
	if (rc == 0)
		rc = or_null(pg_get_lsn(rows, row, COL_RESTART, &slot->restart_lsn));
	if (rc == 0)
		rc = or_null(pg_get_lsn(rows, row, COL_END, &end));
	if (rc < 0)
		return rc;
	slot->hold = hold_of(status);
	if (slot->restart_lsn != 0 && end > slot->restart_lsn)
		slot->held_bytes = end - slot->restart_lsn;
	return 1;
}

static int read_answer(struct server_slots *slots, const struct pg_result *rows)
{
	int rc = read_server(slots, rows);

	for (size_t row = 0; row < pg_rows(rows) && rc == 0; row++) {
		if (slots->count == SERVER_SLOTS_MAX)
			break;
		rc = read_slot(&slots->slots[slots->count], rows, row);
		if (rc <= 0)
			continue;
		slots->count++;
		rc = 0;
	}
	return rc;
}

void server_slots_ask(struct server_slots *slots, const struct cfg *cfg, enum pg_where where,
		      const struct deadline *dl)
{
	struct pg AUTO_PG *pg = NULL;
	struct pg_result AUTO_PG_RESULT *rows = NULL;
	enum pg_failure failure;
	char why[sizeof(slots->why)] = "";
	int rc = pg_open(&pg, cfg, where, dl, &failure, why, sizeof(why));

	*slots = (struct server_slots){ .known = false };
	if (rc == 0) {
		rc = pg_query(&rows, pg, question, COLUMNS, 1, dl);
		(void)snprintf(why, sizeof(why), "%s", pg_error(pg));
	}
	if (rc == 0) {
		rc = read_answer(slots, rows);
		(void)snprintf(why, sizeof(why), "an answer that cannot be used: %s",
			       strerror(-rc));
	}
	slots->known = rc == 0;
	if (rc < 0) {
		*slots = (struct server_slots){ .known = false };
		(void)snprintf(slots->why, sizeof(slots->why), "%s", why);
	}
}

void slot_name_of(const char *node, char *name, size_t size)
{
	(void)snprintf(name, size, SLOT_PREFIX "%s", node);
	for (char *at = name; *at != '\0'; at++) {
		if (*at == '-')
			*at = '_';
	}
}

bool slot_is_ours(const char *name)
{
	return strncmp(name, SLOT_PREFIX, strlen(SLOT_PREFIX)) == 0;
}

const struct server_slot *slot_find(const struct server_slots *slots, const char *name)
{
	for (size_t i = 0; i < slots->count; i++) {
		if (strcmp(slots->slots[i].name, name) == 0)
			return &slots->slots[i];
	}
	return NULL;
}

/* ---- deeds ---- */

static int call(const struct cfg *cfg, const char *sql, const struct deadline *dl)
{
	struct pg AUTO_PG *pg = NULL;
	struct pg_result AUTO_PG_RESULT *row = NULL;
	int rc = server_open_local(&pg, cfg, dl);

	if (rc < 0)
		return rc;
	rc = pg_query(&row, pg, sql, 1, 1, dl);
	if (rc < 0)
		log_warning("%s: %s", sql, pg_error(pg));
	return rc;
}

int server_slot_create(const struct cfg *cfg, const char *name, bool reserve,
		       const struct deadline *dl)
{
	char sql[SQL_MAX];

	(void)snprintf(sql, sizeof(sql),
		       "SELECT slot_name FROM pg_create_physical_replication_slot('%s', %s)", name,
		       reserve ? "true" : "false");
	return call(cfg, sql, dl);
}

int server_slot_drop(const struct cfg *cfg, const char *name, const struct deadline *dl)
{
	char sql[SQL_MAX];

	(void)snprintf(sql, sizeof(sql), "SELECT pg_drop_replication_slot('%s')", name);
	return call(cfg, sql, dl);
}

int server_slot_advance(const struct cfg *cfg, const char *name, uint64_t lsn,
			const struct deadline *dl)
{
	char sql[SQL_MAX];
	char to[32];

	lsn_format(lsn, to, sizeof(to));
	(void)snprintf(sql, sizeof(sql),
		       "SELECT end_lsn FROM pg_replication_slot_advance('%s', '%s')", name, to);
	return call(cfg, sql, dl);
}

int server_slot_use(const struct cfg *cfg, const char *name, const struct deadline *dl)
{
	struct server_slots seen;
	int rc = server_alter_system(cfg, "primary_slot_name", name, dl);

	/* A connection that broke leaves open whether it was set: looking tells. */
	if (rc < 0 && rc != -ECONNRESET)
		return rc;
	for (;;) {
		struct deadline pause = deadline_sooner(dl, LOOK_AGAIN_MS);

		server_slots_ask(&seen, cfg, PG_LOCAL, dl);
		if (seen.known && strcmp(seen.uses, name) == 0)
			return 0;
		if (deadline_passed(dl)) {
			log_warning("the server does not show the new primary_slot_name");
			return -ETIMEDOUT;
		}
		deadline_sleep(&pause);
	}
}

const char *slot_hold_word(enum slot_hold hold)
{
	static const char *const words[SLOT_HOLDS] = {
		[SLOT_UNKNOWN] = "unknown", [SLOT_EMPTY] = "empty", [SLOT_KEEPS] = "keeps",
		[SLOT_LATE] = "late",       [SLOT_LOST] = "lost",
	};

	return hold < SLOT_HOLDS ? words[hold] : "unknown";
}
