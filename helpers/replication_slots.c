/* SPDX-License-Identifier: PostgreSQL */
/*
 * replication_slots - the slots that hold WAL for a node that is away, and nothing for ever.
 *
 * Without a deed it shows them and changes nothing.  --maintain is run by the guard now and then
 * and after each change of role (--auto), and by an operator; --drop by an operator.  It changes
 * slots of the local server, and primary_slot_name.  It can be killed at any line; the next run
 * finds by looking how far it came.  Exit codes:
 *
 *	0 all is as it should be
 *	1 no WAL is held for the standby, which was away for too long
 *	2 refused by a rule	3 could not be found out
 *	4 something is to be done, or to be waited for
 *	64 71 78 called wrongly, system, configuration
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cli.h"
#include "base/deadline.h"
#include "base/fold.h"
#include "base/log.h"
#include "base/report.h"
#include "config/cfg.h"
#include "node/attempt.h"
#include "node/helper.h"
#include "node/history.h"
#include "slots/slots_gather.h"
#include "slots/slots_show.h"

/* The guard calls again. */
#define BUDGET_MS 10000
#define LOCK_MS   100
/* No way through the rules takes more steps, so this many mean going round in circles. */
#define STEPS_MAX 12

struct options {
	bool maintain;
	bool automatic;
	const char *drop;
};

/* ---- act ---- */

static int renew(const struct slots *s, bool reserve)
{
	int rc = server_slot_drop(s->cfg, s->others, &s->dl);

	return rc < 0 ? rc : server_slot_create(s->cfg, s->others, reserve, &s->dl);
}

static int act(struct slots *s, enum slots_step step)
{
	switch (step) {
	case SLOTS_UNNAME:
		return server_slot_use(s->cfg, "", &s->dl);
	case SLOTS_NAME:
		return server_slot_use(s->cfg, s->own, &s->dl);
	case SLOTS_DROP_LEFT:
	case SLOTS_DROP_DEAD:
		return server_slot_drop(s->cfg, s->drop->name, &s->dl);
	case SLOTS_DROP:
		return server_slot_drop(s->cfg, s->others, &s->dl);
	case SLOTS_CREATE:
		s->made = true;
		return server_slot_create(s->cfg, s->others, true, &s->dl);
	case SLOTS_RENEW:
		s->made = true;
		return renew(s, true);
	case SLOTS_EMPTY:
		return renew(s, false);
	case SLOTS_ADVANCE:
		s->made = true;
		return server_slot_advance(s->cfg, s->others, s->here.redo_lsn, &s->dl);
	case SLOTS_VERDICT:
	case SLOTS_STEPS:
		break;
	}
	return 0;
}

/* Events that an operator may want to know afterwards; an advanced slot is none. */
static void tell(const struct slots *s, enum slots_step step)
{
	const char *name = step == SLOTS_DROP_LEFT || step == SLOTS_DROP_DEAD ? s->drop->name
			   : step == SLOTS_UNNAME                             ? s->here.uses
			   : step == SLOTS_NAME                               ? s->own
									      : s->others;
	char detail[128];

	if (step == SLOTS_ADVANCE)
		return;
	log_info("%s: %s", slots_step_word(step), name);
	(void)snprintf(detail, sizeof(detail), "%s: %s", slots_step_word(step), name);
	if (step == SLOTS_EMPTY || step == SLOTS_DROP_DEAD || step == SLOTS_DROP_LEFT)
		log_failed("write the history", history_add(s->cfg, "slot", detail));
}

/* Only what the server said no to is refused: an answer that was lost is no answer, and the guard
 * has to call again soon. */
static struct verdict failed(enum slots_step step, int rc)
{
	if (rc == -EPROTO && (step == SLOTS_NAME || step == SLOTS_UNNAME))
		return (struct verdict)REFUSED("name-failed",
					       "primary_slot_name could not be changed",
					       "has the role the rights of \"cluster_config "
					       "sql\" of this version?");
	return (struct verdict)INCOMPLETE("slot-failed",
					  "a slot, or the name of one, could not be changed",
					  "the log says what the server answered");
}

static struct verdict maintain(struct slots *s)
{
	struct verdict verdict = { .rule = "no-time", .message = "there was no time to look" };

	for (int steps = 0; steps < STEPS_MAX && !deadline_passed(&s->dl); steps++) {
		enum slots_step step;
		int rc;

		slots_gather(s);
		step = slots_decide(&s->facts, &verdict);
		if (step == SLOTS_VERDICT)
			return verdict;
		rc = act(s, step);
		if (rc < 0)
			return failed(step, rc);
		tell(s, step);
	}
	verdict.outcome = OUT_INCOMPLETE;
	return verdict;
}

/* An operator's: any slot of this server but the one that this cluster lives by. */
static struct verdict drop(struct slots *s, const char *name, bool dry_run)
{
	const struct server_slot *slot;
	int rc;

