/* SPDX-License-Identifier: PostgreSQL */
#include "record/record.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "record/record_internal.h"

/*
 * Which server it is that answers: the same system on another timeline is a copy that was promoted,
 * or restored to a point in time, and what it shows is what was.  By the file's name, because
 * pg_control_checkpoint() tells a new timeline only after the next checkpoint.
 */
#define ORIGIN                                                                         \
	"(SELECT system_identifier || '/' ||"                                          \
	" left(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_insert_lsn()), 8)" \
	" FROM pg_catalog.pg_control_system())"

/* One call of a function of the schema.  Cluster, system and node come first in all of them. */
struct call {
	const char *function;
	char origin[RECORD_ORIGIN_MAX]; /* a write: nothing is written elsewhere */
	bool writes;
	bool names_peer;           /* the other node's name is the next argument */
	char rest[160];            /* what follows, each with a comma in front */
	const struct pause *pause; /* of which author and reason follow at the end */
};

void record_begin(struct record_link *link, const struct cfg *cfg, uint64_t system_identifier)
{
	*link = (struct record_link){ .cfg = cfg, .system_identifier = system_identifier };
}

void record_end(struct record_link *link)
{
	pg_return(&link->pg);
}

bool record_unsent(const struct record_link *link)
{
	return !link->sent;
}

/* ---- why it failed, in plain words ---- */

PRINTF_LIKE(3, 4)
static void because(struct record_link *link, enum pg_failure failure, const char *format, ...)
{
	va_list args;

	link->failure = failure;
	va_start(args, format);
	(void)vsnprintf(link->why, sizeof(link->why), format, args);
	va_end(args);
}

static void because_not_connected(struct record_link *link, enum pg_failure failure,
				  const char *text)
{
	const struct cfg *cfg = link->cfg;

	if (failure == PG_FAIL_AUTH || failure == PG_FAIL_PASSWORD || failure == PG_FAIL_RIGHT)
		because(link, failure, "the witness does not let role \"%s\" in: %s",
			cfg->witness_role, text);
	else if (failure == PG_FAIL_REFUSED || failure == PG_FAIL_SILENT)
		because(link, failure, "the witness cannot be reached at %s, port %" PRId64 ": %s",
			cfg->witness_address, cfg->witness_port, text);
	else if (failure == PG_FAIL_LATE)
		because(link, failure,
			"the witness's server at %s, port %" PRId64 " is busy, or stands still: %s",
			cfg->witness_address, cfg->witness_port, text);
	else
		because(link, failure, "the witness: %s", text);
}

static void because_refused(struct record_link *link, int rc)
{
	const struct cfg *cfg = link->cfg;
	const enum pg_failure failure = pg_failure_of(rc, link->pg);
	const char *state = pg_sqlstate(link->pg);

	if (strcmp(state, "3F000") == 0 || strcmp(state, "42883") == 0)
		because(
		    link, failure,
		    "database \"%s\" of the witness does not have our schema: witness-setup was "
		    "not run there",
		    cfg->witness_database);
	else if (strcmp(state, "42501") == 0)
		because(link, failure,
			"role \"%s\" has no right to the record: witness-setup was run for another "
			"role",
			cfg->witness_role);
	else if (strcmp(state, "25006") == 0)
		because(link, failure, "the witness's server is a standby, or read-only");
	else if (strcmp(state, "57014") == 0)
		because(link, failure, "the witness: another session keeps the record locked");
	else
		because(link, failure, "the witness: %s", pg_error(link->pg));
}

static void because_other_schema(struct record_link *link, int64_t schema)
{
	because(link, PG_FAIL_OTHER,
		"the witness has version %" PRId64 " of the record's schema, and this node speaks "
		"%d",
		schema, RECORD_SCHEMA);
}

/* ---- asking ---- */

/* Composes a call, with the arguments that all have in common; PostgreSQL's system identifiers are
 * bigint in SQL. */
