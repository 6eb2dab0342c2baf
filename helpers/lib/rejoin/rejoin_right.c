/* SPDX-License-Identifier: PostgreSQL */
#include "rejoin/rejoin_right.h"

#include <errno.h>
#include <string.h>

#include "base/lock.h"
#include "base/log.h"
#include "node/mark.h"
#include "node/path.h"
#include "node/stamp.h"
#include "node/unbidden.h"
#include "record/record_learn.h"
#include "rejoin/rejoin_steps.h"

/* Another run that holds the lock is done with it in a moment, or hangs. */
#define LOCK_MS 5000
/* One question to the witness: TLS and SCRAM take several packets each way. */
#define WITNESS_MS 1000

static enum rejoin_right look_at_record(struct rejoin *r)
{
	struct deadline soon = deadline_sooner(&r->dl, WITNESS_MS);

	if (!cfg_has_record(r->cfg))
		return RIGHT_UNUSED;
	if (!r->control.known)
		return RIGHT_UNKNOWN;
	record_end(&r->link);
	record_begin(&r->link, r->cfg, r->control.system_identifier);
	r->memory = record_memory_read(r->cfg);
	r->trust =
	    record_learn(r->cfg, &r->memory, &r->record, record_look(&r->link, &r->record, &soon));
	if (r->trust == RECORD_ABSENT)
		return RIGHT_UNWRITTEN;
	if (r->trust != RECORD_GOOD)
		return RIGHT_UNKNOWN;
	if (strcmp(r->record.holder, cfg_self(r->cfg)->name) != 0)
		return RIGHT_THEIRS;
	return r->record.paired ? RIGHT_OURS : RIGHT_OURS_SOLO;
}

void rejoin_gather_right(struct rejoin *r)
{
	struct rejoin_facts *f = &r->facts;

	f->right = look_at_record(r);
	if (f->past == PAST_OURS_NEWER && f->peer == SERVER_PRIMARY && f->local == LOCAL_DOWN &&
	    f->right == RIGHT_THEIRS && unbidden_is(r->cfg, rejoin_our_timeline(r)))
		f->past = PAST_DIVERGED;
}

/* ---- taking it ---- */

static bool may_start(const struct rejoin *r)
{
	struct fenced_mark mark = fenced_read(r->cfg);

	/* Since we looked, somebody may have had us fenced: that stays. */
	if (mark.present == FACT_NO)
		return true;
	if (mark.present != FACT_YES ||
	    !(rejoin_mark_answered(&r->facts, mark.by) || r->facts.peer_down_by_operator))
		return false;
	return fenced_clear(r->cfg) == 0;
}

/* Nothing is started here: what a standby may become, promote_safe asks its own rules. */
bool rejoin_lift(struct rejoin *r, struct verdict *verdict)
{
	struct deadline soon = deadline_sooner(&r->dl, LOCK_MS);
	struct fenced_mark mark;
	int AUTO_FD lock = -1;
	int rc = lock_take(&lock, file_lock(r->cfg, LOCK_START).text, &soon);

	mark = fenced_read(r->cfg);
	if (rc == 0 && mark.present == FACT_YES && rejoin_may_lift(&r->facts, mark.by))
		rc = fenced_clear(r->cfg);
	if (rc < 0)
		return rejoin_fail(verdict, OUT_SYSTEM, "mark", "could not remove the fenced mark",
				   rc);
	rejoin_event(r, "fence-lifted", mark.reason);
	return true;
}

/* Since we looked: had we been frozen meanwhile, the right that was there may be another's
 * by now. */
static bool right_stands(const struct rejoin *r)
{
	const struct rejoin_facts *f = &r->facts;

	if (rejoin_holds_term(f))
		return now_ms() < r->record.asked_ms + r->cfg->lease_ms;
	if (f->peer_votes == FACT_YES)
		return now_ms() < r->peer.asked_ms + r->cfg->lease_ms;
	if (f->lease_runs == FACT_YES && f->right == RIGHT_UNUSED)
		return right_runs(r->cfg);
	return f->peer_down_by_operator;
}

