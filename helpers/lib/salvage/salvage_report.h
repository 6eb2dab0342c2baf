/* SPDX-License-Identifier: PostgreSQL */
/* Reports what was lost, for people and for scripts: written as it is found, whatever its size. */
#ifndef PGV_SALVAGE_REPORT_H
#define PGV_SALVAGE_REPORT_H

#include <stdio.h>

#include "base/report.h"
#include "salvage/salvage_ledger.h"
#include "salvage/salvage_shelf.h"

#define REMARKS_MAX 8

struct salvage_report {
	const struct cfg *cfg;
	const struct salvage *salvage; /* filled by and by; read at the begin and at the end */
	uint32_t their_timeline;       /* of the primary that goes on; 0: not known */
	bool standby;                  /* the data is a standby's */
	char at[32];

	FILE *json_file, *text_file, *body_file;
	struct json json;
	struct ledger_sums totals;
	int64_t transactions, prepared, doubtful; /* doubtful: rows are at least those */
	char remarks[REMARKS_MAX][256];
	size_t remark_count;
};

/* Remarks about the report itself. */
void report_remark(struct salvage_report *report, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Opens the files in salvage->path anew; cfg, salvage, their_timeline and standby are set.  0 or
 * -errno. */
int report_begin(struct salvage_report *report) MUST_CHECK;
/* A transaction that committed. */
int report_commit(struct salvage_report *report, const struct ledger_xact *xact) MUST_CHECK;
/* All of these are told: from now on those that are only prepared. */
void report_commits_end(struct salvage_report *report);
int report_prepare(struct salvage_report *report, const struct ledger_xact *xact) MUST_CHECK;
/* Writes the rest, and makes all of it durable.  0 or -errno. */
int report_end(struct salvage_report *report) MUST_CHECK;

/* Closes what is open.  Safe at any time. */
void report_free(struct salvage_report *report);

#endif
