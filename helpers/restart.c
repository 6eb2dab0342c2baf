/* SPDX-License-Identifier: PostgreSQL */
/*
 * restart - stop a node's server in good order and start it again as what it was.
 *
 * Run by an operator, for a setting or a minor version that needs it: of this node, of the other
 * one, which is asked over ssh, or of both, the standby first.  keepalived and the guard run on.
 *
 * A primary keeps its role: the guard leaves the end of the server to this program, so that the
 * standby is not told to take over, and the server starts by the rules of rejoin.  Should it not
 * come up, or this program be killed, the guard goes on as after any other end of the server, and
 * the standby takes over.
 *
 * Exit codes:
 *
 *	0 the server runs again as what it was
 *	2 refused, nothing was done
 *	3 the local server did not answer
 *	4 the server was stopped, and was not seen to come back
 *	64 71 78 called wrongly, system, configuration
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/cli.h"
#include "base/deadline.h"
#include "base/log.h"
#include "base/rules.h"
#include "check/successor.h"
#include "config/cfg.h"
#include "node/helper.h"
#include "node/history.h"
#include "node/mark.h"
#include "planned/planned.h"
#include "postgres/pgctl.h"

/* Of the clean stop; on a primary the lease bounds it as well. */
#define STOP_MS 10000
/* The checkpoint before it, and a lease that leaves time for it. */
#define PREPARE_MS 300000
/* A start that failed may have met a vote that was just missing; the standby has all, and waits. */
#define PATIENCE_MS 2000
/* A standby replays from its last restartpoint before it answers. */
#define STANDBY_BACK_MS 60000
#define LOOK_AGAIN_MS   100
#define LOCK_MS         100
/* From when a restarted standby streams again until it could take over. */
#define FIT_MS       60000
#define FIT_AGAIN_MS 500

struct options {
	const char *kill_after;
	const char *node;
	bool rolling;
};

struct facts {
	enum server_state local;
	enum fact fenced;
	enum fact serves; /* only of a primary */
	enum fact guard;
};

static bool local_silent(const struct facts *f)
{
	return f->local == SERVER_UNKNOWN || f->local == SERVER_STARTING;
}

static bool local_refuses(const struct facts *f)
{
	return f->local == SERVER_REFUSES;
}

static bool local_down(const struct facts *f)
{
	return f->local == SERVER_DOWN;
}

static bool guard_gone(const struct facts *f)
{
	return f->guard != FACT_YES;
}

static bool fenced(const struct facts *f)
{
	return f->local == SERVER_PRIMARY && f->fenced != FACT_NO;
}

static bool serves_not(const struct facts *f)
{
	return f->local == SERVER_PRIMARY && f->serves != FACT_YES;
}

static const struct rule {
	bool (*holds)(const struct facts *f);
	bool permits;
	struct verdict verdict;
} rules[] = {
	{ local_silent, false,
	  UNKNOWN("local-silent", "the local server did not answer in time, or is starting",
		  NULL) },
	{ local_refuses, false,
	  REFUSED("local-refuses", "the local server lives and refuses the role of the helpers",
		  "the detail says what mends it; on the primary, as a superuser") },
	{ local_down, false, REFUSED("local-down", "no server runs here", "\"rejoin\" starts it") },
	{ guard_gone, false,
	  REFUSED(
	      "guard-gone",
	      "the guard does not run here, so nobody would act should the server not come back",
	      "start its unit: systemctl start pg_vrrp-guard@NAME") },
	{ fenced, false,
	  REFUSED("fenced", "this node is fenced, or it cannot be told whether it is",
		  "\"rejoin\" says what would lift the fence") },
	{ serves_not, false,
	  REFUSED("not-serving",
		  "this primary does not serve by right, so it could not start again as one",
		  "\"check_primary\" says why") },
	{ RULE_ALWAYS, true,
	  YES("dry-run", "dry run: the server would be stopped and started again", NULL) },
};
RULES(restart_rules, rules);

static void gather(struct facts *f, struct planned *p)
{
	p->local = planned_ask(p->cfg, PG_LOCAL);
	f->local = p->local.state;
	f->fenced = fenced_read(p->cfg).present;
	f->serves = planned_serves(p->cfg);
	f->guard = planned_guarded(p->cfg);
}

/* ---- acting ---- */

