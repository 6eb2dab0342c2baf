/* SPDX-License-Identifier: PostgreSQL */
/* Asks the primary what is to be copied, and how the copying goes. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "postgres/pg.h"
#include "rebuild/rebuild.h"

/* The sizes of all tablespaces: the primary looks at every file. */
#define SIZES_MS 120000
/* One question about its slots, and how often it is asked when no answer comes. */
#define SLOT_ASK_MS 5000
#define SLOT_TRIES  3
/* An exabyte: no database has it, and sums of sizes below it fit. */
#define BYTES_MAX (INT64_C(1) << 60)
/* Between two looks at the copying; one that comes too late is left out. */
#define PROGRESS_MS 1000

static int ask(struct pg_result **rows, struct pg *pg, const char *sql, size_t columns, char *why,
	       size_t size, const struct deadline *dl)
{
	int rc = pg_query(rows, pg, sql, columns, 0, dl);

	if (rc < 0)
		(void)snprintf(why, size, "%s",
			       pg_error(pg)[0] != '\0' ? pg_error(pg) : strerror(-rc));
	return rc;
}

static int take_spaces(struct rebuild_source *source, const struct pg_result *rows)
{
	for (size_t i = 0; i < pg_rows(rows); i++) {
		struct rebuild_space *space = &source->spaces[source->count];
		char where[REBUILD_PATH_MAX] = "";
		int64_t oid = 0, bytes = 0;
		int rc = pg_get_i64(rows, i, 0, &oid);

		if (rc == 0)
			rc = pg_get_text(rows, i, 1, where, sizeof(where));
		if (rc == 0)
			rc = pg_get_i64(rows, i, 2, &bytes);
		if (rc == 0 && (bytes < 0 || bytes > BYTES_MAX - source->bytes))
			rc = -ERANGE;
		if (rc < 0)
			return rc;
		source->bytes += bytes;
		/* The two of the data directory, and those that lie in it. */
		if (where[0] != '/') {
			source->base_bytes += bytes;
			continue;
		}
		if (source->count == REBUILD_SPACES_MAX)
			return -E2BIG;
		*space = (struct rebuild_space){ .oid = (uint32_t)oid, .bytes = bytes };
		memcpy(space->theirs, where, sizeof(where));
		source->count++;
	}
	return 0;
}

/*
 * Without it the primary may remove WAL between the end of the copy and the first streaming.  One
 * that is in use, lost or not there is done without: pg_basebackup makes one for itself.  An answer
 * that did not come is no such answer, so it is asked for again; where none comes at all the copy,
 * which nothing else may replace, is taken without, and that is said.
 */
static void find_slot(struct rebuild_source *source, const struct cfg *cfg,
		      const struct deadline *dl)
{
	struct server_slots slots = { .known = false };
	const struct server_slot *slot;
	char name[SLOT_NAME_MAX];

	slot_name_of(cfg_self(cfg)->name, name, sizeof(name));
	for (int i = 0; i < SLOT_TRIES && !slots.known && !deadline_passed(dl); i++) {
		struct deadline soon = deadline_sooner(dl, SLOT_ASK_MS);

		server_slots_ask(&slots, cfg, PG_PEER, &soon);
	}
	if (!slots.known) {
		log_warning("it is not known whether %s has the slot %s: %s; the copy is taken "
			    "without it, so WAL that it needs afterwards may be removed",
			    cfg_peer(cfg)->name, name, slots.why);
		return;
	}
	slot = slot_find(&slots, name);
	if (slot != NULL && !slot->active && (slot->hold == SLOT_EMPTY || slot->hold == SLOT_KEEPS))
		memcpy(source->slot, name, sizeof(source->slot));
}

int rebuild_source_ask(struct rebuild_source *source, const struct cfg *cfg,
		       const struct deadline *dl, char *why, size_t size)
{
	struct deadline soon = deadline_sooner(dl, SIZES_MS);
	struct pg_result AUTO_PG_RESULT *rights = NULL;
	struct pg_result AUTO_PG_RESULT *spaces = NULL;
	struct pg AUTO_PG *pg = NULL;
	enum pg_failure failure;
	int rc = pg_open(&pg, cfg, PG_PEER, &soon, &failure, why, size);

	*source = (struct rebuild_source){ .count = 0 };
	if (rc == 0)
		rc = ask(&rights, pg,
			 "SELECT rolreplication OR rolsuper, current_setting('wal_level'),"
			 " current_setting('max_wal_senders')::bigint - (SELECT count(*) FROM"
			 " pg_stat_activity WHERE backend_type = 'walsender')"
			 " FROM pg_roles WHERE rolname = current_user",
			 3, why, size, &soon);
	if (rc == 0)
		rc = ask(&spaces, pg,
			 "SELECT oid::bigint, pg_tablespace_location(oid), pg_tablespace_size(oid)"
			 " FROM pg_tablespace ORDER BY oid",
			 3, why, size, &soon);
	if (rc < 0)
		return rc;
	rc = pg_rows(rights) == 1 ? pg_get_bool(rights, 0, 0, &source->replication) : -EPROTO;
	if (rc == 0)
		rc = pg_get_text(rights, 0, 1, source->wal_level, sizeof(source->wal_level));
	if (rc == 0)
		rc = pg_get_i64(rights, 0, 2, &source->senders);
	if (rc == 0)
		rc = take_spaces(source, spaces);
	if (rc < 0)
		(void)snprintf(why, size, "its tablespaces cannot be told: %s", strerror(-rc));
	else
		find_slot(source, cfg, &soon);
	return rc;
}

