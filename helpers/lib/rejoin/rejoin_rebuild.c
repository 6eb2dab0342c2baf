/* SPDX-License-Identifier: PostgreSQL */
/* The step of rejoin that takes a new copy of the primary. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/lock.h"
#include "base/log.h"
#include "node/mark.h"
#include "node/path.h"
#include "postgres/pgctl.h"
#include "rebuild/rebuild.h"
#include "rejoin/rejoin_steps.h"
#include "rejoin/rejoin_tries.h"
#include "rewind/rewind.h"

/* A running server gets all the time that a fast stop needs. */
#define STOP_MS 60000
/* Between two looks at what the primary says of the copying; between two lines in the log. */
#define LOOK_MS 2000
#define LOG_MS  60000
/* Without one byte more for so long it hangs. */
#define STALL_MS 600000
/* promote_safe, and a start by the gate, are done with theirs in a moment. */
#define LOCK_MS 5000

struct rebuild {
	struct rebuild_place place;
	struct rebuild_source source;
	int64_t begun_ms;
	char words[160]; /* of its progress */
};

static bool failed(struct rejoin *r, struct verdict *verdict, const struct verdict *why)
{
	*verdict = *why;
	if (tries_note(r->cfg, DEED_REBUILD, verdict) < 0)
		log_warning("could not note that the rebuild failed");
	return false;
}

static bool fail(struct rejoin *r, struct verdict *verdict, const char *rule, const char *message,
		 const char *detail)
{
	struct verdict why =
	    INCOMPLETE(rule, message, "the data directory is as it was; rejoin can be run again");

	(void)snprintf(why.detail, sizeof(why.detail), "%s", detail);
	return failed(r, verdict, &why);
}

/* ---- before ---- */

static bool source_ready(const struct rebuild_source *source, struct verdict *why)
{
	why->outcome = OUT_REFUSED;
	why->rule = "rebuild-source";
	if (!source->replication) {
		why->message = "the role may not replicate from the primary";
		why->hint = "run what \"cluster_config sql\" prints on the primary";
	} else if (strcmp(source->wal_level, "minimal") == 0) {
		why->message = "the primary has wal_level = minimal";
		why->hint = "set wal_level = replica there and restart it";
	} else if (source->senders < 2) {
		why->message = "the primary has fewer than two walsenders free";
		why->hint = "set max_wal_senders there to 10 and restart it, or end another backup";
	} else {
		return true;
	}
	return false;
}

static bool place_ready(struct rebuild *b, const struct rejoin *r, struct verdict *why)
{
	char text[300] = "";
	int rc = rebuild_place_find(&b->place, r->cfg);

	why->outcome = OUT_REFUSED;
	if (rc < 0) {
		why->rule = "rebuild-place";
		why->message = "no new copy can be put beside the data directory";
		why->hint = rc == -EBUSY ? "it is a mount point: use a directory below it"
					 : "is its file system mounted?";
		(void)snprintf(why->detail, sizeof(why->detail), "%s: %s", r->cfg->data_dir,
			       strerror(-rc));
		return false;
	}
	rc = rebuild_place_spaces(&b->place, r->cfg, &b->source, text, sizeof(text));
	if (rc == 0)
		rc = rebuild_place_room(&b->place, &b->source, text, sizeof(text));
	if (rc == 0)
		return true;
	why->id = rc == -ENOSPC ? RULE_REBUILD_SPACE : RULE_PLAIN;
	why->rule = rc == -ENOSPC ? "rebuild-space" : "rebuild-tablespace";
	why->message = rc == -ENOSPC ? "there is no room for a new copy beside the old one"
				     : "the directory of a tablespace cannot be used";
	why->hint = rc == -ENOSPC
			? "make room; or move the data directory to another disk, then \"rejoin "
			  "--rebuild\""
			: "make or mount it, empty it if nothing in it is needed";
	(void)snprintf(why->detail, sizeof(why->detail), "%s", text);
	return false;
}

