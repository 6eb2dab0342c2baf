/* SPDX-License-Identifier: PostgreSQL */
/* The promotion itself, behind all that promote_act.c has made sure of. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/lock.h"
#include "base/log.h"
#include "check/check_rules.h"
#include "net/nftlease.h"
#include "node/mark.h"
#include "node/path.h"
#include "node/stamp.h"
#include "node/track.h"
#include "postgres/pgdata.h"
#include "promote/promote_act.h"

/* Looking for the end of the promotion. */
#define LOOK_MS 5
/* A server that promotes takes some 0.1 s, so after a second it may not have been asked. */
#define ASK_AGAIN_MS 1000
/* Until then a promotion is hardly ever over; behind it something may hold it up. */
#define HELD_MS 300
/* Changing a setting of the server takes about 0.1 s. */
#define FOLLOW_MS 3000

static bool has_ended(int pidfd)
{
	struct pollfd process = { .fd = pidfd, .events = POLLIN };

	return pidfd >= 0 && poll(&process, 1, 0) == 1;
}

/* In the time of one question: a process of the server that does not answer must not use up what is
 * left for asking another one. */
static int ask_server(struct promotion *p)
{
	struct deadline soon = deadline_sooner(&p->dl, p->cfg->check_budget_ms);

	return server_promote(p->cfg, &soon);
}

/* WAL that came since the last look replays too, and a session that has begun since may be in
 * its way. */
static void help(struct promotion *p)
{
	struct deadline soon = deadline_sooner(&p->dl, p->cfg->check_budget_ms);

	server_replay_ask(&p->replay, p->cfg, PG_LOCAL, &soon);
	if (p->replay.held)
		promote_clear(p);
	/* To kill it would end the server: PostgreSQL takes the signal for its own. */
	if (p->replay.restoring && !p->told_restoring)
		log_warning("the promotion waits for restore_command");
	p->told_restoring = p->told_restoring || p->replay.restoring;
}

/*
 * -ESRCH: the server that was asked has ended, a full disk will do, and with it what it was asked:
 * one that starts anew knows nothing of it.  server: its pidfd; negative: it cannot be watched.
 * Lost it may also be with the connection, or where the server began anew after one of its
 * processes had crashed, so it is asked again, until until_ms (CLOCK_BOOTTIME): as long as the
 * grant runs that was written for it.  One that promotes already takes no harm: at most the file
 * that asks stays, until the next start removes it (postmaster.c, RemovePromoteSignalFiles).
 */
static int wait_until_primary(struct promotion *p, int server, int64_t until_ms)
{
	struct deadline again = deadline_sooner(&p->dl, ASK_AGAIN_MS);
	struct deadline held = deadline_sooner(&p->dl, HELD_MS);

	while (!deadline_passed(&p->dl)) {
		struct deadline soon = deadline_sooner(&p->dl, p->cfg->check_budget_ms);
		const bool ended = has_ended(server);
		struct deadline pause;

		server_ask(&p->local, p->cfg, PG_LOCAL, &soon);
		if (p->local.state == SERVER_PRIMARY)
			return 0;
		p->unpromoted_ms = p->local.asked_ms;
		if (ended)
			return -ESRCH;
		if (deadline_passed(&held)) {
			help(p);
			held = deadline_sooner(&p->dl, HELD_MS);
		}
		if (deadline_passed(&again) && now_ms() < until_ms) {
			log_failed("ask for the promotion again", ask_server(p));
			again = deadline_sooner(&p->dl, ASK_AGAIN_MS);
		}
		pause = deadline_sooner(&p->dl, LOOK_MS);
		deadline_sleep(&pause);
	}
	return -ETIMEDOUT;
}

void promote_take_service(const struct cfg *cfg)
{
	int rc = serving_begin(cfg);

	if (rc < 0)
		log_warning("not serving yet: %s; check_primary tries again", strerror(-rc));
	log_failed("remove the mark of the withdrawn vote", withdrawn_clear(cfg));
}

/*
 * The right to serve, and in the kernel the same end to it: the element that let clients in to a
 * standby had none.  Should nothing of ours run from here on, clients are cut when the grant ends.
 */
static int grant(const struct promotion *p, int64_t from_ms)
{
	const struct nftlease until = { NFTLEASE_UNTIL, from_ms + p->cfg->lease_ms };
	int rc = stamp_write(p->cfg, STAMP_GRANT, until.until_ms, GRANT_OF_PROMOTION);

	if (rc == 0)
		nftlease_apply(p->cfg, &until, &p->dl);
	return rc;
}

