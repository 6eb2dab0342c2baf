/* SPDX-License-Identifier: PostgreSQL */
/*
 * witness_record - what the record at the witness says, and the little that may be written there by
 * hand or by the guard.
 *
 * Without a deed it changes nothing.  --release is run by the guard when this node's server is down
 * (--auto), and by an operator; --pause and --resume by an operator, on either node.  It changes one
 * row at the witness, and what this node remembers of it.  It can be killed at any line: each write is
 * one compare-and-set, and the next run sees how it ended.  Exit codes:
 *
 *	0 the record can be trusted; or what was asked for is so
 *	1 the record is not to be trusted
 *	2 refused by a rule	3 could not be found out
 *	4 paused, and the holder was not seen to go solo
 *	64 71 78 called wrongly, system, configuration
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cli.h"
#include "base/deadline.h"
#include "base/lock.h"
#include "base/log.h"
#include "base/state.h"
#include "config/cfg.h"
#include "node/files.h"
#include "record/record_gather.h"

/* The guard calls again; a person wants to hear how it ended. */
#define BUDGET_AUTO_MS   3000
#define BUDGET_PERSON_MS 15000
/* A run of check_primary holds record.lock for less than its interval. */
#define RECORD_LOCK_MS 1000
/* A holder that serves goes solo in its next round, or in the one after it. */
#define SOLO_MS       5000
#define LOOK_AGAIN_MS 300
/* The holder writes each second, so whoever else does may be too late, but not every time. */
#define ROUNDS_RELEASE 2
#define ROUNDS_PERSON  5

struct options {
	bool release;
	bool pause;
	bool resume;
	bool automatic;
};

/* ---- act ---- */

/*
 * Where the WAL ends: the shutdown checkpoint, whose record is the last one and carries no data.
 * Whoever has received that far has every commit, and beyond it every byte.  0: not shut down in
 * good order, so nobody knows.
 */
static uint64_t final_lsn(const struct pgdata_control *control)
{
	return control->known && strcmp(control->state, "shut down") == 0 ? control->checkpoint_lsn
									  : 0;
}

/*
 * What this node may still have in files goes first: from the moment of the release on the other
 * node need not wait for any of it.  Under record.lock, so that nobody writes it anew from a row
 * that he read before.
 */
static int give_rights_back(const struct cfg *cfg)
{
	static const char *const rights[] = { "solo", "renewed", "grant" };
	int rc = 0;

	for (size_t i = 0; i < ARRAY_COUNT(rights) && rc == 0; i++)
		rc = state_remove(file_run(cfg, rights[i]).text, false);
	return rc;
}

/* One compare-and-set for the row that was judged. */
static int put(struct record_task *t)
{
	struct deadline soon = deadline_sooner(&t->dl, RECORD_QUESTION_MS);
	const struct record seen = t->view.record;
	struct record *record = &t->view.record;
	int rc = 0;

	if (t->facts.ask == RECORD_RELEASE)
		rc = record_release(&t->link, record, &seen, final_lsn(&t->control), &soon);
	else
		rc = record_pause(&t->link, record, &seen, t->facts.ask == RECORD_PAUSE, &soon);
	record_view_take(&t->view, &t->link);
	return rc;
}

static struct verdict written(struct record_task *t)
{
	static const struct verdict verdicts[RECORD_ASKS] = {
		[RECORD_RELEASE] = { .outcome = OUT_YES,
				     .rule = "released",
				     .message = "the record says that this node does not serve" },
		[RECORD_PAUSE] = { .outcome = OUT_YES,
				   .rule = "paused",
				   .message = "the record says that takeovers pause" },
		[RECORD_RESUME] = { .outcome = OUT_YES,
				    .rule = "resumed",
				    .message = "the record says that takeovers may be possible "
					       "again" },
	};
	static const char *const events[RECORD_ASKS] = {
		[RECORD_RELEASE] = "released",
		[RECORD_PAUSE] = "paused",
		[RECORD_RESUME] = "pause-over",
	};
	char meaning[320];

	if (t->view.trust == RECORD_GOOD)
		log_failed("note the record",
			   record_memory_note(t->cfg, &t->view.memory, &t->view.record));
	record_meaning(&t->view.record, t->cfg, meaning, sizeof(meaning));
	log_failed("write the history", history_add(t->cfg, events[t->facts.ask], meaning));
	return verdicts[t->facts.ask];
}

