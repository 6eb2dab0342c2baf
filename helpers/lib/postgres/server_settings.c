/* SPDX-License-Identifier: PostgreSQL */
#include "postgres/server_settings.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "postgres/pgdata.h"
#include "postgres/pgdata_setting.h"
#include "postgres/server_owner.h"
#include "postgres/server_slots.h"

#define ASK_MS 2000

void server_settings_begin(struct server_settings *settings, const char *const *names, size_t count)
{
	*settings = (struct server_settings){ .count = 0 };
	for (size_t i = 0; i < count && i < SERVER_SETTINGS_MAX; i++)
		settings->list[settings->count++].name = names[i];
}

/* count: there is none. */
static size_t place_of(const struct server_settings *settings, const char *name)
{
	size_t i = 0;

	while (i < settings->count && strcmp(settings->list[i].name, name) != 0)
		i++;
	return i;
}

static struct server_setting *find(struct server_settings *settings, const char *name)
{
	const size_t i = place_of(settings, name);

	return i < settings->count ? &settings->list[i] : NULL;
}

const struct server_setting *server_setting(const struct server_settings *settings,
					    const char *name)
{
	const size_t i = place_of(settings, name);

	return i < settings->count ? &settings->list[i] : NULL;
}

/* ---- the server ---- */

/* A text that is longer than we keep is not known, and no reason to know nothing else. */
static int take_text(const struct pg_result *rows, size_t row, size_t column, char *value,
		     size_t size, bool *taken)
{
	int rc = pg_get_text(rows, row, column, value, size);

	*taken = rc == 0;
	if (rc < 0)
		value[0] = '\0';
	return rc == -EFBIG ? 0 : rc;
}

static int take_setting(struct server_setting *to, const struct pg_result *rows, size_t row)
{
	bool whole = false, of_server = false, told;
	int rc = take_text(rows, row, 1, to->now, sizeof(to->now), &whole);

	if (rc == 0)
		rc = pg_get_bool(rows, row, 2, &to->standard);
	if (rc == 0)
		rc = pg_get_bool(rows, row, 3, &to->pending);
	if (rc == 0)
		rc = pg_get_bool(rows, row, 4, &to->by_call);
	if (rc == 0)
		rc = pg_get_bool(rows, row, 5, &of_server);
	if (rc == 0)
		rc = take_text(rows, row, 6, to->file, sizeof(to->file), &told);
	if (rc == 0)
		rc = pg_get_i64(rows, row, 7, &to->line);
	to->now_known = rc == 0 && whole && of_server;
	return rc;
}

static int take_place(struct server_setting *to, const struct pg_result *rows, size_t row)
{
	bool told;
	int rc = take_text(rows, row, 1, to->file, sizeof(to->file), &told);

	return rc < 0 ? rc : pg_get_i64(rows, row, 2, &to->line);
}

/* Of rows whose first column is a name, each that is wanted. */
static int take_rows(struct server_settings *settings, const struct pg_result *rows,
		     int (*take)(struct server_setting *to, const struct pg_result *rows,
				 size_t row))
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < pg_rows(rows); i++) {
		char name[64] = "";
		struct server_setting *to;
		bool told;

		rc = take_text(rows, i, 0, name, sizeof(name), &told);
		to = rc == 0 ? find(settings, name) : NULL;
		if (to != NULL)
			rc = take(to, rows, i);
	}
	return rc;
}

/* A value of the role or database of this very session says nothing about the server. */
static int ask_settings(struct server_settings *settings, struct pg *pg, const struct deadline *dl)
{
	static const char sql[] =
	    "SELECT name, coalesce(reset_val, ''), source = 'default', pending_restart,"
	    " source IN ('command line', 'environment variable'),"
	    " source NOT IN ('global', 'database', 'user', 'database user', 'client', 'session'),"
	    " coalesce(sourcefile, ''), coalesce(sourceline, 0) FROM pg_settings";
	struct pg_result AUTO_PG_RESULT *rows = NULL;
	int rc = pg_query(&rows, pg, sql, 8, 1, dl);

	if (rc == 0)
		rc = take_rows(settings, rows, take_setting);
	return rc;
}

/* Files may have been written since the server last read its own: the last line of a name is where
 * the next start takes it from.  Only a superuser may see this; another one is told the older
 * place. */
static int ask_places(struct server_settings *settings, struct pg *pg, const struct deadline *dl)
{
	static const char sql[] =
	    "SELECT DISTINCT ON (name) name, sourcefile, sourceline FROM pg_file_settings"
	    " WHERE name IS NOT NULL AND sourcefile IS NOT NULL ORDER BY name, seqno DESC";
	struct pg_result AUTO_PG_RESULT *rows = NULL;
	int rc = pg_query(&rows, pg, sql, 3, 0, dl);

	if (rc == 0)
		rc = take_rows(settings, rows, take_place);
	return rc == -EPROTO && strcmp(pg_sqlstate(pg), "42501") == 0 ? 0 : rc;
}

/* Are they one directory?  What cannot be resolved is compared as it is written. */
static bool same_place(const char *a, const char *b)
{
	char AUTO_FREE *left = realpath(a, NULL);
	char AUTO_FREE *right = realpath(b, NULL);

	return strcmp(left != NULL ? left : a, right != NULL ? right : b) == 0;
}