/*
 * "The record says solo" is noted under the lock of all who write it, and only while it is as fresh
 * as a lease: a run that was stopped in between must not say so of a record that has moved on.
 */
static int stamp_solo(const struct promotion *p)
{
	struct deadline soon = deadline_sooner(&p->dl, FOLLOW_MS);
	int AUTO_FD lock = -1;
	int rc = lock_take(&lock, file_lock(p->cfg, LOCK_RECORD).text, &soon);

	if (rc == 0 && now_ms() >= p->record.asked_ms + p->cfg->lease_ms)
		rc = -ESTALE;
	return rc < 0 ? rc : stamp_write(p->cfg, STAMP_SOLO, p->record.asked_ms, "record");
}

/* An operator's word where there is no row to take the term from makes a new one. */
static int ask_for_term(struct promotion *p, const struct deadline *dl)
{
	const struct record seen = p->record;
	const int64_t term = record_next_term(&seen, &p->memory);

	if (record_replaceable(p->facts.trust))
		return record_create(&p->link, &p->record, &seen, term, dl);
	if (p->facts.override && !seen.paired && !p->facts.record_ours)
		return record_take_by_word(&p->link, &p->record, &seen, p->local.received_lsn, dl);
	return record_take(&p->link, &p->record, &seen, dl);
}

int promote_take_term(struct promotion *p)
{
	struct deadline soon = deadline_sooner(&p->dl, p->cfg->check_budget_ms);
	int rc = ask_for_term(p, &soon);

	if (rc < 0) {
		log_warning("the witness did not answer when the term was to be taken: %s",
			    p->link.why);
		return rc;
	}
	if (p->record.refused[0] != '\0') {
		log_info("the term could not be taken: %s", p->record.refused);
		return -EAGAIN;
	}
	/* ---- nobody else may serve from here on, nor may this node before it has promoted ---- */
	log_info("this node holds term %" PRId64, p->record.term);
	log_failed("remember the record", record_memory_note(p->cfg, &p->memory, &p->record));
	return stamp_solo(p);
}

struct verdict promote_do(struct promotion *p)
{
	const struct cfg *cfg = p->cfg;
	const int64_t from_ms = cfg_has_record(cfg) ? p->record.asked_ms : now_ms();
	int higher = PRIORITY_PROMOTED + (int)((p->local.timeline + 1) % PRIORITY_SPAN);
	struct verdict verdict =
	    INCOMPLETE("promotion-unseen", "promotion was begun, its end was not seen",
		       "look at the server's log and at \"cluster_status\"");
	int AUTO_FD server = -1;
	pid_t pid;
	int rc;

	/*
	 * The right to serve is won: every rule has permitted it.  It is written before the
	 * promotion, so that a primary that we do not live to see is not taken for one that nobody
	 * permitted.
	 */
	rc = grant(p, from_ms);
	log_failed("write the grant file", rc);
	if (rc < 0)
		return (struct verdict)SYSTEM_ERROR("grant",
						    "the right to serve could not be written down",
						    "is run_dir writable, and has it room?");
	log_failed("write the priority file", track_write(cfg, TRACK_PRIORITY, higher));

	p->unpromoted_ms = now_ms();
	server = pgdata_postmaster(cfg, &pid);
	/* ---- point of no return: from here on a failure is OUT_INCOMPLETE ---- */
	rc = ask_server(p);
	if (rc == -EPROTO)
		return (struct verdict)REFUSED(
		    "server-refused", "the local server refused to be promoted",
		    "see its log; are the role's rights those of \"cluster_config sql\"?");
	/* Any other failure may have come after the server took it: only looking tells. */
	rc = wait_until_primary(p, server, from_ms + cfg->lease_ms);
	if (rc == -ESRCH) {
		verdict.rule = "promotion-lost";
		verdict.message = "the server ended while it was being promoted";
		verdict.hint = "its log says why; it is asked again as soon as it runs";
	}
	if (rc < 0)
		return verdict;
	/*
	 * A long replay may have used the grant up; the promotion is what gives the right.  From
	 * the last look that saw none yet: were we frozen since, somebody else may have taken over
	 * from us.
	 */
	log_failed("write the grant file", grant(p, p->unpromoted_ms));
	promote_take_service(cfg);
	return (struct verdict)YES("promoted", "promoted: this node is the primary now", NULL,
				   .id = RULE_PROMOTED);
}