int rebuild_progress_ask(struct rebuild_progress *progress, const struct cfg *cfg,
			 const struct deadline *dl)
{
	struct deadline soon = deadline_sooner(dl, PROGRESS_MS);
	struct pg_result AUTO_PG_RESULT *row = NULL;
	struct pg AUTO_PG *pg = NULL;
	enum pg_failure failure;
	char why[160], name[64], sql[400];
	int rc = pg_open(&pg, cfg, PG_PEER, &soon, &failure, why, sizeof(why));

	*progress = (struct rebuild_progress){ .done_bytes = 0 };
	rebuild_application_name(name, sizeof(name), cfg);
	(void)snprintf(sql, sizeof(sql),
		       "SELECT coalesce(sum(backup_streamed), 0)::bigint,"
		       " coalesce(sum(backup_total), 0)::bigint, coalesce(max(phase), '')"
		       " FROM pg_stat_progress_basebackup JOIN pg_stat_activity USING (pid)"
		       " WHERE application_name = '%s'",
		       name);
	if (rc == 0)
		rc = pg_query(&row, pg, sql, 3, 1, &soon);
	if (rc == 0)
		rc = pg_get_i64(row, 0, 0, &progress->done_bytes);
	if (rc == 0)
		rc = pg_get_i64(row, 0, 1, &progress->total_bytes);
	if (rc == 0 && (progress->done_bytes < 0 || progress->done_bytes > BYTES_MAX ||
			progress->total_bytes < 0 || progress->total_bytes > BYTES_MAX))
		rc = -ERANGE;
	if (rc == 0)
		rc = pg_get_text(row, 0, 2, progress->phase, sizeof(progress->phase));
	return rc;
}

/* ---- in words ---- */

static void amount(int64_t bytes, char *text, size_t size)
{
	static const char *const units[] = { "kB", "MB", "GB", "TB" };
	double number = (double)bytes / 1024;
	size_t unit = 0;

	while (number >= 1000 && unit + 1 < ARRAY_COUNT(units)) {
		number /= 1024;
		unit++;
	}
	(void)snprintf(text, size, "%.1f %s", number, units[unit]);
}

static void span(int64_t seconds, char *text, size_t size)
{
	if (seconds >= 3600)
		(void)snprintf(text, size, "%" PRId64 " h %" PRId64 " min", seconds / 3600,
			       seconds % 3600 / 60);
	else if (seconds >= 60)
		(void)snprintf(text, size, "%" PRId64 " min %" PRId64 " s", seconds / 60,
			       seconds % 60);
	else
		(void)snprintf(text, size, "%" PRId64 " s", seconds);
}

/* A rate or a time, where the first look came very soon. */
static int64_t bounded(double number)
{
	return number < (double)BYTES_MAX ? (int64_t)number : BYTES_MAX;
}

void rebuild_progress_words(const struct rebuild_progress *progress, int64_t ms, char *text,
			    size_t size)
{
	char done[32], total[32], rate[32], left[48];
	int64_t rest = progress->total_bytes - progress->done_bytes;
	double per_ms = ms > 0 ? (double)progress->done_bytes / (double)ms : 0;

	if (progress->done_bytes == 0 || progress->total_bytes <= 0 || per_ms <= 0) {
		(void)snprintf(text, size, "%s",
			       progress->phase[0] != '\0' ? progress->phase
							  : "pg_basebackup is at work");
		return;
	}
	amount(progress->done_bytes, done, sizeof(done));
	amount(progress->total_bytes, total, sizeof(total));
	amount(bounded(per_ms * 1000), rate, sizeof(rate));
	/* The total is an estimate, and the database may have grown since. */
	span(rest > 0 ? bounded((double)rest / per_ms / 1000) : 0, left, sizeof(left));
	(void)snprintf(
	    text, size, "%s of %s, %d %%, %s/s, %s left", done, total,
	    rest > 0 ? (int)((double)progress->done_bytes * 100 / (double)progress->total_bytes)
		     : 100,
	    rate, left);
}