static bool look_before(struct rebuild *b, const struct rejoin *r, struct verdict *why)
{
	char text[200] = "";
	int rc = rebuild_source_ask(&b->source, r->cfg, &r->dl, text, sizeof(text));

	*why = (struct verdict){ .outcome = OUT_UNKNOWN };
	if (rc < 0) {
		why->rule = "rebuild-source";
		why->message = "the primary does not say what there is to be copied";
		why->hint = "the role needs the rights of \"cluster_config sql\" there";
		(void)snprintf(why->detail, sizeof(why->detail), "%s", text);
		return false;
	}
	return source_ready(&b->source, why) && place_ready(b, r, why);
}

void rejoin_rebuild_plan(const struct rejoin *r, FILE *out)
{
	struct rebuild AUTO_FREE *b = calloc(1, sizeof(*b));
	struct verdict why;

	if (b == NULL)
		return;
	if (!look_before(b, r, &why)) {
		(void)fprintf(out, "but now it could not: %s (%s)\n", why.message, why.detail);
		return;
	}
	(void)fprintf(out,
		      "  copy from  %s, %" PRId64 " MB, tablespaces: %zu\n"
		      "  copy to    %s\n"
		      "  old one    %s, kept until the new one streams%s\n",
		      cfg_peer(r->cfg)->address, b->source.bytes >> 20, b->source.count,
		      b->place.fresh, b->place.aside,
		      r->cfg->keep_old == KEEP_OLD_NONE ? "" : " and after (keep_old)");
	for (size_t i = 0; i < b->source.count; i++)
		(void)fprintf(out, "  tablespace %s, %" PRId64 " MB\n", b->source.spaces[i].ours,
			      b->source.spaces[i].bytes >> 20);
}

/* ---- copying ---- */

/* Asks the primary how far it is; tells people, and the log now and then.  Bytes so far. */
static int64_t tell_progress(struct rebuild *b, struct rejoin *r, int64_t *logged_ms)
{
	struct rebuild_progress progress;

	if (rebuild_progress_ask(&progress, r->cfg, &r->dl) < 0)
		return 0;
	rebuild_progress_words(&progress, now_ms() - b->begun_ms, b->words, sizeof(b->words));
	rejoin_progress(r, b->words);
	if (now_ms() - *logged_ms >= LOG_MS) {
		log_info("rebuild: %s", b->words);
		*logged_ms = now_ms();
	}
	return progress.done_bytes;
}

/* However long it takes: it may as long as it gets on. */
static int watch_copy(struct rebuild *b, struct rejoin *r, struct proc *child)
{
	int64_t seen = 0, seen_ms = now_ms(), logged_ms = now_ms();

	for (;;) {
		struct deadline soon = deadline_in_ms(LOOK_MS);
		int rc = proc_wait(child, &soon);
		int64_t bytes;

		if (rc != -ETIMEDOUT)
			return rc;
		if (now_ms() - seen_ms >= STALL_MS)
			return -ETIMEDOUT;
		r->dl = deadline_in_ms(r->cfg->rejoin_budget_ms);
		bytes = tell_progress(b, r, &logged_ms);
		if (bytes == seen)
			continue;
		seen = bytes;
		seen_ms = now_ms();
	}
}

/* A half copy is removed at once: it may be what has filled the disk. */
static bool copy_failed(struct rejoin *r, struct verdict *verdict, const char *why)
{
	fail(r, verdict, "rebuild-failed", "pg_basebackup failed", why);
	if (rebuild_forget(r->cfg, &r->dl) < 0 || rebuild_mark_clear(r->cfg) < 0)
		log_warning("could not remove what pg_basebackup left");
	return false;
}