static int compose(char *sql, size_t size, const struct record_link *link, const struct call *call)
{
	const struct cfg *cfg = link->cfg;
	char cluster[2 * CFG_NAME_MAX + 4], node[2 * CFG_NAME_MAX + 4];
	char peer[2 * CFG_NAME_MAX + 4] = "";
	char origin[2 * RECORD_ORIGIN_MAX + 4] = "";
	char by[2 * PAUSE_BY_MAX + 4] = "", why[2 * PAUSE_WHY_MAX + 4] = "";
	const bool writes = call->writes;
	int length;
	int rc = pg_literal(link->pg, cfg->name, cluster, sizeof(cluster));

	if (rc == 0)
		rc = pg_literal(link->pg, cfg_self(cfg)->name, node, sizeof(node));
	if (rc == 0 && call->names_peer)
		rc = pg_literal(link->pg, cfg_peer(cfg)->name, peer, sizeof(peer));
	if (rc == 0 && writes)
		rc = pg_literal(link->pg, call->origin, origin, sizeof(origin));
	if (rc == 0 && call->pause != NULL)
		rc = pg_literal(link->pg, call->pause->by, by, sizeof(by));
	if (rc == 0 && call->pause != NULL)
		rc = pg_literal(link->pg, call->pause->why, why, sizeof(why));
	if (rc < 0)
		return rc;
	/* The connection may be a new one, and lead to another server than the look did. */
	length = snprintf(
	    sql, size,
	    "SELECT *, " ORIGIN " FROM pgvrrp.%s(%s%s%s%s%s, %" PRId64 ", %s%s%s%s%s%s%s%s)",
	    call->function, writes ? "CASE WHEN " ORIGIN " = " : "", origin, writes ? " THEN " : "",
	    cluster, writes ? " END" : "", (int64_t)link->system_identifier, node,
	    call->names_peer ? ", " : "", peer, call->rest, by[0] != '\0' ? ", " : "", by,
	    why[0] != '\0' ? ", " : "", why);
	return length < 0 || (size_t)length >= size ? -EFBIG : 0;
}

/* A connection, and the statement; nothing has been sent yet. */
static int prepare(struct record_link *link, char *sql, size_t size, const struct call *call,
		   const struct deadline *dl)
{
	enum pg_failure failure = PG_FAIL_OTHER;
	char text[sizeof(link->why)];
	int rc = 0;

	if (deadline_passed(dl)) {
		because(link, PG_FAIL_SILENT, "no time was left to ask the witness");
		return -ETIMEDOUT;
	}
	if (link->pg == NULL)
		rc = pg_borrow(&link->pg, link->cfg, PG_WITNESS, dl, &failure, text, sizeof(text));
	if (rc < 0) {
		because_not_connected(link, failure, text);
		return rc;
	}
	rc = compose(sql, size, link, call);
	if (rc < 0)
		because(link, PG_FAIL_OTHER, "the question to the witness cannot be written");
	return rc;
}

/* The answer did not match our columns, or the function is unknown: ask which version of the
 * schema the witness has. */
static int64_t schema_there(struct record_link *link, const struct deadline *dl)
{
	struct pg_result AUTO_PG_RESULT *row = NULL;
	int64_t schema = 0;

	if (pg_query(&row, link->pg, "SELECT pgvrrp.schema_version()", 1, 1, dl) < 0 ||
	    pg_get_i64(row, 0, 0, &schema) < 0)
		return 0;
	return schema;
}

static int ask_once(struct record_link *link, struct record *record, const char *sql,
		    const struct deadline *dl)
{
	struct pg_result AUTO_PG_RESULT *row = NULL;
	const char *state;
	int rc;

	record->asked_ms = now_ms();
	link->sent = true;
	rc = pg_query(&row, link->pg, sql, RECORD_COLUMNS, 1, dl);
	record->answered_ms = now_ms();
	if (rc == 0) {
		rc = record_read(record, row, link->cfg);
		if (rc < 0)
			because(link, PG_FAIL_OTHER,
				"the witness answered with what cannot be a record");
		return rc < 0 ? -EPROTO : 0;
	}
	because_refused(link, rc);
	state = pg_sqlstate(link->pg);
	if (rc != -EPROTO || (state[0] != '\0' && strcmp(state, "42883") != 0))
		return rc;
	record->schema = schema_there(link, dl);
	return record->schema != 0 && record->schema != RECORD_SCHEMA ? 0 : rc;
}

static int ask(struct record_link *link, struct record *record, const struct call *call,
	       const struct deadline *dl)
{
	char sql[1536];
	int rc;

	*record = (struct record){ .present = FACT_UNKNOWN };
	link->sent = false;
	link->stale = false;
	link->failure = PG_FAIL_NONE;
	link->why[0] = '\0';
	rc = prepare(link, sql, sizeof(sql), call, dl);
	if (rc == 0)
		rc = ask_once(link, record, sql, dl);
	if (rc == 0 && record->schema != RECORD_SCHEMA) {
		because_other_schema(link, record->schema);
		/* Whether a write was done there, is not ours to say. */
		rc = strcmp(call->function, "look") == 0 ? 0 : -EPROTO;
		record->present = FACT_YES;
	}
	if (rc < 0) {
		*record = (struct record){ .asked_ms = record->asked_ms };
		link->stale = rc == -ECONNRESET && pg_was_kept(link->pg);
		pg_close(&link->pg);
	}
	return rc;
}