/* The flag stands; what it is for has happened when the holder is solo. */
static struct verdict wait_for_solo(struct record_task *t)
{
	struct deadline end = deadline_sooner(&t->dl, SOLO_MS);
	struct verdict verdict;

	while (record_decide(&t->facts, &verdict) == RECORD_VERDICT &&
	       verdict.outcome == OUT_INCOMPLETE && !t->facts.released && !deadline_passed(&end)) {
		struct deadline pause = deadline_sooner(&end, LOOK_AGAIN_MS);

		deadline_sleep(&pause);
		record_gather(t);
	}
	return verdict;
}

/* After a write whose answer did not come: what is there now says how it ended. */
static struct verdict settle(struct record_task *t, struct verdict verdict)
{
	if (!t->unanswered)
		return verdict;
	if (t->facts.trust == RECORD_SILENT)
		return (struct verdict){ .outcome = OUT_UNKNOWN,
					 .rule = "unanswered",
					 .message = "the witness did not say whether it wrote",
					 .hint = "run it again when the witness answers" };
	if (strcmp(verdict.rule, "already-released") == 0 ||
	    strcmp(verdict.rule, "not-paused") == 0)
		return written(t);
	return verdict;
}

static struct verdict not_written(void)
{
	return (struct verdict){ .outcome = OUT_UNKNOWN,
				 .rule = "not-written",
				 .message = "the record could not be written",
				 .hint = "try again" };
}

static struct verdict rights_stay(struct record_task *t, int rc)
{
	(void)snprintf(t->why, sizeof(t->why), "%s", strerror(-rc));
	return (struct verdict){ .outcome = OUT_SYSTEM,
				 .rule = "rights",
				 .message = "could not take this node's own right to serve away",
				 .hint = "is run_dir writable?" };
}

/* Looks, decides, writes; again when the row had changed in between, or nothing was answered. */
static struct verdict go_on(struct record_task *t)
{
	const int rounds = t->facts.ask == RECORD_RELEASE ? ROUNDS_RELEASE : ROUNDS_PERSON;
	struct verdict verdict;

	for (int round = 0;; round++) {
		int rc;

		record_gather(t);
		if (record_decide(&t->facts, &verdict) == RECORD_VERDICT)
			return settle(t, verdict);
		if (round == rounds || deadline_passed(&t->dl))
			return not_written();
		rc = t->facts.ask == RECORD_RELEASE ? give_rights_back(t->cfg) : 0;
		if (rc < 0)
			return rights_stay(t, rc);
		rc = put(t);
		if (rc == 0 && t->view.record.refused[0] == '\0')
			break;
		(void)snprintf(t->why, sizeof(t->why), "%s",
			       rc < 0 ? t->link.why : "others changed it each time");
		log_debug("not written: %s", rc < 0 ? t->why : t->view.record.refused);
		t->unanswered = rc < 0 && !record_unsent(&t->link);
	}
	verdict = written(t);
	record_taken(t);
	return t->facts.ask == RECORD_PAUSE ? wait_for_solo(t) : verdict;
}

static void print_json(const struct record_task *t, const struct verdict *verdict)
{
	struct json json;

	json_begin(&json, stdout);
	json_text(&json, "cluster", t->cfg->name);
	json_text(&json, "node", cfg_self(t->cfg)->name);
	json_text(&json, "outcome", outcome_word(verdict->outcome));
	json_text(&json, "rule", verdict->rule);
	json_text(&json, "message", verdict->message);
	json_text(&json, "hint", verdict->hint);
	if (t->link.cfg != NULL)
		record_print_json(&json, &t->view, t->cfg);
	else
		json_null(&json, "record");
	json_end(&json);
}

/* Shows; or, in a dry run, goes as far as the decision. */
static struct verdict look(struct record_task *t, const struct cli *cli)
{
	struct verdict verdict;

	record_gather(t);
	(void)record_decide(&t->facts, &verdict);
	if (cli->json) {
		print_json(t, &verdict);
	} else if (t->facts.ask == RECORD_SHOW && !cli->explain && t->link.cfg != NULL) {
		printf("record of cluster %s at %s\n", t->cfg->name, t->cfg->witness_address);
		record_print(&t->view, t->cfg, stdout);
	}
	return verdict;
}