static bool copy(struct rebuild *b, struct rejoin *r, struct verdict *verdict)
{
	struct proc AUTO_PROC child = PROC_NONE;
	char why[200];
	int rc = rebuild_mark_write(r->cfg, &b->place, false);

	if (rc == 0)
		rc = rebuild_place_make(&b->place, r->cfg, &b->source);
	if (rc < 0)
		return copy_failed(r, verdict, strerror(-rc));
	log_info("taking a new copy of %s, %" PRId64 " MB, into %s", cfg_peer(r->cfg)->name,
		 b->source.bytes >> 20, b->place.fresh);
	b->begun_ms = now_ms();
	rc = rebuild_copy_begin(&child, r->cfg, &b->place, &b->source);
	if (rc == 0)
		rc = watch_copy(b, r, &child);
	proc_end(&child);
	if (rc < 0)
		return copy_failed(r, verdict, strerror(-rc));
	if (child.exit_code != 0) {
		rewind_why(&child, why, sizeof(why));
		return copy_failed(r, verdict, why);
	}
	log_info("the copy is whole after %" PRId64 " s", (now_ms() - b->begun_ms) / 1000);
	return true;
}

/* ---- in the place of the old one ---- */

/* As after pg_rewind: this node's own configuration, and a standby's. */
static int dress(const struct rebuild *b, struct rejoin *r)
{
	struct cfg AUTO_FREE *copied = malloc(sizeof(*copied));
	int rc = 0;

	if (copied == NULL)
		return -ENOMEM;
	*copied = *r->cfg;
	if (strlen(b->place.fresh) >= sizeof(copied->data_dir))
		return -ENAMETOOLONG;
	memcpy(copied->data_dir, b->place.fresh, strlen(b->place.fresh) + 1);
	if (r->facts.rewinding != FACT_YES)
		rc = rewind_forget_config(r->cfg);
	if (rc == 0) {
		rc = rewind_keep_config(r->cfg);
		rc = rc == -ENOENT ? 0 : rc; /* there was no data directory */
	}
	if (rc == 0)
		rc = rewind_restore_config(copied);
	if (rc == 0)
		rc = rejoin_make_standby(r, copied);
	return rc;
}

/* Is it what was wanted?  The other node may have been replaced, too, while it was read. */
static bool is_right(const struct rebuild *b, const struct rejoin *r)
{
	struct cfg AUTO_FREE *copied = malloc(sizeof(*copied));
	struct pgdata_control control;

	if (copied == NULL || strlen(b->place.fresh) >= sizeof(copied->data_dir))
		return false;
	*copied = *r->cfg;
	memcpy(copied->data_dir, b->place.fresh, strlen(b->place.fresh) + 1);
	pgdata_control(&control, copied, &r->dl);
	return control.known && control.system_identifier == r->peer.system_identifier;
}

static bool stop(struct rejoin *r, struct verdict *verdict)
{
	const struct pgctl_stop stages = { .fast_ms = STOP_MS, .immediate_ms = STOP_MS };
	const char *how = "";
	int rc = pgctl_stop(r->cfg, &stages, &r->dl, &how);

	r->started = false;
	if (rc == -ENODEV) /* no data directory */
		rc = 0;
	return rc == 0 || rejoin_fail(verdict, OUT_UNKNOWN, "stop",
				      "the server could not be stopped to be replaced", rc);
}

/* From the second mark on only forwards. */
static bool swap(struct rejoin *r, struct verdict *verdict)
{
	char aside[REBUILD_PATH_MAX] = "";
	char detail[REBUILD_PATH_MAX + sizeof(r->salvage.path.text) + 96];
	int rc = rebuild_swap(r->cfg, aside, sizeof(aside));

	if (rc == 0)
		rc = rewinding_clear(r->cfg);
	if (rc < 0) {
		rejoin_fail(verdict, OUT_INCOMPLETE, "rebuild-swap",
			    "the new copy could not take the place of the old one", rc);
		verdict->hint = "see the log; the next run goes on";
		return false;
	}
	if (rewind_forget_config(r->cfg) < 0 || rewind_forget_wal(r->cfg) < 0)
		log_warning("could not remove what was kept for pg_rewind");
	r->rebuilt = true;
	r->ours.count = 0;
	(void)snprintf(
	    detail, sizeof(detail), "a new copy of %s; the old one: %s%s%s", cfg_peer(r->cfg)->name,
	    aside, r->salvage.path.text[0] != '\0' ? ", salvaged at " : "", r->salvage.path.text);
	rejoin_event(r, "rebuilt", detail);
	return true;
}