/* ---- the questions ---- */

int record_look(struct record_link *link, struct record *record, const struct deadline *dl)
{
	const struct call call = { .function = "look" };
	int rc = ask(link, record, &call, dl);

	/* The witness may have been started anew since it was last asked. */
	return rc < 0 && link->stale ? ask(link, record, &call, dl) : rc;
}

/* Which row a write is for, in its arguments. */
static struct call write_to(const char *function, const struct record *seen)
{
	struct call call = { .function = function, .writes = true };

	(void)snprintf(call.origin, sizeof(call.origin), "%s", seen->origin);
	(void)snprintf(call.rest, sizeof(call.rest), ", %" PRId64 ", %" PRId64, seen->term,
		       seen->version);
	return call;
}

PRINTF_LIKE(2, 3) static void add(struct call *call, const char *format, ...)
{
	const size_t used = strlen(call->rest);
	va_list args;

	va_start(args, format);
	(void)vsnprintf(call->rest + used, sizeof(call->rest) - used, format, args);
	va_end(args);
}

/* 0 is what nobody knows. */
static void add_lsn(struct call *call, uint64_t lsn)
{
	char text[24];

	lsn_format(lsn, text, sizeof(text));
	if (lsn == 0)
		add(call, ", NULL");
	else
		add(call, ", '%s'", text);
}

static void add_bool(struct call *call, bool value)
{
	add(call, ", %s", value ? "true" : "false");
}

int record_renew(struct record_link *link, struct record *record, const struct record *seen,
		 bool resume, const struct deadline *dl)
{
	struct call call = write_to("renew", seen);

	add(&call, ", %" PRId64, link->cfg->lease_ms);
	add_bool(&call, resume);
	return ask(link, record, &call, dl);
}

int record_go_solo(struct record_link *link, struct record *record, const struct record *seen,
		   const struct deadline *dl)
{
	const struct call call = write_to("go_solo", seen);

	return ask(link, record, &call, dl);
}

int record_pair(struct record_link *link, struct record *record, const struct record *seen,
		const struct deadline *dl)
{
	struct call call = write_to("pair", seen);

	add(&call, ", %" PRId64, link->cfg->lease_ms);
	add_bool(&call, link->cfg->mode == MODE_SYNC);
	return ask(link, record, &call, dl);
}

int record_release(struct record_link *link, struct record *record, const struct record *seen,
		   uint64_t final_lsn, const struct deadline *dl)
{
	struct call call = write_to("release", seen);

	add_lsn(&call, final_lsn);
	return ask(link, record, &call, dl);
}

int record_take(struct record_link *link, struct record *record, const struct record *seen,
		const struct deadline *dl)
{
	struct call call = write_to("take", seen);

	add(&call, ", %" PRId64, link->cfg->lease_ms);
	return ask(link, record, &call, dl);
}

int record_take_by_word(struct record_link *link, struct record *record, const struct record *seen,
			uint64_t accepted_lsn, const struct deadline *dl)
{
	struct call call = write_to("take_by_word", seen);

	add(&call, ", %" PRId64, link->cfg->lease_ms);
	add_lsn(&call, accepted_lsn);
	return ask(link, record, &call, dl);
}

int record_pause(struct record_link *link, struct record *record, const struct record *seen,
		 bool paused, const struct deadline *dl)
{
	struct call call = write_to("pause", seen);

	add_bool(&call, paused);
	return ask(link, record, &call, dl);
}

int record_pause_for(struct record_link *link, struct record *record, const struct record *seen,
		     const struct pause *pause, const struct deadline *dl)
{
	struct call call = write_to("pause_for", seen);

	call.pause = pause;
	add(&call, ", %" PRId64, pause->left_ms);
	return ask(link, record, &call, dl);
}

int record_create(struct record_link *link, struct record *record, const struct record *seen,
		  int64_t term, const struct deadline *dl)
{
	struct call call = { .function = "create_record", .writes = true, .names_peer = true };

	(void)snprintf(call.origin, sizeof(call.origin), "%s", seen->origin);
	add(&call, ", %" PRId64 ", %" PRId64 ", %" PRId64 ", %" PRId64, term, seen->term,
	    seen->version, link->cfg->lease_ms);
	return ask(link, record, &call, dl);
}
