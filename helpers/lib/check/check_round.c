/* SPDX-License-Identifier: PostgreSQL */
#include "check/check_round.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/deadline.h"
#include "base/log.h"
#include "base/proc.h"
#include "check/check_disk.h"
#include "check/check_files.h"
#include "check/check_leave.h"
#include "check/check_rules.h"
#include "check/check_tell.h"
#include "check/check_unbidden.h"
#include "check/duty.h"
#include "config/timing.h"
#include "node/answer.h"
#include "node/call.h"
#include "node/leased.h"
#include "node/mark.h"
#include "node/stamp.h"
#include "node/track.h"
#include "postgres/pgdata.h"
#include "postgres/pgdata_room.h"

/* How old the peer's last vote may be while the witness alone keeps the lease. */
#define VOTE_EVERY_MS 5000

/*
 * A guard that lives and does not act: it has taken the lease away (or never gave one), and fences
 * nobody.  The guard fences what nobody gave a right after a lease less the time of a fence, so
 * that what comes after both is late by any clock of its own.
 */
static bool lease_overdue(const struct cfg *cfg, const struct check_facts *f)
{
	int64_t started_ms, since_ms, now = now_ms();
	int rc = stamp_read(cfg, STAMP_LEASE, &since_ms, NULL, 0);

	/* No file: no guard has ever given or taken one in this boot, so nobody relies on it. */
	if (f->local != SERVER_PRIMARY || f->lease_runs != FACT_NO || rc == -ENOENT) {
		log_failed("remove the unleased file", stamp_clear(cfg, STAMP_UNLEASED));
		return false;
	}
	started_ms = pgdata_started_ms(cfg);
	if (stamp_read(cfg, STAMP_UNLEASED, &since_ms, NULL, 0) == 0 && since_ms > started_ms)
		return now - since_ms > cfg->lease_ms + cfg_fence_time_ms(cfg);
	log_failed("write the unleased file", stamp_write(cfg, STAMP_UNLEASED, now, "primary"));
	return false;
}

/* Has the other node followed the server that runs here now, as its vote since then says? */
static enum fact peer_followed(const struct cfg *cfg)
{
	int64_t started_ms = pgdata_started_ms(cfg);
	int64_t vote_ms;

	if (started_ms < 0 || stamp_read(cfg, STAMP_VOTE, &vote_ms, NULL, 0) < 0)
		return FACT_UNKNOWN;
	return fact_of(vote_ms > started_ms);
}

/* Fills in what the other server's answer means for this node. */
static void gather_peer(struct check_facts *f, const struct cfg *cfg, const struct server *local,
			const struct server *peer)
{
	f->peer_votes = server_votes_for(peer, cfg_self(cfg)->address, local->system_identifier,
					 local->timeline);
	f->peer_is_primary =
	    peer->state == SERVER_UNKNOWN ? FACT_UNKNOWN : fact_of(peer->state == SERVER_PRIMARY);
	f->peer_other_system =
	    peer->system_identifier != 0 && peer->system_identifier != local->system_identifier;
	f->peer_not_older = peer->timeline >= local->timeline;
	if (f->peer_is_primary == FACT_YES)
		f->peer_followed = peer_followed(cfg);
}

/*
 * A recovery may take longer than the lease that let it begin, and does not answer; but the standby
 * does, and what it follows is in the control file.  Without this a crash while the witness is away
 * would end in one attempt after the other.
 */
static void gather_vote_for_start(struct check_facts *f, const struct cfg *cfg,
				  const struct server *peer, const struct deadline *dl)
{
	struct pgdata_control control;

	if (peer->state != SERVER_STANDBY || !pgdata_runs_primary(cfg))
		return;
	pgdata_control(&control, cfg, dl);
	if (control.known)
		f->peer_votes = server_votes_for(peer, cfg_self(cfg)->address,
						 control.system_identifier, control.timeline);
}

/*
 * The fence must go on when keepalived ends us for being late, so it is detached.  --anyway:
 * whether somebody would take over is a question to a person, and this node may not serve in any
 * case.
 */
static void start_fence(const struct cfg *cfg, const char *reason, bool lease_ended)
{
	const char *const words[] = { "--reason", reason, "--anyway", lease_ended ? "--auto" : NULL,
				      NULL };
	struct call call;
	const struct proc_spec spec = { .argv = call.argv };
	int rc;

	call_make(&call, cfg, "fence_self", words);
	log_warning("fencing this node: %s", reason);
	rc = proc_detach(&spec);
	if (rc < 0)
		log_error("could not start %s: %s", call.path, strerror(-rc));
}

/* ---- the three questions ---- */