static struct verdict run(const struct cfg *cfg, const struct cli *cli,
			  const struct options *options, enum record_ask ask)
{
	struct record_task t = { .cfg = cfg,
				 .dl = deadline_in_ms(options->automatic ? BUDGET_AUTO_MS
									 : BUDGET_PERSON_MS),
				 .facts = { .ask = ask } };
	struct deadline soon = deadline_in_ms(RECORD_LOCK_MS);
	struct verdict verdict;
	int AUTO_FD lock = -1;
	int rc =
	    ask == RECORD_RELEASE ? lock_take(&lock, file_run(cfg, "record.lock").text, &soon) : 0;

	if (rc == -ETIMEDOUT)
		return (struct verdict){ .outcome = OUT_REFUSED,
					 .rule = "already-running",
					 .message =
					     "another helper of this node is at the record" };
	if (rc < 0)
		return (struct verdict){ .outcome = OUT_SYSTEM,
					 .rule = "lock",
					 .message = "could not take the lock of the record" };
	verdict = ask == RECORD_SHOW || cli->dry_run ? look(&t, cli) : go_on(&t);
	if (cli->explain)
		record_explain(&t, &verdict);
	record_describe(&t, &verdict);
	if (t.link.cfg != NULL)
		record_end(&t.link);
	return verdict;
}

/* ---- the call ---- */

static enum record_ask asked_for(const struct options *options)
{
	if (options->release)
		return RECORD_RELEASE;
	if (options->pause)
		return RECORD_PAUSE;
	return options->resume ? RECORD_RESUME : RECORD_SHOW;
}

static const char *contradiction(const struct options *options, const struct cli *cli)
{
	const int deeds = options->release + options->pause + options->resume;

	if (deeds > 1)
		return "--release, --pause and --resume exclude each other";
	if (options->automatic && !options->release)
		return "--auto goes with --release only";
	if (cli->json && (deeds > 0 || cli->explain))
		return "--json shows the record: it goes with neither a deed nor --explain";
	return NULL;
}

/* The guard calls again and again; what it is told is written once, until it changes. */
static int finish(const struct cfg *cfg, const struct cli *cli, const struct options *options,
		  const struct verdict *verdict)
{
	bool told;

	if (!options->automatic || cli->dry_run || strcmp(verdict->rule, "already-running") == 0)
		return cli_finish(cli, verdict);
	told = attempt_is_told(cfg, "witness_record", verdict);
	log_failed("write the attempt file", attempt_write(cfg, "witness_record", verdict));
	if (told && strcmp(verdict->rule, "released") != 0)
		return (int)verdict->outcome;
	return cli_finish(cli, verdict);
}

int main(int argc, char **argv)
{
	struct options options = { 0 };
	const struct cli_option extra[] = {
		{ "release", NULL, "say that this node does not serve: its server is down",
		  &options.release, NULL },
		{ "pause", NULL, "no takeover until --resume: the primary goes on alone",
		  &options.pause, NULL },
		{ "resume", NULL, "takeovers may be possible again", &options.resume, NULL },
		{ "auto", NULL, "called by the guard: log only what has changed",
		  &options.automatic, NULL },
		{ 0 },
	};
	const struct cli_spec spec = {
		.program = "witness_record",
		.summary = "what the record at the witness says: who may serve, who may take over",
		.options = extra,
		.acts = true,
		.shows = true,
	};
	struct verdict verdict = { .outcome = OUT_USAGE, .rule = "usage" };
	enum record_ask ask;
	struct cfg cfg;
	struct cli cli;

	cli_parse(&cli, &spec, argc, argv);
	verdict.message = contradiction(&options, &cli);
	verdict.hint = "\"witness_record --help\" lists what can be given";
	if (verdict.message != NULL)
		return cli_finish(&cli, &verdict);
	if (cfg_load(&cfg, cli.config_path) < 0 || cfg_identify(&cfg, cli.node) < 0)
		return cli_finish_config(&cli);
	ask = asked_for(&options);
	if (ask != RECORD_SHOW && files_prepare(&cfg) < 0) {
		verdict =
		    (struct verdict){ .outcome = OUT_SYSTEM,
				      .rule = "files",
				      .message = "could not make the run and state directories",
				      .hint = "is it run by root?" };
		return cli_finish(&cli, &verdict);
	}
	verdict = run(&cfg, &cli, &options, ask);
	return finish(&cfg, &cli, &options, &verdict);
}
