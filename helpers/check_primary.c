/* SPDX-License-Identifier: PostgreSQL */
/*
 * check_primary - may this node be, or become, the one that serves?
 *
 * Run each second by keepalived as the track script of both instances (--keepalived: the election;
 * --serving: the virtual address), by the guard when keepalived does not, by fence_self
 * (--primary), by cron and monitoring.  On a primary it asks the peer for its vote and, while the
 * lease runs, says "serving" to keepalived; on a standby it notes when the primary was last seen.
 * It changes only files of its own node, and starts fence_self when it finds a second primary or a
 * guard that is late.  Exit codes:
 *
 *	0 yes
 *	1 no
 *	3 could not be found out in time
 *	64 71 78 called wrongly, system, configuration
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cli.h"
#include "base/deadline.h"
#include "base/log.h"
#include "base/proc.h"
#include "config/cfg.h"
#include "node/files.h"
#include "node/keepalived.h"
#include "postgres/pgdata.h"
#include "postgres/server.h"
#include "serve/check_leave.h"
#include "serve/check_rules.h"
#include "serve/check_tell.h"
#include "serve/duty.h"
#include "serve/guard_watchdog.h"

/* keepalived's interval: when the next round comes. */
#define ROUND_MS 1000
/* How old the peer's last vote may be while the witness alone keeps the lease. */
#define VOTE_EVERY_MS 5000
/* What comes behind the record: files, and keepalived is told. */
#define AFTERWARDS_MS 100

struct options {
	bool keepalived;
	bool serving;
	bool primary;
	bool automatic;
};

/*
 * Looked at once: were it read again to see whether there is one, and only that went well, a lease
 * that runs would be taken for one that ran out.
 */
static void gather_lease(struct check_facts *f, const struct cfg *cfg)
{
	int64_t until_ms;

	f->lease_known = stamp_read(cfg, "lease", &until_ms, NULL, 0) == 0;
	f->lease_runs =
	    fact_of((f->lease_known && now_ms() < until_ms) || stamp_runs(cfg, "grant"));
}

/* What the files of this node say; needs no server. */
static void gather_files(struct check_facts *f, const struct cfg *cfg)
{
	int serving = TRACK_NO;

	f->fenced = fenced_read(cfg).present;
	gather_lease(f, cfg);
	f->watchdog_missing = guard_watchdog_missing(cfg);
	f->says_serving =
	    track_read(cfg, "serving", &serving) < 0 ? FACT_UNKNOWN : fact_of(serving == TRACK_YES);
}

/* Has the other node followed the server that runs here now, as its vote since then says? */
static enum fact peer_followed(const struct cfg *cfg)
{
	int64_t started_ms = pgdata_started_ms(cfg);
	int64_t vote_ms;

	if (started_ms < 0 || stamp_read(cfg, "vote", &vote_ms, NULL, 0) < 0)
		return FACT_UNKNOWN;
	return fact_of(vote_ms > started_ms);
}

/* What the other server's answer means for this node. */
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

	if (peer->state != SERVER_STANDBY || pgdata_form(cfg) != PGDATA_PRIMARY)
		return;
	pgdata_control(&control, cfg, dl);
	if (control.known)
		f->peer_votes = server_votes_for(peer, cfg_self(cfg)->address,
						 control.system_identifier, control.timeline);
}

/* It must go on when keepalived ends us for being late, so it is detached. */
static void start_fence(const struct cfg *cfg, const char *reason, bool lease_ended)
{
	char path[CFG_PATH_MAX + CFG_NAME_MAX];
	const char *const argv[] = { path,
				     "-c",
				     cfg->path,
				     "-n",
				     cfg_self(cfg)->name,
				     "--reason",
				     reason,
				     lease_ended ? "--auto" : NULL,
				     NULL };
	struct proc_spec spec = { .argv = argv };
	int rc;

	(void)snprintf(path, sizeof(path), "%s/fence_self", cfg->libexec_dir);
	log_warning("fencing this node: %s", reason);
	rc = proc_detach(&spec);
	if (rc < 0)
		log_error("could not start %s: %s", path, strerror(-rc));
}