static int ask_itself(struct server_settings *settings, struct pg *pg, const char *data_dir,
		      const struct deadline *dl)
{
	static const char sql[] =
	    "SELECT pg_is_in_recovery(), current_setting('data_directory'), count(*),"
	    " count(*) FILTER (WHERE slot_type = 'logical'),"
	    " count(*) FILTER (WHERE NOT starts_with(slot_name::text, '" SLOT_PREFIX "'))"
	    " FROM pg_replication_slots WHERE NOT temporary";
	struct pg_result AUTO_PG_RESULT *row = NULL;
	char place[CFG_PATH_MAX] = "";
	int rc = pg_query(&row, pg, sql, 5, 1, dl);

	if (rc == 0)
		rc = pg_get_bool(row, 0, 0, &settings->standby);
	if (rc == 0)
		rc = pg_get_text(row, 0, 1, place, sizeof(place));
	if (rc == 0)
		rc = pg_get_i64(row, 0, 2, &settings->slots);
	if (rc == 0)
		rc = pg_get_i64(row, 0, 3, &settings->logical_slots);
	if (rc == 0)
		rc = pg_get_i64(row, 0, 4, &settings->other_slots);
	if (rc == 0 && data_dir != NULL && !same_place(place, data_dir)) {
		(void)snprintf(settings->why, sizeof(settings->why),
			       "the server that answers has its data in %.100s", place);
		return -EXDEV;
	}
	return rc;
}

static void ask(struct server_settings *settings, struct pg *pg, const char *data_dir,
		const struct deadline *dl)
{
	int rc = ask_itself(settings, pg, data_dir, dl);

	if (rc == 0)
		rc = ask_settings(settings, pg, dl);
	if (rc == 0)
		rc = ask_places(settings, pg, dl);
	settings->known = rc == 0;
	for (size_t i = 0; i < settings->count && rc < 0; i++)
		settings->list[i].now_known = false;
	if (rc < 0 && rc != -EXDEV)
		(void)snprintf(settings->why, sizeof(settings->why), "%.120s",
			       rc == -EPROTO && pg_error(pg)[0] != '\0' ? pg_error(pg)
									: strerror(-rc));
}

void server_settings_ask(struct server_settings *settings, const struct cfg *cfg,
			 enum pg_where where, const struct deadline *dl)
{
	const char *data_dir = where == PG_LOCAL ? cfg->data_dir : NULL;
	struct deadline soon = deadline_sooner(dl, ASK_MS);
	struct pg AUTO_PG *pg = NULL;
	int rc = -EPERM;

	if (where == PG_LOCAL)
		rc = server_open_owner(&pg, cfg, &soon, &settings->failure, settings->why,
				       sizeof(settings->why));
	if (rc < 0) {
		pg_close(&pg);
		rc = pg_open(&pg, cfg, where, &soon, &settings->failure, settings->why,
			     sizeof(settings->why));
	}
	if (rc == 0)
		ask(settings, pg, data_dir, &soon);
}

/* ---- the files ---- */

/* As many at a time as pgdata_settings takes. */
static int read_some(struct server_setting *list, size_t count, const struct cfg *cfg,
		     const struct deadline *dl)
{
	struct pgdata_setting values[PGDATA_SETTINGS_MAX] = { 0 };
	int rc;

	for (size_t i = 0; i < count; i++)
		values[i].name = list[i].name;
	rc = pgdata_settings(values, count, cfg, dl);
	for (size_t i = 0; i < count && rc == 0; i++) {
		(void)snprintf(list[i].next, sizeof(list[i].next), "%s", values[i].value);
		/* The text may have been cut off. */
		list[i].next_known = strlen(values[i].value) + 1 < sizeof(values[i].value);
	}
	return rc;
}

static void take_control(void *context, const char *name, const char *value)
{
	struct server_setting *to = find(context, name);

	if (to == NULL)
		return;
	(void)snprintf(to->now, sizeof(to->now), "%s", value);
	to->now_known = true;
}

void server_settings_read(struct server_settings *settings, const struct cfg *cfg,
			  const struct deadline *dl)
{
	size_t done = 0;
	int major;
	int rc = pgdata_version(cfg, &major);

	if (rc == 0)
		rc = pgdata_settings_usable(cfg, settings->files_why, sizeof(settings->files_why),
					    dl);
	settings->files_unusable = rc == -EPROTO;
	if (!settings->known && (rc == 0 || rc == -EPROTO)) {
		const struct pgdata_control_reader reader = { take_control, settings };

		settings->control_known = pgdata_control_settings(&reader, cfg, dl) == 0;
	}
	while (rc == 0 && done < settings->count) {
		size_t left = settings->count - done;
		size_t some = left < PGDATA_SETTINGS_MAX ? left : PGDATA_SETTINGS_MAX;

		rc = read_some(&settings->list[done], some, cfg, dl);
		done += some;
	}
	settings->files_known = rc == 0;
	if (rc < 0 && settings->files_why[0] == '\0')
		(void)snprintf(settings->files_why, sizeof(settings->files_why), "%.150s: %s",
			       cfg->data_dir, strerror(-rc));
}
