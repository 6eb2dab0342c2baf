/* SPDX-License-Identifier: PostgreSQL */
/* The steps of rejoin around pg_rewind. */
#include "rejoin/rejoin_steps.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "node/mark.h"
#include "postgres/pgctl.h"
#include "rejoin/rejoin_peer.h"
#include "rejoin/rejoin_right.h"
#include "rejoin/rejoin_tries.h"
#include "rewind/rewind.h"

/* A standby that has to be rewound must be shut down cleanly, so fast gets all the time it needs;
 * it writes at most what it has in memory. */
#define STOP_FAST_MS 60000
/* How often it is seen whether there is something to tell. */
#define LOOK_MS 2000

static bool rewind_failed(struct rejoin *r, struct verdict *verdict, const char *message,
			  const char *why)
{
	*verdict = (struct verdict)INCOMPLETE(
	    "rewind-failed", message,
	    "remove the cause that the detail names; \"rejoin\" can be run again");
	(void)snprintf(verdict->detail, sizeof(verdict->detail), "%s", why);
	if (tries_note(r->cfg, DEED_REWIND, verdict) < 0)
		log_warning("could not note that pg_rewind failed");
	return false;
}

/*
 * The files that pg_rewind replaces are kept before it begins, and the mark written after that:
 * without the mark, whatever is kept is of another time.
 */
static int keep(const struct rejoin *r)
{
	int rc = rewind_forget_config(r->cfg);

	if (rc == 0)
		rc = rewind_keep_config(r->cfg);
	if (rc < 0)
		return rc;
	rc = rewind_keep_wal(r->cfg, &r->control);
	if (rc < 0)
		log_warning(
		    "could not keep the WAL: if pg_rewind is killed, this node needs a base "
		    "backup: %s",
		    strerror(-rc));
	return 0;
}

static int watch_rewind(struct rejoin *r, struct proc *child)
{
	for (;;) {
		struct deadline soon = deadline_sooner(&r->dl, LOOK_MS);
		int rc = proc_wait(child, &soon);

		if (rc != -ETIMEDOUT || deadline_passed(&r->dl))
			return rc;
		rejoin_progress(r, "pg_rewind is running");
	}
}

/* The mark is on disk before pg_rewind writes its first byte, and "done" only after its last. */
static bool run_rewind(struct rejoin *r, struct verdict *verdict)
{
	struct proc AUTO_PROC child = PROC_NONE;
	char why[200];
	int rc = 0;

	/* With the mark there it was kept by the attempt that this one repeats. */
	if (r->facts.rewinding != FACT_YES)
		rc = keep(r);
	if (rc < 0)
		return rejoin_fail(verdict, OUT_SYSTEM, "keep-config",
				   "the configuration files of this node could not be kept", rc);
	rc = rewinding_write(r->cfg, r->peer.system_identifier, false);
	if (rc < 0)
		return rejoin_fail(verdict, OUT_SYSTEM, "mark",
				   "could not write the rewinding mark", rc);
	log_info("the histories diverged: running pg_rewind against %s", cfg_peer(r->cfg)->name);
	/* ---- point of no return: from here on only a completed pg_rewind makes it
	 * startable ---- */
	rc = rewind_begin(&child, r->cfg, &r->dl);
	if (rc == 0)
		rc = watch_rewind(r, &child);
	if (rc < 0)
		return rewind_failed(r, verdict, "pg_rewind did not end", strerror(-rc));
	if (child.exit_code != 0) {
		rewind_why(&child, why, sizeof(why));
		return rewind_failed(r, verdict, "pg_rewind failed", why);
	}
	rc = rewinding_write(r->cfg, r->peer.system_identifier, true);
	if (rc < 0)
		return rejoin_fail(verdict, OUT_SYSTEM, "mark",
				   "could not write the rewinding mark", rc);
	return true;
}

/* From "done" on: also where a run that was killed had come so far. */
bool rejoin_adopt(struct rejoin *r, struct verdict *verdict)
{
	AUTO_FD int directory = open(r->cfg->data_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char detail[sizeof(r->salvage.path.text) + 96];
	int rc;

	/* A pg_rewind that was killed may not have come to its last step, the sync. */
	if (directory < 0 || syncfs(directory) < 0)
		return rejoin_fail(verdict, OUT_SYSTEM, "sync",
				   "the data directory could not be synced", -errno);
	rc = rewind_restore_config(r->cfg);
	if (rc < 0)
		return rejoin_fail(verdict, OUT_SYSTEM, "keep-config",
				   "the configuration files of this node could not be restored",
				   rc);
	if (!rejoin_follow(r, verdict))
		return false;
	rc = rewinding_clear(r->cfg);
	if (rc < 0)
		return rejoin_fail(verdict, OUT_SYSTEM, "mark",
				   "could not remove the rewinding mark", rc);
	if (rewind_forget_config(r->cfg) < 0 || rewind_forget_wal(r->cfg) < 0)
		log_warning("could not remove what was kept for pg_rewind");
	(void)snprintf(detail, sizeof(detail), "rewound to %s%s%s", cfg_peer(r->cfg)->name,
		       r->salvage.path.text[0] != '\0' ? ", salvaged at " : "",
		       r->salvage.path.text);
	rejoin_event(r, "rewound", detail);
	return true;
}

bool rejoin_undo(struct rejoin *r, struct verdict *verdict)
{
	int rc = rewind_restore_wal(r->cfg);

	if (rc < 0)
		return rejoin_fail(verdict, OUT_INCOMPLETE, "undo-failed",
				   "the WAL that pg_rewind needs could not be put back", rc);
	r->undone = true;
	r->ours.count = 0; /* the one that was read may be what pg_rewind had left of it */
	log_info("pg_rewind was killed: its WAL is put back, it is run again");
	return true;
}

/* A standby that runs is stopped, a primary that crashed is recovered; then it is looked
 * at again. */
bool rejoin_rewind(struct rejoin *r, struct verdict *verdict)
{
	const struct pgctl_stop stop = { .fast_ms = STOP_FAST_MS, .immediate_ms = STOP_FAST_MS };
	char why[SERVER_LOG_WHY_MAX] = "";
	const char *how;
	int rc;

	/* First of all: a checkpoint, also that of a shutdown, removes WAL that is older. */
	if (!rejoin_salvage(r, verdict))
		return false;
	if (r->facts.local == LOCAL_STANDBY) {
		log_info("the standby has replayed beyond the fork: stopping it to rewind");
		r->started = false;
		rc = pgctl_stop(r->cfg, &stop, &r->dl, &how);
		return rc == 0 || rejoin_fail(verdict, OUT_UNKNOWN, "stop",
					      "the standby could not be stopped to be rewound", rc);
	}
	if (r->facts.clean != FACT_YES) {
		log_info("the primary crashed here: recovery first");
		if (r->stray && rejoin_forget_stray(r, verdict) < 0)
			return false;
		rc = rewind_recover(r->cfg, &r->dl, why, sizeof(why));
		return rc == 0 ||
		       rewind_failed(r, verdict, "the old primary could not be recovered", why);
	}
	rejoin_progress(r, "waiting for a checkpoint of the primary");
	rc = peer_checkpoint(r->cfg, r->peer.timeline, &r->dl);
	if (rc < 0)
		return rewind_failed(r, verdict,
				     "the primary has not written a checkpoint on its timeline yet",
				     strerror(-rc));
	return run_rewind(r, verdict) && rejoin_adopt(r, verdict);
}