static struct verdict restarted(struct planned *p, bool back, enum server_state role)
{
	struct verdict verdict =
	    YES("restarted", "the server was restarted and is what it was", NULL);

	if (!back)
		verdict = (struct verdict)INCOMPLETE(
		    "not-back", "the server was stopped, and was not seen to come back",
		    "\"rejoin\" says what is in its way; the guard goes on by itself");
	if (!back && role == SERVER_PRIMARY && p->local.state == SERVER_STANDBY)
		verdict = (struct verdict)INCOMPLETE(
		    "taken-over",
		    "the stop took too long: the other node took over, and this one follows it",
		    "nothing is lost; \"switchover\" there gives the role back");
	(void)snprintf(verdict.detail, sizeof(verdict.detail), "%s, %" PRId64 " ms",
		       server_state_word(role), now_ms() - p->begun_ms);
	log_failed("write the history",
		   history_add(p->cfg, back ? "restarted" : "restart-unseen", verdict.detail));
	return verdict;
}

static struct verdict restart_primary(struct planned *p)
{
	struct deadline dl = deadline_in_ms(PREPARE_MS);
	struct verdict verdict;
	bool back;
	int rc;

	planned_tell(p, true, "writing a checkpoint");
	if (planned_checkpoint(p, &dl) < 0)
		return (struct verdict)REFUSED("checkpoint-failed",
					       "the checkpoint before the stop failed",
					       "the line before this one says why");
	planned_tell(p, true, "stopping the server");
	p->begun_ms = now_ms();
	rc = planned_stop_primary(p, &dl);
	if (rc < 0)
		return planned_not_stopped(p, rc);
	planned_tell(p, true, "starting it again");
	back = planned_start_primary(p, PATIENCE_MS);
	verdict = restarted(p, back, SERVER_PRIMARY);
	planned_let_go(p);
	return verdict;
}

/* The guard starts it again, as it does whenever a standby has ended. */
static struct verdict restart_standby(struct planned *p)
{
	const struct pgctl_stop stop = { .fast_ms = p->stop_limit_ms,
					 .immediate_ms = p->cfg->stop_immediate_ms };
	struct deadline dl = deadline_in_ms(stop.fast_ms + stop.immediate_ms + PGCTL_KILL_MS);
	const char *how = "unknown";
	bool back = false;
	int rc;

	planned_tell(p, true, "stopping the server");
	rc = pgctl_stop(p->cfg, &stop, &dl, &how);
	p->stopped_ms = now_ms();
	if (rc < 0)
		return planned_not_stopped(p, rc);
	dl = deadline_in_ms(STANDBY_BACK_MS);
	while (!back && !deadline_passed(&dl)) {
		struct deadline pause = deadline_sooner(&dl, LOOK_AGAIN_MS);

		deadline_sleep(&pause);
		p->local = planned_ask(p->cfg, PG_LOCAL);
		back = p->local.state == SERVER_STANDBY && p->local.receiving;
		planned_tell(p, false, "the guard starts it again");
	}
	return restarted(p, back, SERVER_STANDBY);
}

/* By the rules; *verdict is what they say. */
static bool may_restart(struct planned *p, struct facts *facts, bool explain,
			struct verdict *verdict)
{
	const struct verdict *said;

	gather(facts, p);
	said = rules_decide(restart_rules, facts);
	*verdict = *said;
	if (explain)
		rules_explain(restart_rules, facts, NULL, stdout);
	if (RULE_OF(struct rule, said)->permits)
		return true;
	(void)snprintf(verdict->detail, sizeof(verdict->detail), "%s", p->local.why);
	return false;
}

/* ---- both ---- */

/* The primary's node knows it. */
static struct verdict standby_fit(const struct planned *p, bool here)
{
	struct planned silent = *p;

	silent.quiet = true; /* it is asked again and again */
	return here ? successor_look(p->cfg)
		    : planned_ask_peer(&silent, FENCE_ASK_SWITCHOVER_TEST, 0);
}