/*
 * The peer's vote is the second source of the lease.  While the witness keeps the lease long enough
 * for the next round, and the peer has voted a moment ago, asking it again would tell nothing new;
 * it costs more than all the rest of this program (SCRAM, and the cryptography library behind it).
 */
static bool peer_can_wait(const struct cfg *cfg)
{
	int64_t enough_ms = cfg_fence_time_ms(cfg) + TIMING_ROUND_MS + cfg->check_budget_ms;
	int64_t now = now_ms();
	int priority;
	int serving;
	int64_t at_ms;

	return pgdata_runs_primary(cfg) && track_read(cfg, TRACK_SERVING, &serving) == 0 &&
	       serving == TRACK_YES && track_read(cfg, TRACK_PRIORITY, &priority) == 0 &&
	       priority == PRIORITY_SETTLED && stamp_read(cfg, STAMP_LEASE, &at_ms, NULL, 0) == 0 &&
	       at_ms - now > enough_ms && stamp_read(cfg, STAMP_VOTE, &at_ms, NULL, 0) == 0 &&
	       now - at_ms < VOTE_EVERY_MS;
}

/* Both servers at once; the other node only where it is needed.  How long this node's one took. */
static int64_t ask(const struct cfg *cfg, const struct deadline *dl, struct server *local,
		   struct server *peer, struct duty_beside *duty)
{
	struct deadline peer_dl = deadline_sooner(dl, answer_question_ms(cfg));
	struct server_question to_peer = { peer, cfg, PG_PEER, &peer_dl, 0, false };
	bool wanted = !peer_can_wait(cfg);
	int64_t asked_ms, took_ms;

	if (wanted)
		server_ask_begin(&to_peer);
	asked_ms = now_ms();
	server_ask(local, cfg, PG_LOCAL, dl);
	took_ms = now_ms() - asked_ms;
	server_look_behind(local, cfg, dl);
	if (cfg_has_record(cfg))
		duty_begin(duty);
	if (wanted)
		server_ask_end(&to_peer);
	return took_ms;
}

static void gather_record(struct check_facts *f, const struct cfg *cfg,
			  const struct duty_report *duty)
{
	int64_t at_ms;

	f->record_theirs = duty->theirs;
	f->commits_wait = duty->unheard[0] != '\0';
	f->solo = cfg_has_record(cfg) && stamp_read(cfg, STAMP_SOLO, &at_ms, NULL, 0) == 0;
}

/* From before the first lease on, a directory has the mark; it counts for any system when it is not
 * known which this is. */
static void gather_leased(struct check_facts *f, const struct cfg *cfg)
{
	uint64_t system = 0;

	if (f->local != SERVER_PRIMARY)
		return;
	if (pgdata_system(cfg, &system) < 0)
		system = 0;
	f->leased = leased_read(cfg, system);
}

/*
 * The first vote of all begins the lease of a primary that was left alone so far.  With a record it
 * is not passed on before the witness can keep one: by votes alone it would end with its standby.
 */
static bool waits_for_the_record(const struct cfg *cfg, const struct check_facts *f,
				 const struct duty_report *duty)
{
	return cfg_has_record(cfg) && f->leased == FACT_NO && duty->trust != RECORD_GOOD &&
	       !record_replaceable(duty->trust);
}

struct answers {
	const struct server *local;
	const struct server *peer;
	const struct duty_report *duty;
};

static void fill_detail(struct verdict *verdict, const struct cfg *cfg, const struct check_facts *f,
			const struct answers *said)
{
	char *detail = verdict->detail;
	const size_t size = sizeof(verdict->detail);

	if (f->refuses)
		server_refusal(said->local->failure, said->local->why, cfg, detail, size);
	else if (f->local != SERVER_PRIMARY && f->local != SERVER_STANDBY)
		(void)snprintf(detail, size, "%.159s", said->local->why);
	else if (verdict->id == RULE_FENCE_UNKNOWN || verdict->id == RULE_FENCED)
		(void)snprintf(detail, size, "%s", fenced_read(cfg).reason);
	else if (verdict->id == RULE_UNPAIRED && f->peer_votes == FACT_YES &&
		 waits_for_the_record(cfg, f, said->duty))
		(void)snprintf(detail, size, "%s votes, but the witness keeps no record: %.200s",
			       cfg_peer(cfg)->name, said->duty->words);
	else if (verdict->id == RULE_UNPAIRED)
		check_say_unpaired(detail, size, cfg, f, said->peer);
	else if (verdict->id == RULE_SERVES_COMMITS_WAIT)
		(void)snprintf(detail, size, "%s", said->duty->unheard);
	else if (cfg_has_record(cfg))
		(void)snprintf(detail, size, "record: %.199s", said->duty->words);
}

