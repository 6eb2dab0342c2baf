/* SPDX-License-Identifier: PostgreSQL */
#include "salvage/salvage_report.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "postgres/pg.h"
#include "salvage/salvage_words.h"

/* The catalogs have numbers below this, unless they were rewritten (VACUUM FULL). */
#define FIRST_USER_NODE 16384

void report_remark(struct salvage_report *report, const char *fmt, ...)
{
	va_list args;

	if (report->remark_count == REMARKS_MAX)
		return;
	va_start(args, fmt);
	(void)vsnprintf(report->remarks[report->remark_count++], sizeof(report->remarks[0]), fmt,
			args);
	va_end(args);
}

/* ---- JSON ---- */

static void put_lsn(struct json *json, const char *key, uint64_t lsn)
{
	char text[32];

	lsn_format(lsn, text, sizeof(text));
	json_text(json, key, text);
}

static void put_rows(struct json *json, const struct ledger_sums *sums)
{
	json_array(json, "relations");
	for (size_t i = 0; i < sums->count; i++) {
		const struct ledger_rows *rows = &sums->rows[i];

		json_object(json, NULL);
		json_number(json, "tablespace", rows->relation.tablespace);
		json_number(json, "database", rows->relation.database);
		json_number(json, "relfilenode", rows->relation.node);
		json_bool(json, "catalog", rows->relation.node < FIRST_USER_NODE);
		/* Without wal_level = logical nothing in the WAL tells them apart. */
		if (rows->toast)
			json_bool(json, "toast", true);
		else
			json_null(json, "toast");
		json_number(json, "inserted", rows->inserted);
		json_number(json, "updated", rows->updated);
		json_number(json, "deleted", rows->deleted);
		json_close_object(json);
	}
	json_close_array(json);
}

static void put_xact(struct json *json, const struct ledger_xact *xact)
{
	json_object(json, NULL);
	json_number(json, "xid", xact->xid);
	json_text(json, "time", xact->time);
	put_lsn(json, "lsn", xact->lsn);
	json_number(json, "subtransactions", (int64_t)xact->subxacts);
	json_bool(json, "rows_complete", xact->whole);
	if (xact->prepared) {
		json_text(json, "gid", xact->gid[0] != '\0' ? xact->gid : NULL);
		json_bool(json, "prepared_before_fork", xact->prepared_before);
	}
	put_rows(json, &xact->sums);
	json_close_object(json);
}

static void put_head(struct salvage_report *report)
{
	const struct salvage *s = report->salvage;
	struct json *json = &report->json;
	char system[24];

	json_begin(json, report->json_file);
	json_text(json, "cluster", report->cfg->name);
	json_text(json, "node", cfg_self(report->cfg)->name);
	json_text(json, "mode", report->cfg->mode == MODE_SYNC ? "sync" : "async");
	json_text(json, "at", report->at);
	(void)snprintf(system, sizeof(system), "%" PRIu64, s->system_identifier);
	json_text(json, "system_identifier", system);
	json_text(json, "data", report->standby ? "standby" : "primary");
	json_number(json, "timeline", s->timeline);
	put_lsn(json, "fork_lsn", s->fork);
	json_bool(json, "fork_known", s->fork_known);
	json_object(json, "primary");
	json_text(json, "node", cfg_peer(report->cfg)->name);
	if (report->their_timeline != 0)
		json_number(json, "timeline", report->their_timeline);
	else
		json_null(json, "timeline");
	json_close_object(json);
	json_array(json, "transactions");
}

static void put_tail(struct salvage_report *report)
{
	const struct salvage *s = report->salvage;
	struct json *json = &report->json;

	json_close_array(json);
	json_number(json, "transaction_count", report->transactions);
	json_number(json, "prepared_count", report->prepared);
	put_rows(json, &report->totals);
	put_lsn(json, "end_lsn", s->end);
	json_number(json, "bytes", s->bytes);
	json_text(json, "wal", s->wal_kept ? "pg_wal" : NULL);
	json_bool(json, "complete", s->whole);
	json_text(json, "names", "names.sql");
	json_array(json, "remarks");
	for (size_t i = 0; i < report->remark_count; i++)
		json_text(json, NULL, report->remarks[i]);
	json_close_array(json);
	json_end(json);
}

/* ---- text ---- */

static void say_count(FILE *out, const char **separator, int64_t count, const char *what)
{
	if (count == 0)
		return;
	(void)fprintf(out, "%s%" PRId64 " %s", *separator, count, what);
	*separator = ", ";
}

static void say_rows(FILE *out, const struct ledger_rows *rows)
{
	const char *separator = " ";

	(void)fprintf(out, "%" PRIu32 "/%" PRIu32 "/%" PRIu32 "%s:", rows->relation.tablespace,
		      rows->relation.database, rows->relation.node, rows->toast ? " (TOAST)" : "");
	say_count(out, &separator, rows->inserted, "inserted");
	say_count(out, &separator, rows->updated, "updated");
	say_count(out, &separator, rows->deleted, "deleted");
	if (separator[0] == ' ')
		(void)fputs(" none left", out);
}