/* ---- the three questions ---- */

/*
 * The peer's vote is the second source of the lease.  While the witness keeps the lease long enough
 * for the next round, and the peer has voted a moment ago, asking it again would tell nothing new;
 * it costs more than all the rest of this program (SCRAM, and the cryptography library behind it).
 */
static bool peer_can_wait(const struct cfg *cfg)
{
	int64_t enough_ms = cfg_fence_time_ms(cfg) + ROUND_MS + cfg->check_budget_ms;
	int64_t now = now_ms();
	int priority;
	int serving;
	int64_t at_ms;

	return pgdata_form(cfg) == PGDATA_PRIMARY && track_read(cfg, "serving", &serving) == 0 &&
	       serving == TRACK_YES && track_read(cfg, "priority", &priority) == 0 &&
	       priority == PRIORITY_SETTLED && stamp_read(cfg, "lease", &at_ms, NULL, 0) == 0 &&
	       at_ms - now > enough_ms && stamp_read(cfg, "vote", &at_ms, NULL, 0) == 0 &&
	       now - at_ms < VOTE_EVERY_MS;
}

/* Both servers at once; the other node only where it is needed. */
static void ask(const struct cfg *cfg, const struct deadline *dl, struct server *local,
		struct server *peer, struct duty_beside *duty)
{
	struct deadline peer_dl = deadline_sooner(dl, cfg->probe_timeout_ms);
	struct server_question to_peer = { peer, cfg, PG_PEER, &peer_dl, 0, false };
	bool wanted = !peer_can_wait(cfg);

	if (wanted)
		server_ask_begin(&to_peer);
	server_ask(local, cfg, PG_LOCAL, dl);
	if (cfg_has_record(cfg))
		duty_begin(duty);
	if (wanted)
		server_ask_end(&to_peer);
}

static void gather_record(struct check_facts *f, const struct cfg *cfg,
			  const struct duty_report *duty)
{
	int64_t at_ms;

	f->record_theirs = duty->theirs;
	f->solo = cfg_has_record(cfg) && stamp_read(cfg, "solo", &at_ms, NULL, 0) == 0;
}

static struct verdict check_node(const struct cfg *cfg, const struct cli *cli,
				 const struct options *options)
{
	struct deadline dl = { .at_ms = cli->started_ms + cfg->check_budget_ms };
	struct check_facts f = { .mode_sync = cfg->mode == MODE_SYNC };
	struct server local;
	struct server peer = { .state = SERVER_UNKNOWN };
	struct duty_report duty = { .theirs = FACT_UNKNOWN };
	struct duty_beside beside = { .report = &duty,
				      .cfg = cfg,
				      .local = &local,
				      .dl = { .at_ms = dl.at_ms - AFTERWARDS_MS } };
	struct verdict verdict;

	ask(cfg, &dl, &local, &peer, &beside);
	if (peer.asked_ms > 0)
		check_tell_refusal(cfg, &peer);
	check_facts_of(&f, &local, cfg);
	if (f.local == SERVER_PRIMARY || f.local == SERVER_STANDBY)
		gather_peer(&f, cfg, &local, &peer);
	/* The vote is for the guard, which may take it before we look at the lease ourselves. */
	if (f.local == SERVER_STARTING)
		gather_vote_for_start(&f, cfg, &peer, &dl);
	if (f.local == SERVER_PRIMARY || f.local == SERVER_STARTING)
		check_leave_vote(cfg, &f, &peer);
	if (f.local == SERVER_STANDBY)
		check_leave_contact(cfg, &local, &peer);
	if (cfg_has_record(cfg))
		duty_end(&beside);
	check_tell_record(cfg, &duty);
	gather_files(&f, cfg);
	gather_record(&f, cfg, &duty);

	verdict = check_decide(&f);
	if (f.local != SERVER_PRIMARY && f.local != SERVER_STANDBY)
		(void)snprintf(verdict.detail, sizeof(verdict.detail), "%s", local.why);
	else if (strcmp(verdict.rule, "fence-unknown") == 0 || strcmp(verdict.rule, "fenced") == 0)
		(void)snprintf(verdict.detail, sizeof(verdict.detail), "%s",
			       fenced_read(cfg).reason);
	else if (cfg_has_record(cfg))
		(void)snprintf(verdict.detail, sizeof(verdict.detail), "record: %s", duty.words);
	check_leave_tracks(cfg, &f, &verdict);
	if (check_must_fence(&f))
		start_fence(cfg, verdict.message, check_lease_ended(&f));
	if (options->primary && verdict.outcome == OUT_YES && f.local != SERVER_PRIMARY)
		verdict = (struct verdict){ .outcome = OUT_NO,
					    .rule = "standby",
					    .message = "this node is a standby" };
	return verdict;
}

