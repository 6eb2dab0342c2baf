/* SPDX-License-Identifier: PostgreSQL */
#include "salvage/salvage_words.h"

#include <inttypes.h>
#include <stdlib.h>

#include "postgres/pg.h"

void words_quoted(FILE *out, const char *before, const char *text)
{
	(void)fprintf(out, "%s\"", before);
	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;

		(void)fputc(c < 0x20 || c >= 0x7f || c == '"' ? '?' : c, out);
	}
	(void)fputc('"', out);
}

/* ---- what it means ---- */

static void say_meaning(FILE *out, const struct salvage_report *report)
{
	if (report->transactions == 0 && report->prepared == 0) {
		(void)fprintf(out, "No transaction committed there: nothing was lost.\n");
		return;
	}
	if (report->standby)
		(void)fprintf(
		    out, "This node was a standby that had replayed them.  The primary that it "
			 "followed then may have\ntold clients that they are committed.\n");
	else if (report->cfg->mode == MODE_SYNC)
		(void)fprintf(
		    out,
		    "mode = sync: no client was told that any of them is committed, because each "
		    "waited for the\nstandby, which never confirmed it; unless a client went "
		    "around "
		    "that with synchronous_commit = local\nor off.  A client that lost its "
		    "connection "
		    "while it waited does not know, and may ask.\n");
	else
		(void)fprintf(
		    out, "mode = async: clients may have been told that they are committed.\n");
}

static void say_location(FILE *out, const struct salvage_report *report)
{
	const struct salvage *s = report->salvage;
	char fork[32], end[32];

	lsn_format(s->fork, fork, sizeof(fork));
	lsn_format(s->end, end, sizeof(end));
	if (s->fork_known)
		(void)fprintf(out, "The histories part at %s; ", fork);
	else
		(void)fprintf(out,
			      "Where the histories part is not known, so this begins with the "
			      "oldest WAL, at %s; ",
			      fork);
	(void)fprintf(out,
		      "this node, on timeline %" PRIu32 ", went on to %s: %" PRId64 " bytes.\n",
		      s->timeline, end, s->bytes);
}

/* ---- sums ---- */

static void say_sums(FILE *out, const struct ledger_sums *sums)
{
	if (sums->count == 0)
		return;
	(void)fprintf(out, "\n%-32s %12s %12s %12s\n", "tablespace/database/relfilenode",
		      "inserted", "updated", "deleted");
	for (size_t i = 0; i < sums->count; i++) {
		const struct ledger_rows *rows = &sums->rows[i];
		char relation[48];

		(void)snprintf(relation, sizeof(relation), "%" PRIu32 "/%" PRIu32 "/%" PRIu32,
			       rows->relation.tablespace, rows->relation.database,
			       rows->relation.node);
		(void)fprintf(out, "%-32s %12" PRId64 " %12" PRId64 " %12" PRId64 "%s\n", relation,
			      rows->inserted, rows->updated, rows->deleted,
			      rows->toast ? "  TOAST" : "");
	}
	(void)fprintf(
	    out,
	    "\nThe names of the tables are in the catalogs of a server that runs, and this one did "
	    "not.  To see\nthem, on the new primary, before a table is rewritten there (VACUUM "
	    "FULL, "
	    "TRUNCATE, ALTER TABLE):\n\n    psql -X -f names.sql\n\n"
	    "A table that has its large values elsewhere (TOAST) is listed twice; names.sql says "
	    "which belongs\nto which.  Indexes and sequences are not listed.\n");
}

void words_summary(FILE *out, const struct salvage_report *report)
{
	const struct salvage *s = report->salvage;

	(void)fprintf(
	    out,
	    "What %s had and %s does not\n\ncluster %s, written at %s, before the data of "
	    "%s was replaced.\n",
	    cfg_self(report->cfg)->name, cfg_peer(report->cfg)->name, report->cfg->name, report->at,
	    cfg_self(report->cfg)->name);
	say_location(out, report);
	(void)fprintf(out,
		      "Transactions that committed there: %" PRId64 "; prepared and not "
		      "decided: %" PRId64 ".\n",
		      report->transactions, report->prepared);
	say_meaning(out, report);
	if (s->wal_kept)
		(void)fprintf(out, "The WAL itself is in pg_wal/ beside this file.\n");
	if (!s->whole)
		(void)fprintf(out, "THIS REPORT IS NOT COMPLETE:\n");
	for (size_t i = 0; i < report->remark_count; i++)
		(void)fprintf(out, "- %s\n", report->remarks[i]);
	say_sums(out, &report->totals);
	if (report->transactions > 0 || report->prepared > 0)
		(void)fprintf(out, "\nThe transactions, in the order of their commits; times in "
				   "UTC:\n\n");
}

/* ---- names ---- */

static int by_database(const void *a, const void *b)
{
	const struct wal_relation *r = &((const struct ledger_rows *)a)->relation;
	const struct wal_relation *q = &((const struct ledger_rows *)b)->relation;

	if (r->database != q->database)
		return r->database < q->database ? -1 : 1;
	return (r->node > q->node) - (r->node < q->node);
}

static void say_values(FILE *out, const struct ledger_rows *rows, size_t count)
{
	(void)fprintf(out,
		      "SELECT f.tablespace, f.node AS relfilenode, c.oid::regclass AS relation,\n"
		      "       CASE c.relkind WHEN 't' THEN (SELECT o.oid::regclass FROM pg_class o"
		      " WHERE o.reltoastrelid = c.oid) END AS toast_of,\n"
		      "       f.inserted, f.updated, f.deleted\n  FROM (VALUES");
	for (size_t i = 0; i < count; i++)
		(void)fprintf(out,
			      "%s\n    (%" PRIu32 "::oid, %" PRIu32 "::oid, %" PRId64
			      "::bigint, %" PRId64 "::bigint, %" PRId64 "::bigint)",
			      i > 0 ? "," : "", rows[i].relation.tablespace, rows[i].relation.node,
			      rows[i].inserted, rows[i].updated, rows[i].deleted);
	(void)fprintf(
	    out, ") AS f (tablespace, node, inserted, updated, deleted)\n"
		 "  LEFT JOIN pg_class c ON c.oid = pg_filenode_relation(f.tablespace, f.node)\n"
		 " ORDER BY 1, 2;\n");
}

void words_names(FILE *out, const struct salvage_report *report)
{
	const struct ledger_sums *sums = &report->totals;
	struct ledger_rows AUTO_FREE *rows = calloc(sums->count + 1, sizeof(*rows));
	size_t end;

	(void)fprintf(out,
		      "-- Which tables the numbers in report.txt are: on the new primary, as a "
		      "superuser,\n--     psql -X -f names.sql\n-- No name: made after the fork, "
		      "or dropped or rewritten since.\n\\set ON_ERROR_STOP on\n");
	if (rows == NULL)
		return;
	for (size_t i = 0; i < sums->count; i++)
		rows[i] = sums->rows[i];
	qsort(rows, sums->count, sizeof(*rows), by_database);
	for (size_t begin = 0; begin < sums->count; begin = end) {
		uint32_t database = rows[begin].relation.database;

		for (end = begin; end < sums->count && rows[end].relation.database == database;)
			end++;
		/* 0: catalogs that every database has. */
		if (database != 0)
			(void)fprintf(out,
				      "\nSELECT datname FROM pg_database WHERE oid = %" PRIu32
				      " \\gset\n\\connect :\"datname\"\n",
				      database);
		say_values(out, rows + begin, end - begin);
	}
}