static int write_grant(const struct rejoin *r)
{
	const struct rejoin_facts *f = &r->facts;

	/* With a record: from the write that gave the right, whatever permitted that. */
	if (f->right != RIGHT_UNUSED)
		return stamp_write(r->cfg, STAMP_GRANT, r->record.asked_ms + r->cfg->lease_ms,
				   "record");
	if (f->peer_votes == FACT_YES)
		return stamp_write(r->cfg, STAMP_GRANT, r->peer.asked_ms + r->cfg->lease_ms,
				   "vote");
	if (f->lease_runs == FACT_YES)
		return 0; /* it runs on, or out */
	return stamp_write(r->cfg, STAMP_GRANT, now_ms() + r->cfg->lease_ms, "operator");
}

static int write_row(struct rejoin *r, const struct deadline *dl)
{
	const struct record seen = r->record;

	if (rejoin_holds_term(&r->facts))
		return record_renew(&r->link, &r->record, &seen, true, dl);
	return record_create(&r->link, &r->record, &seen, record_next_term(&seen, &r->memory), dl);
}

/*
 * Says at the witness that this node serves again, which takes a release back; whoever was about to
 * take the term finds the row changed.  Where there is no row, what permits the start permits only
 * to make one: somebody else may have been about to, with the same right, and one of us comes
 * second.
 */
static int write_record(struct rejoin *r, struct verdict *verdict)
{
	struct deadline soon = deadline_sooner(&r->dl, WITNESS_MS);
	int AUTO_FD lock = -1;
	int rc = lock_take(&lock, file_lock(r->cfg, LOCK_RECORD).text, &soon);

	if (rc == 0)
		rc = write_row(r, &soon);
	if (rc < 0) {
		rejoin_fail(verdict, OUT_UNKNOWN, "witness-silent",
			    "the record could not be written for the start", rc);
		return rc;
	}
	if (r->record.refused[0] != '\0')
		return -EAGAIN;
	log_failed("remember the record", record_memory_note(r->cfg, &r->memory, &r->record));
	if (r->record.paired)
		return 0;
	rc = stamp_write(r->cfg, STAMP_SOLO, r->record.asked_ms, "record");
	if (rc < 0)
		rejoin_fail(verdict, OUT_SYSTEM, "solo", "could not write the solo file", rc);
	return rc;
}

int rejoin_forget_stray(const struct rejoin *r, struct verdict *verdict)
{
	int rc = pgdata_forget_signals(r->cfg);

	if (rc == 0)
		rc = stamp_clear(r->cfg, STAMP_STRAY);
	if (rc < 0)
		rejoin_fail(verdict, OUT_SYSTEM, "signal-file",
			    "could not remove standby.signal or recovery.signal, with which the "
			    "primary would start as a standby",
			    rc);
	else
		log_warning("removed standby.signal or recovery.signal from %s: it came while the "
			    "primary ran",
			    r->cfg->data_dir);
	return rc;
}

int rejoin_take_right(struct rejoin *r, int *lock, struct verdict *verdict)
{
	struct deadline soon = deadline_in_ms(LOCK_MS);
	int rc = lock_take(lock, file_lock(r->cfg, LOCK_START).text, &soon);

	if (rc < 0 || !right_stands(r) || fenced_read(r->cfg).present == FACT_UNKNOWN)
		return -EAGAIN;
	if (r->facts.right != RIGHT_UNUSED) {
		rc = write_record(r, verdict);
		if (rc < 0)
			return rc;
	}
	if (!right_stands(r) || !may_start(r))
		return -EAGAIN;
	rc = write_grant(r);
	if (rc < 0)
		rejoin_fail(verdict, OUT_SYSTEM, "grant", "could not write the grant file", rc);
	return rc == 0 && r->stray ? rejoin_forget_stray(r, verdict) : rc;
}
