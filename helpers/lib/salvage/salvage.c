/* SPDX-License-Identifier: PostgreSQL */
#include "salvage/salvage.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/log.h"
#include "postgres/pg.h"
#include "salvage/salvage_report.h"
#include "salvage/salvage_wal.h"

/* A transaction that committed after the fork may have begun long before.  First the file of the
 * fork is read from its begin, and only when that does not do, so much before it. */
#define BACK_BYTES INT64_C(1073741824)
/* For the report; more than a disk that is nearly full has. */
#define ROOM_LEAST INT64_C(16777216)

struct maker {
	const struct salvage_job *job;
	struct salvage *salvage;
	struct wal_span span;
	struct dump dump;
	struct salvage_report report;
	char *why;
	size_t why_size;
};

static int explain(struct maker *m, int rc, const char *what)
{
	(void)snprintf(m->why, m->why_size, "%s: %s", what, strerror(-rc));
	return rc;
}

/* ---- what is there already ---- */

static int note_end(void *arg, const struct ledger_xact *xact)
{
	(void)xact;
	*(bool *)arg = true;
	return 0;
}

static int feed(void *arg, const struct wal_line *line)
{
	return ledger_take(arg, line);
}

/*
 * Does the one that was found end where our WAL does?  Recovery adds a checkpoint to what a crashed
 * server wrote; a primary that ran again adds transactions.
 */
static bool still_holds(const struct maker *m, const struct salvage *found)
{
	const struct dump_range range = { .timeline = found->timeline, .begin = found->last };
	bool more = false;
	struct ledger *ledger = ledger_new(found->end, note_end, &more);
	struct dump dump = { .cfg = m->job->cfg, .dl = m->job->dl, .take = feed, .arg = ledger };
	int rc = ledger == NULL ? -ENOMEM : dump_range(&dump, &range);

	if (rc == 0)
		rc = ledger_prepared(ledger, note_end, &more);
	ledger_free(ledger);
	return rc == 0 && !more && dump.strange == 0 && dump.records > 0;
}

static bool find_whole(struct maker *m)
{
	struct salvage found;

	if (shelf_find(&found, m->job->cfg, m->salvage) < 0 || !still_holds(m, &found))
		return false;
	log_info("what diverged was kept before: %s", found.path.text);
	*m->salvage = found;
	return true;
}

/* ---- reading ---- */

static int told(void *arg, const struct ledger_xact *xact)
{
	return report_commit(arg, xact);
}

static int told_prepared(void *arg, const struct ledger_xact *xact)
{
	return report_prepare(arg, xact);
}

/* 0 also when transactions are doubtful. */
static int read_span(struct maker *m)
{
	struct ledger *ledger = ledger_new(m->span.fork, told, &m->report);
	int rc = ledger == NULL ? -ENOMEM : report_begin(&m->report);

	m->dump =
	    (struct dump){ .cfg = m->job->cfg, .dl = m->job->dl, .take = feed, .arg = ledger };
	for (size_t i = 0; i < m->span.count && rc == 0; i++)
		rc = dump_range(&m->dump, &m->span.ranges[i]);
	if (rc == 0) {
		report_commits_end(&m->report);
		rc = ledger_prepared(ledger, told_prepared, &m->report);
	}
	ledger_free(ledger);
	return rc;
}

static int read_all(struct maker *m)
{
	struct wal_span longer;
	int rc = read_span(m);

	if (rc == 0 && m->report.doubtful > 0 &&
	    wal_span_find(&longer, m->job->cfg, m->job->ours, m->job->fork, BACK_BYTES) == 0 &&
	    longer.begin < m->span.begin) {
		m->span = longer;
		rc = read_span(m);
	}
	if (rc == -ENOENT)
		return explain(m, rc, "pg_waldump is not in bin_dir");
	if (rc == -EPROTO)
		(void)snprintf(m->why, m->why_size, "pg_waldump failed: %s", m->dump.why);
	else if (rc < 0)
		return explain(m, rc, "the WAL could not be read");
	return rc;
}

/* ---- was that all? ---- */

/* WAL ends where no further record is; so does WAL of which a part is missing or broken. */
static int check_end(struct maker *m)
{
	const struct salvage_job *job = m->job;
	struct salvage *s = m->salvage;
	uint64_t last = m->dump.last, known = job->checkpoint;
	char at[32], wanted[32];

	s->last = last;
	s->end =
	    last == 0 ? s->fork : wal_record_end(last, m->dump.last_bytes, m->span.segment_bytes);
	if (s->end < s->fork)
		s->end = s->fork;
	s->bytes = (int64_t)(s->end - s->fork);
	if (job->reached > known)
		known = job->reached;
	lsn_format(s->end, at, sizeof(at));
	if ((job->checkpoint < s->fork || last >= job->checkpoint) && s->end >= job->reached) {
		if (wal_span_goes_on(&m->span, job->cfg, s->end) == 0)
			return 0;
		(void)snprintf(m->why, m->why_size,
			       "the WAL could be read to %s, but there is more of it behind: %s",
			       at, m->dump.why);
		return -EBADMSG;
	}
	lsn_format(known, wanted, sizeof(wanted));
	(void)snprintf(m->why, m->why_size,
		       "the WAL could be read to %s, but went on to %s at least: %s", at, wanted,
		       m->dump.why);
	return -EBADMSG;
}