/*
 * The vip instance asks this beside its track file, so that a yes which nobody takes back any more
 * ends with the lease. Files only, so that it is always in time; and yes where the file says no, so
 * that a promotion need not wait for keepalived's next round.
 */
static struct verdict check_serving(const struct cfg *cfg)
{
	struct check_facts f = { .local = SERVER_UNKNOWN };

	gather_files(&f, cfg);
	return check_serving_decide(&f);
}

/* keepalived asks each second; only what differs from the last answer is worth a line in the log.
 */
static int finish(const struct cfg *cfg, const struct cli *cli, const struct options *options,
		  const struct verdict *verdict)
{
	const char *name = options->serving ? "check_serving" : "check_primary";

	if (!options->keepalived && !options->automatic && !options->serving)
		return cli_finish(cli, verdict);
	if (attempt_is_same(cfg, name, verdict))
		return (int)verdict->outcome;
	log_failed("write the attempt file", attempt_write(cfg, name, verdict));
	return cli_finish(cli, verdict);
}

int main(int argc, char **argv)
{
	struct options options = { 0 };
	const struct cli_option extra[] = {
		{ "keepalived", NULL, "called by keepalived's election instance",
		  &options.keepalived, NULL },
		{ "serving", NULL, "may keepalived believe the serving file? (files only)",
		  &options.serving, NULL },
		{ "primary", NULL, "yes only for a primary that serves by right, not for a standby",
		  &options.primary, NULL },
		{ "auto", NULL, "called by the guard: log only what has changed",
		  &options.automatic, NULL },
		{ 0 },
	};
	const struct cli_spec spec = {
		.program = "check_primary",
		.summary = "may this node be, or become, the one that serves?",
		.options = extra,
	};
	struct verdict verdict;
	struct cfg cfg;
	struct cli cli;

	cli_parse(&cli, &spec, argc, argv);
	if (cfg_load(&cfg, cli.config_path) < 0 || cfg_identify(&cfg, cli.node) < 0)
		return cli_finish_config(&cli);
	log_failed("make the run and state directories", files_prepare(&cfg));
	if (options.keepalived)
		log_failed("note that keepalived runs",
			   stamp_write(&cfg, "keepalived", now_ms(), "called"));
	verdict = options.serving ? check_serving(&cfg) : check_node(&cfg, &cli, &options);
	/* Otherwise "does not serve, and says so" would be said to nobody. */
	if (options.keepalived && options.serving &&
	    keepalived_watches(getppid(), cfg.run_dir) != FACT_YES)
		verdict = (struct verdict){
			.outcome = OUT_NO,
			.rule = "unwatched",
			.message = "keepalived does not watch the run directory",
			.hint = "reload keepalived; \"cluster_config tmpfiles\" makes the "
				"directory at boot",
		};
	return finish(&cfg, &cli, &options, &verdict);
}