static void say_xact(FILE *out, const struct ledger_xact *xact, const char *what)
{
	char lsn[32];
	int64_t catalog = 0;
	bool any = false;

	lsn_format(xact->lsn, lsn, sizeof(lsn));
	(void)fprintf(out, "%s  xid %-10" PRIu32 " %s at %s", xact->time, xact->xid, what, lsn);
	if (xact->gid[0] != '\0')
		words_quoted(out, ", prepared as ", xact->gid);
	if (xact->prepared_before)
		(void)fputs(", prepared before the fork: the new primary has it, undecided", out);
	for (size_t i = 0; i < xact->sums.count; i++) {
		const struct ledger_rows *rows = &xact->sums.rows[i];

		if (rows->relation.node < FIRST_USER_NODE) {
			catalog += rows->inserted + rows->updated + rows->deleted;
			continue;
		}
		(void)fputs(any ? "; " : "  ", out);
		any = true;
		say_rows(out, rows);
	}
	if (catalog != 0)
		(void)fprintf(out, "%s%" PRId64 " rows of catalogs", any ? "; " : "  ", catalog);
	else if (!any)
		(void)fputs("  no rows", out);
	(void)fprintf(out, "%s\n", xact->whole ? "" : " (at least)");
}

/* ---- the files ---- */

static FILE *open_in(const struct salvage_report *report, const char *name, const char *mode)
{
	char path[sizeof(report->salvage->path.text) + 32];

	(void)snprintf(path, sizeof(path), "%s/%s", report->salvage->path.text, name);
	return fopen(path, mode);
}

static int finish_file(FILE **file)
{
	FILE *out = *file;
	int rc = 0;

	*file = NULL;
	if (fflush(out) != 0 || ferror(out) != 0)
		rc = errno != 0 ? -errno : -EIO;
	if (rc == 0 && fsync(fileno(out)) < 0)
		rc = -errno;
	if (fclose(out) != 0 && rc == 0)
		rc = errno != 0 ? -errno : -EIO;
	return rc;
}

void report_free(struct salvage_report *report)
{
	FILE **const files[] = { &report->json_file, &report->text_file, &report->body_file };

	for (size_t i = 0; i < ARRAY_COUNT(files); i++) {
		if (*files[i] != NULL)
			(void)fclose(*files[i]);
		*files[i] = NULL;
	}
	free(report->totals.rows);
	report->totals = (struct ledger_sums){ 0 };
}

int report_begin(struct salvage_report *report)
{
	report_free(report);
	report->transactions = 0;
	report->prepared = 0;
	report->doubtful = 0;
	text_wall_clock(report->at, sizeof(report->at));
	report->json_file = open_in(report, "report.json", "we");
	/* The report for people begins with the sums, which are known last. */
	report->body_file = open_in(report, "report.txt.body", "w+e");
	if (report->json_file == NULL || report->body_file == NULL)
		return -errno;
	put_head(report);
	return 0;
}

/* A full disk is noticed here, not after all has been read. */
static int is_written(const struct salvage_report *report)
{
	return ferror(report->json_file) != 0 || ferror(report->body_file) != 0 ? -ENOSPC : 0;
}

int report_commit(struct salvage_report *report, const struct ledger_xact *xact)
{
	int rc = 0;

	report->transactions++;
	if (!xact->whole)
		report->doubtful++;
	for (size_t i = 0; i < xact->sums.count && rc == 0; i++)
		rc = ledger_add(&report->totals, &xact->sums.rows[i]);
	put_xact(&report->json, xact);
	say_xact(report->body_file, xact, xact->prepared ? "COMMIT PREPARED" : "COMMIT");
	return rc < 0 ? rc : is_written(report);
}

void report_commits_end(struct salvage_report *report)
{
	json_close_array(&report->json);
	json_array(&report->json, "prepared");
}

int report_prepare(struct salvage_report *report, const struct ledger_xact *xact)
{
	report->prepared++;
	put_xact(&report->json, xact);
	say_xact(report->body_file, xact, "PREPARE, not decided");
	return is_written(report);
}

static int copy_body(struct salvage_report *report)
{
	char part[4096];
	size_t got;

	if (fflush(report->body_file) != 0 || fseek(report->body_file, 0, SEEK_SET) != 0)
		return errno != 0 ? -errno : -EIO;
	while ((got = fread(part, 1, sizeof(part), report->body_file)) > 0)
		if (fwrite(part, 1, got, report->text_file) != got)
			return -ENOSPC;
	return ferror(report->body_file) != 0 ? -EIO : 0;
}

int report_end(struct salvage_report *report)
{
	char body[sizeof(report->salvage->path.text) + 32];
	int rc;

	put_tail(report);
	rc = finish_file(&report->json_file);
	report->text_file = open_in(report, "report.txt", "we");
	if (rc == 0 && report->text_file == NULL)
		rc = -errno;
	if (rc < 0)
		return rc;
	words_summary(report->text_file, report);
	rc = copy_body(report);
	if (rc == 0)
		rc = finish_file(&report->text_file);
	(void)snprintf(body, sizeof(body), "%s/report.txt.body", report->salvage->path.text);
	(void)unlink(body);
	if (rc < 0)
		return rc;
	report->text_file = open_in(report, "names.sql", "we");
	if (report->text_file == NULL)
		return -errno;
	words_names(report->text_file, report);
	return finish_file(&report->text_file);
}