bool rejoin_swap(struct rejoin *r, struct verdict *verdict)
{
	log_info("a new copy was about to take the place of the old one: going on");
	return swap(r, verdict);
}

static bool take_place(struct rebuild *b, struct rejoin *r, struct verdict *verdict)
{
	struct deadline soon = deadline_in_ms(LOCK_MS);
	int AUTO_FD votes = -1;
	int AUTO_FD start = -1;
	struct verdict again;
	int rc;

	r->dl = deadline_in_ms(r->cfg->rejoin_budget_ms);
	/* Hours may have passed: whatever has changed meanwhile decides. */
	rejoin_gather(r);
	if (rejoin_decide(&r->facts, &again) != STEP_REBUILD || !is_right(b, r)) {
		log_warning("things have changed while the copy was taken: it is not used");
		return rebuild_forget(r->cfg, &r->dl) == 0 ||
		       fail(r, verdict, "rebuild-overtaken", "the copy could not be removed", "");
	}
	rc = lock_take(&votes, file_lock(r->cfg, LOCK_PROMOTE).text, &soon);
	if (rc == 0)
		rc = lock_take(&start, file_lock(r->cfg, LOCK_START).text, &soon);
	if (rc < 0)
		return fail(r, verdict, "rebuild-lock", "another helper is at work on this server",
			    strerror(-rc));
	if (!stop(r, verdict))
		return false;
	rc = dress(b, r);
	if (rc < 0)
		return fail(r, verdict, "rebuild-dress", "the copy could not be made a standby",
			    strerror(-rc));
	rc = rebuild_mark_write(r->cfg, &b->place, true);
	if (rc < 0)
		return fail(r, verdict, "mark", "could not write the rebuilding mark",
			    strerror(-rc));
	/* ---- point of no return: the names change ---- */
	return swap(r, verdict);
}

/* Old ones give way to a new copy that finds no room, where the policy would not keep them. */
static bool look_and_make_room(struct rebuild *b, struct rejoin *r, struct verdict *why)
{
	if (look_before(b, r, why))
		return true;
	if (why->id != RULE_REBUILD_SPACE || r->cfg->keep_old == KEEP_OLD_ALL)
		return false;
	log_info("no room for a new copy: removing older data directories that were kept");
	rebuild_drop_old(r->cfg, KEEP_OLD_NONE, &r->dl);
	return look_before(b, r, why);
}

/* The old directory is kept, but not for ever.  What a person names to be discarded is not looked
 * into: it may be anything. */
static bool salvage(struct rejoin *r, struct verdict *verdict)
{
	const struct rejoin_facts *f = &r->facts;

	if (f->same_system != FACT_YES || f->discard || rejoin_salvage(r, verdict))
		return true;
	if (tries_note(r->cfg, DEED_REBUILD, verdict) < 0)
		log_warning("could not note that the salvage failed");
	return false;
}

bool rejoin_rebuild(struct rejoin *r, struct verdict *verdict)
{
	struct rebuild AUTO_FREE *b = calloc(1, sizeof(*b));
	struct verdict why;

	if (b == NULL)
		return rejoin_fail(verdict, OUT_SYSTEM, "memory", "out of memory", -ENOMEM);
	if (rebuild_forget(r->cfg, &r->dl) < 0)
		return fail(r, verdict, "rebuild-forget",
			    "what an earlier copy left could not be removed", "");
	if (!look_and_make_room(b, r, &why))
		return failed(r, verdict, &why);
	/* Before anything is stopped: the checkpoint of a shutdown removes WAL. */
	if (!salvage(r, verdict))
		return false;
	/* A server on another timeline is of no use while the copy is taken. */
	if (r->facts.local == LOCAL_STANDBY && r->facts.past != PAST_SHARED) {
		log_info("the standby holds another history than the primary: stopping it");
		return stop(r, verdict);
	}
	return copy(b, r, verdict) && take_place(b, r, verdict);
}