static void explain(const struct check_facts *f, const struct duty_report *duty, FILE *out)
{
	check_explain(f, out);
	if (!duty->decided)
		return;
	(void)fprintf(out, "\nthe record at the witness:\n");
	duty_explain(&duty->facts, out);
}

struct verdict check_round(const struct cfg *cfg, int64_t started_ms, struct check_seen *seen)
{
	return check_round_explained(cfg, started_ms, seen, NULL);
}

struct verdict check_round_explained(const struct cfg *cfg, int64_t started_ms,
				     struct check_seen *seen, FILE *out)
{
	struct deadline dl = { .at_ms = started_ms + cfg->check_budget_ms };
	struct check_facts f = { .mode_sync = cfg->mode == MODE_SYNC };
	struct server local;
	struct server peer = { .state = SERVER_UNKNOWN };
	struct duty_report duty = { .theirs = FACT_UNKNOWN };
	struct duty_beside beside = { .report = &duty,
				      .cfg = cfg,
				      .local = &local,
				      .dl = { .at_ms = dl.at_ms - TIMING_AFTERWARDS_MS } };
	struct verdict verdict;

	seen->took_ms = ask(cfg, &dl, &local, &peer, &beside);
	if (peer.asked_ms > 0)
		check_tell_refusal(cfg, &peer);
	check_facts_of(&f, &local, cfg);
	if (f.local == SERVER_PRIMARY || f.local == SERVER_STANDBY)
		gather_peer(&f, cfg, &local, &peer);
	/* The vote is for the guard, which may take it before we look at the lease ourselves. */
	if (f.local == SERVER_STARTING)
		gather_vote_for_start(&f, cfg, &peer, &dl);
	gather_leased(&f, cfg);
	if ((f.local == SERVER_PRIMARY && f.leased != FACT_NO) || f.local == SERVER_STARTING)
		check_leave_vote(cfg, &f, &peer);
	if (f.local == SERVER_STANDBY)
		check_leave_contact(cfg, &local, &peer, &dl);
	if (cfg_has_record(cfg))
		duty_end(&beside);
	if (f.local == SERVER_PRIMARY && f.leased == FACT_NO &&
	    !waits_for_the_record(cfg, &f, &duty))
		check_leave_vote(cfg, &f, &peer);
	check_tell_record(cfg, &duty);
	if (duty.theirs == FACT_YES)
		check_note_unbidden(cfg, &local, &peer);
	check_gather_files(&f, cfg);
	f.lease_overdue = lease_overdue(cfg, &f);
	gather_record(&f, cfg, &duty);
	check_gather_disk(&f, cfg, &local, &duty);

	verdict = check_decide(&f);
	if (out != NULL)
		explain(&f, &duty, out);
	fill_detail(&verdict, cfg, &f, &(struct answers){ &local, &peer, &duty });
	check_leave_tracks(cfg, &f, &verdict);
	if (check_must_fence(&f))
		start_fence(cfg, verdict.message, check_lease_ended(&f));
	if (check_steps_down(&f)) {
		check_note_step_down(cfg);
		start_fence(cfg,
			    "the disk is full, and the standby is ready (disk_full = step-down)",
			    true);
	}
	seen->is = f.local;
	return verdict;
}

struct verdict check_look(const struct cfg *cfg, int64_t started_ms, struct check_seen *seen,
			  FILE *out)
{
	struct deadline dl = { .at_ms = started_ms + cfg->check_budget_ms };
	struct deadline peer_dl = deadline_sooner(&dl, answer_question_ms(cfg));
	struct check_facts f = { .mode_sync = cfg->mode == MODE_SYNC };
	struct server local;
	struct server peer = { 0 };
	struct duty_report duty = { .theirs = FACT_UNKNOWN };
	struct verdict verdict;

	server_ask_both(&local, &dl, &peer, &peer_dl, cfg);
	seen->took_ms = now_ms() - started_ms;
	server_look_behind(&local, cfg, &dl);
	check_facts_of(&f, &local, cfg);
	if (f.local == SERVER_PRIMARY || f.local == SERVER_STANDBY)
		gather_peer(&f, cfg, &local, &peer);
	gather_leased(&f, cfg);
	if (cfg_has_record(cfg))
		duty_look(&duty, cfg, &local, &dl);
	check_gather_files(&f, cfg);
	gather_record(&f, cfg, &duty);
	f.disk_full = pgdata_room(cfg).full;

	verdict = check_decide(&f);
	if (out != NULL)
		explain(&f, &duty, out);
	fill_detail(&verdict, cfg, &f, &(struct answers){ &local, &peer, &duty });
	seen->is = f.local;
	return verdict;
}
