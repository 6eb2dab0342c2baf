/* SPDX-License-Identifier: PostgreSQL */
/*
 * switchover - let the standby become the primary, in good order and with nothing lost.
 *
 * Run by an operator on the node of the primary, for planned work.  It checks what a takeover needs
 * before it touches anything, stops this node's server cleanly, makes sure that the standby has
 * received all of its WAL, and only then lets it take over, by the rules of promote_safe; this node
 * comes back as its standby.  Up to there every failure goes back to what was: this node serves.
 * It can be killed at any line: the guard goes on as after any other end of the server.
 *
 * Exit codes:
 *
 *	0 the other node is the primary and this one follows it
 *	2 refused, or taken back: this node serves on
 *	3 the local server did not answer
 *	4 the server was stopped, and the end was not seen
 *	64 71 78 called wrongly, system, configuration
 */
#include "planned/switchover.h"
#include "base/cli.h"
#include "base/deadline.h"
#include "base/log.h"
#include "config/cfg.h"
#include "node/helper.h"
#include "postgres/unit.h"

/* Until the standby is close enough and streams with its slot, and until a lease is fresh enough
 * for the stop. */
#define WAIT_MS 60000
/* Of the clean stop: the lease bounds it as well. */
#define STOP_MS 10000
/* systemd waits for what it stops: one question to it, and a standby that is not close soon is left
 * to what its guard makes of the end of this server. */
#define LEAVING_MS      2000
#define LEAVING_WAIT_MS 3000
/* Another run goes first, and this one would find what it made of the cluster. */
#define LOCK_MS 100

struct options {
	const char *to;
	const char *wait;
	const char *kill_after;
	bool shutdown;
};

static struct verdict usage(const char *message)
{
	return (struct verdict)USAGE_ERROR("usage", message, "a number and a unit, such as 30s");
}

/* All conditions have held; they are looked at once more behind the checkpoint. */
static struct verdict act(struct switchover *s, const struct deadline *dl)
{
	struct verdict verdict;
	int rc;

	planned_tell(&s->planned, true, "writing a checkpoint");
	if (planned_checkpoint(&s->planned, dl) < 0)
		return (struct verdict)REFUSED("checkpoint-failed",
					       "the checkpoint before the stop failed",
					       "the line before this one says why");
	if (switchover_wait(s, dl, &verdict) != SWITCHOVER_GO)
		return verdict;
	planned_tell(&s->planned, true, "stopping the server");
	rc = planned_stop_primary(&s->planned, dl);
	if (rc < 0)
		return planned_not_stopped(&s->planned, rc);
	/* A host that leaves starts nothing again: the standby takes over by its own rules, or
	 * waits. */
	if (switchover_prove(s) == FACT_YES || s->leaves)
		return switchover_hand_over(s);
	return switchover_take_back(s);
}

/* ---- a host that is shut down ---- */

/* systemd stops our unit also for other reasons, and the server of a standby by itself. */
static bool has_to_leave(const struct cfg *cfg, struct verdict *verdict)
{
	struct deadline soon = deadline_in_ms(LEAVING_MS);
	const enum fact leaving = unit_host_is_leaving(&soon);
	enum server_state local = SERVER_UNKNOWN;

	if (leaving == FACT_YES)
		local = planned_ask(cfg, PG_LOCAL).state;
	if (leaving == FACT_UNKNOWN)
		*verdict = (struct verdict)UNKNOWN(
		    "leaving-unknown",
		    "systemd did not say whether this host is being shut down: nothing was done",
		    NULL);
	else if (leaving == FACT_NO)
		*verdict = (struct verdict)YES(
		    "stays-up", "this host is not being shut down: nothing was done", NULL);
	else if (local == SERVER_STANDBY || local == SERVER_DOWN)
		*verdict = (struct verdict)YES(
		    "no-primary", "no primary runs here: there is nothing to hand over", NULL);
	else
		return true;
	return false;
}

static struct verdict run(const struct cfg *cfg, const struct cli *cli,
			  const struct options *options)
{
	struct switchover s = { .planned = { .cfg = cfg,
					     .program = "switchover",
					     .quiet = cli->quiet,
					     .stop_limit_ms = STOP_MS,
					     .begun_ms = now_ms() } };
	struct verdict verdict =
	    REFUSED("already-running", "another switchover or restart is at work", NULL,
		    .id = RULE_ALREADY_RUNNING);
	struct deadline dl;
	int64_t wait_ms = WAIT_MS;
	enum switchover_step step;
	int AUTO_FD lock = -1;

	if (options->to != NULL && cfg_node(cfg, options->to) == NULL)
		return (struct verdict)USAGE_ERROR("usage", "--to does not name a node",
						   "\"cluster_status\" shows their names");
	if (options->wait != NULL && cfg_duration_parse(options->wait, &wait_ms) < 0)
		return usage("--wait wants a duration");
	if (options->kill_after != NULL &&
	    cfg_duration_parse(options->kill_after, &s.planned.stop_limit_ms) < 0)
		return usage("--kill-after wants a duration");
	if (!helper_lock(&lock, cfg, LOCK_PLANNED, LOCK_MS, &verdict))
		return verdict;
	s.facts.to_peer = options->to != NULL && cfg_node(cfg, options->to) == cfg_peer(cfg);
	s.facts.to_self = options->to != NULL && cfg_node(cfg, options->to) == cfg_self(cfg);
	if (options->shutdown && !has_to_leave(cfg, &verdict))
		return verdict;
	s.leaves = options->shutdown;
	if (s.leaves && options->wait == NULL)
		wait_ms = LEAVING_WAIT_MS;
	dl = deadline_in_ms(cli->dry_run ? 0 : wait_ms);
	step = switchover_wait(&s, &dl, &verdict);
	if (cli->explain)
		switchover_explain(&s.facts, stdout);
	if (step == SWITCHOVER_ASK)
		return planned_ask_peer(
		    &s.planned, cli->dry_run ? FENCE_ASK_SWITCHOVER_TEST : FENCE_ASK_SWITCHOVER,
		    wait_ms);
	if (step != SWITCHOVER_GO && s.leaves && !cli->dry_run) {
		log_warning("nobody takes over: %s: %s", verdict.message, verdict.detail);
		return switchover_leave(&s);
	}
	if (step != SWITCHOVER_GO || cli->dry_run)
		return verdict;
	return act(&s, &dl);
}

int main(int argc, char **argv)
{
	struct options options = { 0 };
	const struct cli_option extra[] = {
		{ "to", "NODE", "the node that is to be the primary", NULL, &options.to },
		{ "wait", "TIME", "for the standby to come close (60s)", NULL, &options.wait },
		{ "kill-after", "TIME", "how long the clean stop may take (10s)", NULL,
		  &options.kill_after },
		{ 0 },
	};
	const struct cli_option machine[] = {
		{ "shutdown", NULL, "called by systemd: only where the host is going down",
		  &options.shutdown, NULL },
		{ 0 },
	};
	const struct cli_spec spec = {
		.program = "switchover",
		.summary = "let the standby become the primary, with nothing lost",
		.options = extra,
		.machine = machine,
		.acts = true,
	};
	struct verdict verdict;
	struct cfg cfg;
	struct cli cli;

	cli_parse(&cli, &spec, argc, argv);
	if (!helper_begin(&cfg, &cli, HELPER_FILES, &verdict))
		return cli_finish(&cli, &verdict);
	verdict = run(&cfg, &cli, &options);
	return cli_finish(&cli, &verdict);
}