static void remark_all(struct maker *m)
{
	char begin[32];

	if (m->dump.strange > 0)
		report_remark(&m->report,
			      "%" PRId64
			      " lines of pg_waldump were not understood, the first: %.160s",
			      m->dump.strange, m->dump.strange_line);
	lsn_format(m->span.begin, begin, sizeof(begin));
	if (m->report.doubtful > 0)
		report_remark(&m->report,
			      "%" PRId64
			      " transactions may have written before %s, where the WAL that "
			      "was read begins: their rows are at least those",
			      m->report.doubtful, begin);
	m->salvage->whole = m->dump.strange == 0 && m->report.doubtful == 0;
}

/* ---- the WAL itself ---- */

static int64_t room_for_us(const struct salvage *salvage)
{
	struct statvfs room;

	/* Half of what is free: this must not fill the disk that a server needs. */
	if (statvfs(salvage->path.text, &room) < 0)
		return -1;
	return (int64_t)(room.f_bavail * room.f_frsize / 2);
}

static int copy_wal(struct maker *m)
{
	char path[sizeof(m->salvage->path.text) + 8];
	AUTO_FD int to = -1;
	int rc;

	(void)snprintf(path, sizeof(path), "%s/pg_wal", m->salvage->path.text);
	to = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (to < 0)
		return explain(m, -errno, "the directory for the WAL");
	rc = wal_span_copy(&m->span, m->job->cfg, m->salvage->end, to, m->job->dl);
	m->salvage->wal_kept = rc == 0;
	return rc < 0 ? explain(m, rc, "the WAL could not be copied") : 0;
}

static int keep_wal(struct maker *m)
{
	int64_t bytes = wal_span_bytes(&m->span, m->salvage->end);
	int64_t room = room_for_us(m->salvage);

	if (bytes > m->job->cfg->salvage_max_bytes) {
		report_remark(&m->report,
			      "the WAL was not kept: its files have %" PRId64
			      " bytes, and salvage_max is %" PRId64,
			      bytes, m->job->cfg->salvage_max_bytes);
		return 0;
	}
	if (room >= bytes)
		return copy_wal(m);
	(void)snprintf(m->why, m->why_size,
		       "no room in state_dir for %" PRId64 " bytes of WAL: half of what is free is "
		       "%" PRId64,
		       bytes, room);
	if (!m->job->wal_optional)
		return -ENOSPC;
	report_remark(&m->report, "the WAL was not kept: %s", m->why);
	return 0;
}

/* ---- all of it ---- */

static int make(struct maker *m)
{
	int rc = shelf_begin(m->salvage, m->job->cfg);

	if (rc < 0)
		return explain(m, rc, "the directory of the salvage could not be made");
	if (room_for_us(m->salvage) < ROOM_LEAST / 2)
		return explain(m, -ENOSPC, "no room in state_dir for a report");
	rc = read_all(m);
	if (rc == 0)
		rc = check_end(m);
	if (rc == 0)
		rc = keep_wal(m);
	if (rc < 0)
		return rc;
	remark_all(m);
	m->salvage->transactions = m->report.transactions;
	m->salvage->prepared = m->report.prepared;
	rc = report_end(&m->report);
	if (rc == 0)
		rc = shelf_finish(m->salvage, m->job->cfg);
	return rc < 0 ? explain(m, rc, "the report could not be written") : 0;
}

int salvage_make(struct salvage *salvage, const struct salvage_job *job, char *why, size_t size)
{
	struct maker m = { .job = job, .salvage = salvage, .why = why, .why_size = size };
	int rc;

	why[0] = '\0';
	*salvage = (struct salvage){ .system_identifier = job->system_identifier,
				     .fork_known = job->fork != 0 };
	m.report = (struct salvage_report){ .cfg = job->cfg,
					    .salvage = salvage,
					    .their_timeline = job->their_timeline,
					    .standby = job->standby };
	rc = wal_span_find(&m.span, job->cfg, job->ours, job->fork, 0);
	if (rc == -ENODATA) {
		(void)snprintf(why, size,
			       "the WAL of what diverged is not in pg_wal any more, not all of it");
		return rc;
	}
	if (rc < 0)
		return explain(&m, rc, "the WAL of what diverged cannot be looked at");
	salvage->timeline = job->ours->entries[job->ours->count - 1].timeline;
	salvage->fork = m.span.fork;
	if (find_whole(&m))
		return 0;
	rc = make(&m);
	report_free(&m.report);
	if (rc < 0)
		shelf_drop(salvage);
	return rc;
}