	slots_gather(s);
	slot = slot_find(&s->here, name);
	if (!s->facts.known)
		return (struct verdict)UNKNOWN("server-silent",
					       "this node's server does not say what slots "
					       "it has",
					       NULL);
	if (slot == NULL)
		return (struct verdict)YES("no-such-slot", "there is no such slot on this server",
					   NULL);
	if (strcmp(name, s->others) == 0 && s->cfg->slots)
		return (struct verdict)REFUSED("slot-in-service",
					       "this is the slot of the other node",
					       "with \"slots = no\" it goes by itself");
	if (slot->active)
		return (struct verdict)REFUSED("slot-active", "somebody streams with this slot",
					       "end that first");
	if (dry_run)
		return (struct verdict)YES("dry-run", "dry run: the slot would be dropped", NULL);
	rc = server_slot_drop(s->cfg, slot->name, &s->dl);
	if (rc < 0)
		return failed(SLOTS_DROP, rc);
	log_failed("write the history", history_add(s->cfg, "slot-dropped", name));
	return (struct verdict)YES("slot-dropped", "the slot was dropped", NULL);
}

/* ---- showing ---- */

static void print(const struct slots *s)
{
	struct server_slots all[CFG_NODES];
	struct fold fold;

	all[s->cfg->self] = s->here;
	all[1 - s->cfg->self] = s->there;
	slots_print(all, s->cfg, fold_begin(&fold, stdout));
	fold_end(&fold);
}

static void describe(const struct slots *s, struct verdict *verdict)
{
	const struct server_slot *slot = slot_find(&s->here, s->others);
	char held[32];

	if (!s->here.known) {
		(void)snprintf(verdict->detail, sizeof(verdict->detail), "%s",
			       s->local.why[0] != '\0' ? s->local.why : s->here.why);
		return;
	}
	report_bytes(slot != NULL ? slot->held_bytes : 0, held, sizeof(held));
	(void)snprintf(verdict->detail, sizeof(verdict->detail),
		       "%s, slot %s: %s, holds %s; uses %s", server_state_word(s->local.state),
		       s->others, slot != NULL ? slot_hold_word(slot->hold) : "missing", held,
		       s->here.uses[0] != '\0' ? s->here.uses : "none");
}

static struct verdict look(struct slots *s, const struct cli *cli, bool would)
{
	struct verdict verdict;
	enum slots_step step;

	slots_gather(s);
	step = slots_decide(&s->facts, &verdict);
	if (!would && !cli->explain)
		print(s);
	if (would && step != SLOTS_VERDICT) {
		printf("would %s\n", slots_step_word(step));
		verdict = (struct verdict)YES("dry-run", "dry run: nothing was done", NULL);
	}
	return verdict;
}

/* ---- the call ---- */

static struct verdict run(const struct cfg *cfg, const struct cli *cli,
			  const struct options *options)
{
	const struct deadline dl = deadline_in_ms(BUDGET_MS);
	const bool acts = (options->maintain || options->drop != NULL) && !cli->dry_run;
	struct verdict verdict = REFUSED("already-running", "another replication_slots is at work",
					 NULL, .id = RULE_ALREADY_RUNNING);
	struct slots s;
	int AUTO_FD lock = -1;

	if (acts && !helper_lock(&lock, cfg, LOCK_SLOTS, options->automatic ? LOCK_MS : BUDGET_MS,
				 &verdict))
		return verdict;
	slots_begin(&s, cfg, &dl);
	if (options->drop != NULL)
		verdict = drop(&s, options->drop, cli->dry_run);
	else
		verdict = acts ? maintain(&s) : look(&s, cli, options->maintain);
	if (cli->explain)
		slots_explain(&s.facts, stdout);
	describe(&s, &verdict);
	return verdict;
}

/* The guard calls again and again; what it is told is written once, until it changes. */
static int finish(const struct cfg *cfg, const struct cli *cli, const struct options *options,
		  const struct verdict *verdict)
{
	bool told = options->automatic && helper_has_tried(cli, verdict) &&
		    !attempt_changes(cfg, ATTEMPT_SLOTS, verdict);

	return helper_end(cli, verdict, told);
}

int main(int argc, char **argv)
{
	struct options options = { 0 };
	const struct cli_option extra[] = {
		{ "maintain", NULL, "make, advance and drop slots as the rules say",
		  &options.maintain, NULL },
		{ "drop", "NAME", "drop this slot of the local server, if nobody uses it", NULL,
		  &options.drop },
		{ 0 },
	};
	const struct cli_option machine[] = {
		{ "auto", NULL, "called by the guard: log only what has changed",
		  &options.automatic, NULL },
		{ 0 },
	};
	const struct cli_spec spec = {
		.program = "replication_slots",
		.summary = "the slots that hold WAL for a node that is away",
		.options = extra,
		.machine = machine,
		.acts = true,
	};
	struct verdict verdict = { .outcome = OUT_USAGE,
				   .rule = "usage",
				   .hint = "\"replication_slots --help\" lists what can be given" };
	struct cfg cfg;
	struct cli cli;
	bool deed;

	cli_parse(&cli, &spec, argc, argv);
	if (options.maintain && options.drop != NULL)
		verdict.message = "--maintain and --drop exclude each other";
	else if (options.automatic && !options.maintain)
		verdict.message = "--auto goes with --maintain only";
	if (verdict.message != NULL)
		return cli_finish(&cli, &verdict);
	deed = options.maintain || options.drop != NULL;
	if (!helper_begin(&cfg, &cli, deed ? HELPER_FILES : HELPER_NODE, &verdict))
		return cli_finish(&cli, &verdict);
	verdict = run(&cfg, &cli, &options);
	return finish(&cfg, &cli, &options, &verdict);
}
