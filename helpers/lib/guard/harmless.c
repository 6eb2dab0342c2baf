/* SPDX-License-Identifier: PostgreSQL */
#include "guard/harmless.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/lock.h"
#include "base/log.h"
#include "net/net.h"
#include "net/nftlease.h"
#include "net/sockdiag.h"
#include "node/history.h"
#include "node/mark.h"
#include "node/path.h"
#include "node/stamp.h"
#include "node/track.h"
#include "postgres/pgctl.h"

/* Dumping and destroying a few thousand sockets takes some ms; longer would eat the time of the
 * stop. */
#define RESET_MS 100
/* Looking at a mark, and ending what was started meanwhile. */
#define START_LOCK_MS 150

static void shut_clients_out(const struct cfg *cfg, const struct deadline *dl)
{
	const struct nftlease shut = { .gate = NFTLEASE_SHUT };

	nftlease_apply(cfg, &shut, dl);
}

/*
 * A mark of this node's own guard can be answered by the standby's vote, a person's by the same
 * once a person has lifted it, the other node's not at all: that node relies on it.  So each
 * replaces a weaker one, and none another.  With a record nobody relies on a mark alone, and there
 * the other node's is answered without a person: it does not take a person's place.
 */
static bool replaces(const struct cfg *cfg, enum fenced_by by, enum fenced_by there)
{
	if (there == FENCED_BY_GUARD)
		return by != FENCED_BY_GUARD;
	return there == FENCED_BY_OPERATOR && by == FENCED_BY_PEER && !cfg_has_record(cfg);
}

static void mark_node(const struct cfg *cfg, const struct harmless *how)
{
	struct fenced_mark mark = fenced_read(cfg);

	if (!how->stay_down)
		return;
	if (mark.present == FACT_YES && !replaces(cfg, how->by, mark.by))
		return;
	log_failed("write the fenced mark", fenced_write(cfg, how->reason, how->by));
}

/* Here and below a failed step is told and passed over: the next one may still save the day. */
static void leave_service(const struct cfg *cfg, const struct harmless *how,
			  const struct deadline *dl)
{
	/* Before anything that may have to wait for a disk. */
	shut_clients_out(cfg, dl);
	/* First the mark: from here on neither rejoin nor a restart by systemd brings back a
	 * primary. */
	mark_node(cfg, how);
	/* The record may say something else by the time the mark is removed. */
	if (how->stay_down)
		log_failed("remove the solo file", stamp_clear(cfg, STAMP_SOLO));
	log_failed("write the serving file", serving_end(cfg));
	log_failed("write the election file", track_write(cfg, TRACK_ELECTION, TRACK_NO));
	/* A guard that had not seen the mark may have let them in again. */
	shut_clients_out(cfg, dl);
}

static void cut_clients(const struct cfg *cfg, const struct deadline *dl)
{
	const char *const spare[] = { cfg_peer(cfg)->address };
	struct deadline soon = deadline_sooner(dl, RESET_MS);
	int count = sockdiag_destroy((uint16_t)cfg->port, spare, ARRAY_COUNT(spare), &soon);

	if (count > 0)
		log_info("reset %d client connections", count);
	log_failed("reset client connections", count);
	/* After the reset, which leaves from the VIP.  keepalived may be dead, so we do it
	 * ourselves. */
	log_failed("remove the virtual address", net_remove_address(cfg->vip));
}

/*
 * In sync mode a fast stop would wake a commit that waits for the standby and tell its client
 * "committed locally": an acknowledgement of what the next primary may never have.  Immediate says
 * nothing.
 */
static struct pgctl_stop stages(const struct cfg *cfg)
{
	return (struct pgctl_stop){
		.fast_ms = cfg->mode == MODE_SYNC ? 0 : cfg->stop_fast_ms,
		.immediate_ms = cfg->stop_immediate_ms,
	};
}

/*
 * A rejoin that found the node entitled just before the mark was written may be starting a primary.
 * It holds start.lock from its last look at the mark until it has looked once more behind the
 * start; its server was ended by our first stop, so the lock is free soon.
 */
static int stop_for_good(const struct cfg *cfg, const struct harmless *how,
			 const struct deadline *dl, const char **way)
{
	const struct pgctl_stop stop = stages(cfg);
	const struct pgctl_stop at_once = { .fast_ms = 0 };
	const char *again = "unknown";
	int AUTO_FD lock = -1;
	int rc = pgctl_stop(cfg, &stop, dl, way);
	/* From here on, whatever of its time the stop has taken. */
	struct deadline soon = deadline_sooner(dl, START_LOCK_MS);
	int locked = lock_take(&lock, file_lock(cfg, LOCK_START).text, &soon);

	/* A start may have cleared the guard's mark, or the guard replaced ours, just as we wrote
	 * it. */
	mark_node(cfg, how);
	if (rc == 0)
		rc = pgctl_stop(cfg, &at_once, dl, &again);
	return rc == 0 && locked == -ETIMEDOUT ? -EBUSY : rc;
}

static struct verdict outcome(int stopped, bool stays_down)
{
	if (stopped < 0)
		return (struct verdict)UNKNOWN(
		    "stop-unproven", "it is not proven that the server is stopped",
		    "switch the host off, or look for processes of the data directory");
	if (!stays_down)
		return (struct verdict)UNKNOWN(
		    "mark-unwritten",
		    "the server is stopped, but nothing keeps it from being started",
		    "make state_dir or run_dir writable, or switch the host off");
	return (struct verdict)YES("harmless", "this node is harmless", NULL, .id = RULE_HARMLESS);
}

int harmless_make(const struct cfg *cfg, const struct harmless *how, const struct deadline *dl,
		  struct verdict *verdict)
{
	int64_t began = now_ms();
	const char *event = how->stay_down ? "fenced" : "server-died";
	const char *way = "unknown";
	bool stays_down;
	int rc;

	log_warning("making this node harmless: %s", how->reason);
	leave_service(cfg, how, dl);
	cut_clients(cfg, dl);
	rc = stop_for_good(cfg, how, dl, &way);
	stays_down = !how->stay_down || fenced_read(cfg).present == FACT_YES;

	*verdict = outcome(rc, stays_down);
	if (rc < 0)
		(void)snprintf(verdict->detail, sizeof(verdict->detail), "%s: %s", how->reason,
			       strerror(-rc));
	else
		(void)snprintf(verdict->detail, sizeof(verdict->detail),
			       "%s; server stop: %s, %" PRId64 " ms", how->reason, way,
			       now_ms() - began);
	if (verdict->outcome != OUT_YES)
		event = "fence-unproven";
	log_failed("write the history", history_add(cfg, event, verdict->detail));
	return rc == 0 && !stays_down ? -ENODATA : rc;
}