static bool wait_fit(struct planned *p, bool primary_here, struct verdict *verdict)
{
	struct deadline dl = deadline_in_ms(FIT_MS);
	struct verdict fit;

	for (;;) {
		struct deadline pause = deadline_sooner(&dl, FIT_AGAIN_MS);

		fit = standby_fit(p, primary_here);
		if (fit.outcome == OUT_YES)
			return true;
		if (deadline_passed(&dl))
			break;
		planned_tell(p, false, "waiting until the standby could take over again");
		deadline_sleep(&pause);
	}
	*verdict = (struct verdict)REFUSED(
	    "standby-unfit",
	    "the standby was restarted and could not take over yet, so the primary was left alone",
	    "\"cluster_status\" says why; then restart the primary");
	(void)snprintf(verdict->detail, sizeof(verdict->detail), "%s", fit.message);
	return false;
}

/* The standby first: should the primary not come up again, it takes over. */
static struct verdict roll(struct planned *p, enum server_state local, bool dry_run)
{
	const bool primary_here = local == SERVER_PRIMARY;
	struct verdict verdict;

	if (dry_run)
		return planned_ask_peer(p, FENCE_ASK_RESTART_TEST, PREPARE_MS);
	verdict =
	    primary_here ? planned_ask_peer(p, FENCE_ASK_RESTART, PREPARE_MS) : restart_standby(p);
	if (verdict.outcome != OUT_YES || !wait_fit(p, primary_here, &verdict))
		return verdict;
	verdict =
	    primary_here ? restart_primary(p) : planned_ask_peer(p, FENCE_ASK_RESTART, PREPARE_MS);
	if (verdict.outcome == OUT_YES)
		verdict.message = "both servers were restarted, and are what they were";
	return verdict;
}

static struct verdict run(const struct cfg *cfg, const struct cli *cli,
			  const struct options *options)
{
	struct planned p = { .cfg = cfg,
			     .program = "restart",
			     .quiet = cli->quiet,
			     .stop_limit_ms = STOP_MS,
			     .begun_ms = now_ms() };
	struct facts facts = { .local = SERVER_UNKNOWN };
	struct verdict verdict =
	    REFUSED("already-running", "another restart or switchover is at work", NULL,
		    .id = RULE_ALREADY_RUNNING);
	int AUTO_FD lock = -1;

	if (options->kill_after != NULL &&
	    cfg_duration_parse(options->kill_after, &p.stop_limit_ms) < 0)
		return (struct verdict)USAGE_ERROR("usage", "--kill-after wants a duration",
						   "a number and a unit, such as 30s");
	if (options->node != NULL && (options->rolling || cfg_node(cfg, options->node) == NULL))
		return (struct verdict)USAGE_ERROR(
		    "usage", "that is no node of this cluster, or --rolling, which is of both",
		    "\"cluster_status\" shows their names");
	if (!helper_lock(&lock, cfg, LOCK_PLANNED, LOCK_MS, &verdict))
		return verdict;
	if (options->node != NULL && cfg_node(cfg, options->node) == cfg_peer(cfg))
		return planned_ask_peer(
		    &p, cli->dry_run ? FENCE_ASK_RESTART_TEST : FENCE_ASK_RESTART, PREPARE_MS);
	if (!may_restart(&p, &facts, cli->explain, &verdict))
		return verdict;
	if (options->rolling)
		return roll(&p, facts.local, cli->dry_run);
	if (cli->dry_run)
		return verdict;
	return facts.local == SERVER_PRIMARY ? restart_primary(&p) : restart_standby(&p);
}

int main(int argc, char **argv)
{
	struct options options = { 0 };
	const struct cli_option extra[] = {
		{ "rolling", NULL, "both nodes' servers, the standby's first", &options.rolling,
		  NULL },
		{ "kill-after", "TIME", "how long the clean stop may take here (10s)", NULL,
		  &options.kill_after },
		{ 0 },
	};
	const struct cli_spec spec = {
		.program = "restart",
		.summary = "restart a node's server, which stays what it is",
		.options = extra,
		.operands = "[NODE]",
		.max_operands = 1,
		.acts = true,
	};
	struct verdict verdict;
	struct cfg cfg;
	struct cli cli;

	cli_parse(&cli, &spec, argc, argv);
	if (cli.operand_count > 0)
		options.node = cli.operands[0];
	if (!helper_begin(&cfg, &cli, HELPER_FILES, &verdict))
		return cli_finish(&cli, &verdict);
	verdict = run(&cfg, &cli, &options);
	return cli_finish(&cli, &verdict);
}
