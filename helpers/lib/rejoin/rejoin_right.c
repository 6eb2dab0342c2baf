/* SPDX-License-Identifier: PostgreSQL */
#include "rejoin/rejoin_right.h"

#include <errno.h>
#include <string.h>

#include "base/lock.h"
#include "base/log.h"
#include "node/files.h"
#include "rejoin/rejoin_steps.h"

/* Another run that holds the lock is done with it in a moment, or hangs. */
#define LOCK_MS 5000
/* One question to the witness: TLS and SCRAM take several packets each way. */
#define WITNESS_MS 1000

enum rejoin_right rejoin_look_at_record(struct rejoin *r)
{
	struct deadline soon = deadline_sooner(&r->dl, WITNESS_MS);

	if (!cfg_has_record(r->cfg))
		return RIGHT_UNUSED;
	if (!r->control.known)
		return RIGHT_UNKNOWN;
	record_end(&r->link);
	record_begin(&r->link, r->cfg, r->control.system_identifier);
	r->memory = record_memory_read(r->cfg);
	if (record_look(&r->link, &r->record, &soon) < 0)
		r->record.present = FACT_UNKNOWN;
	r->trust = record_trust(&r->record, &r->memory);
	if (r->trust == RECORD_ABSENT)
		return RIGHT_UNWRITTEN;
	if (r->trust != RECORD_GOOD)
		return RIGHT_UNKNOWN;
	log_failed("remember the record", record_memory_note(r->cfg, &r->memory, &r->record));
	if (strcmp(r->record.holder, cfg_self(r->cfg)->name) != 0)
		return RIGHT_THEIRS;
	return r->record.paired ? RIGHT_OURS : RIGHT_OURS_SOLO;
}

/* ---- taking it ---- */

static bool holds_term(const struct rejoin_facts *f)
{
	return f->right == RIGHT_OURS || f->right == RIGHT_OURS_SOLO;
}

/*
 * A node that fenced itself said no more than that somebody else might serve by now.  The proof that
 * nobody does answers it: the vote of a standby that follows, or the record.  What the other node
 * fenced stays down for it to take over, unless the record says that it must not.  What a person
 * fenced, only a person's word answers.
 */
bool rejoin_mark_answered(const struct rejoin_facts *f, bool by_guard, bool by_peer)
{
	if (by_guard && holds_term(f))
		return true;
	if (by_guard && f->peer_votes == FACT_YES)
		return f->right == RIGHT_UNUSED || f->right == RIGHT_UNWRITTEN;
	return by_peer && f->right == RIGHT_OURS_SOLO;
}

static bool may_start(const struct rejoin *r)
{
	struct fenced_mark mark = fenced_read(r->cfg);
	bool by_guard = strcmp(mark.by, "guard") == 0;
	bool by_peer = strcmp(mark.by, cfg_peer(r->cfg)->name) == 0;

	/* Since we looked, somebody may have had us fenced: that stays. */
	if (mark.present == FACT_NO)
		return true;
	if (mark.present != FACT_YES ||
	    !(rejoin_mark_answered(&r->facts, by_guard, by_peer) || r->facts.peer_down_by_operator))
		return false;
	return fenced_clear(r->cfg) == 0;
}

/* Since we looked: had we been frozen meanwhile, the right that was there may be another's by now. */
static bool right_stands(const struct rejoin *r)
{
	const struct rejoin_facts *f = &r->facts;

	if (holds_term(f))
		return now_ms() < r->record.asked_ms + r->cfg->lease_ms;
	if (f->peer_votes == FACT_YES)
		return now_ms() < r->peer.asked_ms + r->cfg->lease_ms;
	if (f->lease_runs == FACT_YES && f->right == RIGHT_UNUSED)
		return stamp_runs(r->cfg, "lease") || stamp_runs(r->cfg, "grant");
	return f->peer_down_by_operator;
}

static int write_grant(const struct rejoin *r)
{
	const struct rejoin_facts *f = &r->facts;

	/* With a record: from the write that gave the right, whatever permitted that. */
	if (f->right != RIGHT_UNUSED)
		return stamp_write(r->cfg, "grant", r->record.asked_ms + r->cfg->lease_ms,
				   "record");
	if (f->peer_votes == FACT_YES)
		return stamp_write(r->cfg, "grant", r->peer.asked_ms + r->cfg->lease_ms, "vote");
	if (f->lease_runs == FACT_YES)
		return 0; /* it runs on, or out */
	return stamp_write(r->cfg, "grant", now_ms() + r->cfg->lease_ms, "operator");
}

static int write_row(struct rejoin *r, const struct deadline *dl)
{
	const struct record seen = r->record;

	if (holds_term(&r->facts))
		return record_renew(&r->link, &r->record, &seen, true, dl);
	return record_create(&r->link, &r->record, &seen, record_next_term(&seen, &r->memory), dl);
}

/*
 * Says at the witness that this node serves again, which takes a release back; whoever was about to
 * take the term finds the row changed.  Where there is no row, what permits the start permits only to
 * make one: somebody else may have been about to, with the same right, and one of us comes second.
 */
static int write_record(struct rejoin *r, struct verdict *verdict)
{
	struct deadline soon = deadline_sooner(&r->dl, WITNESS_MS);
	int AUTO_FD lock = -1;
	int rc = lock_take(&lock, file_run(r->cfg, "record.lock").text, &soon);

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
	rc = stamp_write(r->cfg, "solo", r->record.asked_ms, "record");
	if (rc < 0)
		rejoin_fail(verdict, OUT_SYSTEM, "solo", "could not write the solo file", rc);
	return rc;
}

int rejoin_take_right(struct rejoin *r, int *lock, struct verdict *verdict)
{
	struct deadline soon = deadline_in_ms(LOCK_MS);
	int rc = lock_take(lock, file_run(r->cfg, "start.lock").text, &soon);

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
	return rc;
}
