/* SPDX-License-Identifier: PostgreSQL */
#include "planned/pausing.h"

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/rules.h"
#include "base/state.h"
#include "base/text.h"
#include "node/history.h"
#include "planned/planned.h"
#include "postgres/pgdata.h"
#include "record/record_pause.h"

/* A person waits; the holder writes the same row each second, so whoever else does may be late. */
#define BUDGET_MS   10000
#define QUESTION_MS 2000
#define ROUNDS      8
#define NOBODY      4294967295UL /* /proc/self/loginuid of whoever did not log in */

static bool silent(const struct pausing_facts *f)
{
	return f->keeps_record && (f->trust == RECORD_SILENT || f->runs == FACT_UNKNOWN) &&
	       (f->trust == RECORD_SILENT || f->trust == RECORD_GOOD);
}

static bool untrusted(const struct pausing_facts *f)
{
	return f->keeps_record && f->trust != RECORD_GOOD;
}

static bool nothing_to_end(const struct pausing_facts *f)
{
	return f->resume && f->runs == FACT_NO && !(f->keeps_record && f->without_end) &&
	       (f->keeps_record || f->local == SERVER_STANDBY);
}

static bool to_end(const struct pausing_facts *f)
{
	return f->resume && (f->keeps_record || f->runs != FACT_NO);
}

/* Without a record. */
static bool on_the_primary(const struct pausing_facts *f)
{
	return !f->keeps_record && f->local == SERVER_PRIMARY;
}

static bool no_standby(const struct pausing_facts *f)
{
	return !f->keeps_record && f->local != SERVER_STANDBY;
}

static const struct rule {
	bool (*holds)(const struct pausing_facts *f);
	enum pausing_step step;
	struct verdict verdict;
} rules[] = {
	{ silent, PAUSING_VERDICT,
	  UNKNOWN("witness-silent", "the witness did not answer, so nothing was written",
		  "\"witness_record\" says why") },
	{ untrusted, PAUSING_VERDICT,
	  REFUSED("record-untrusted",
		  "the record at the witness is not to be trusted, so nobody takes over anyhow",
		  "\"witness_record\" says why, and what mends it", .id = RULE_RECORD_UNTRUSTED) },
	{ nothing_to_end, PAUSING_VERDICT,
	  YES("not-paused", "takeovers are not paused", NULL, .id = RULE_NOT_PAUSED) },
	{ to_end, PAUSING_WRITE, YES("resume", "the pause would end now", NULL) },
	{ on_the_primary, PAUSING_VERDICT,
	  REFUSED("not-standby",
		  "the witness keeps no record, so only the standby's own node can pause its "
		  "takeover",
		  "type the same on the other node") },
	{ no_standby, PAUSING_VERDICT,
	  REFUSED("no-standby",
		  "the witness keeps no record, and no standby answers here that could hold back",
		  "\"rejoin\" brings this node back as a standby") },
	{ RULE_ALWAYS, PAUSING_WRITE, YES("pause", "takeovers would be paused", NULL) },
};
RULES(pausing_rules, rules);

enum pausing_step pausing_decide(const struct pausing_facts *f, struct verdict *verdict)
{
	const struct verdict *said = rules_decide(pausing_rules, f);

	*verdict = *said;
	return RULE_OF(struct rule, said)->step;
}

/* ---- who asks ---- */

static uid_t login_uid(void)
{
	char text[32];
	unsigned long uid;

	if (state_read("/proc/self/loginuid", text, sizeof(text)) < 0)
		return getuid();
	uid = strtoul(text, NULL, 10);
	return uid == NOBODY ? getuid() : (uid_t)uid;
}

void pausing_who(const struct cfg *cfg, char *who, size_t size)
{
	struct passwd entry, *found = NULL;
	char buffer[1024];

	if (getpwuid_r(login_uid(), &entry, buffer, sizeof(buffer), &found) != 0)
		found = NULL;
	(void)snprintf(who, size, "%.30s on %.30s", found != NULL ? found->pw_name : "somebody",
		       cfg_self(cfg)->name);
}

/* ---- looking and writing ---- */

struct run {
	const struct cfg *cfg;
	const struct pause *wanted;
	struct deadline dl;
	struct pausing_facts facts;
	struct record_link link; /* with a record */
	struct record_view view;
	struct pause found;
	char why[160];
};

static void gather(struct run *r)
{
	struct deadline soon = deadline_sooner(&r->dl, QUESTION_MS);

	if (!r->facts.keeps_record) {
		r->found = pause_read(r->cfg);
		r->facts.local = planned_ask(r->cfg, PG_LOCAL).state;
	} else {
		record_view_look(&r->view, &r->link, &soon);
		r->facts.trust = r->view.trust;
		r->facts.without_end = r->view.trust == RECORD_GOOD && r->view.record.paused;
		r->found = (struct pause){ .runs = FACT_UNKNOWN };
		if (r->view.trust == RECORD_GOOD)
			r->found = record_pause_look(&r->link, &soon);
		(void)snprintf(r->why, sizeof(r->why), "%s", r->view.why);
	}
	r->facts.runs = r->found.runs;
}

/* 0: written.  -EAGAIN: the row had moved on; other -errno: whether it was written is not known,
 * and to write the same again does no harm. */
static int write_wanted(struct run *r)
{
	struct deadline soon = deadline_sooner(&r->dl, QUESTION_MS);
	const struct record seen = r->view.record;
	int rc;

	if (!r->facts.keeps_record)
		return r->wanted->left_ms > 0 ? pause_write(r->cfg, r->wanted)
					      : pause_clear(r->cfg);
	rc = record_pause_for(&r->link, &r->view.record, &seen, r->wanted, &soon);
	(void)snprintf(r->why, sizeof(r->why), "%s", rc < 0 ? r->link.why : r->view.record.refused);
	return rc == 0 && r->view.record.refused[0] != '\0' ? -EAGAIN : rc;
}

static struct verdict written(struct run *r)
{
	struct verdict paused = YES("paused", "nobody takes over by itself until the pause ends",
				    "\"resume\" ends it before");
	struct verdict resumed = YES("resumed", "takeovers are possible again", NULL);
	struct verdict verdict = r->facts.resume ? resumed : paused;
	struct pause now = *r->wanted;

	now.runs = FACT_YES;
	if (r->facts.resume)
		(void)snprintf(verdict.detail, sizeof(verdict.detail), "by %s", now.by);
	else
		pause_words(&now, verdict.detail, sizeof(verdict.detail));
	log_failed("write the history",
		   history_add(r->cfg, r->facts.resume ? "pause-over" : "paused", verdict.detail));
	return verdict;
}

static struct verdict not_written(const struct run *r, int rc)
{
	struct verdict verdict =
	    UNKNOWN("not-written", "it is not known whether the witness wrote it", "run it again");

	if (!r->facts.keeps_record)
		verdict = (struct verdict)SYSTEM_ERROR("files", "could not write to state_dir",
						       "is it run by root?");
	(void)snprintf(verdict.detail, sizeof(verdict.detail), "%s",
		       r->facts.keeps_record ? r->why : strerror(-rc));
	return verdict;
}

static struct verdict look_and_write(struct run *r, bool dry, FILE *explain)
{
	struct verdict verdict;
	int rc = -EAGAIN;

	for (int round = 0; round < ROUNDS && !deadline_passed(&r->dl); round++) {
		enum pausing_step step;

		gather(r);
		step = pausing_decide(&r->facts, &verdict);
		if (explain != NULL && round == 0)
			rules_explain(pausing_rules, &r->facts, NULL, explain);
		if (verdict.outcome != OUT_YES)
			(void)snprintf(verdict.detail, sizeof(verdict.detail), "%s", r->why);
		if (step == PAUSING_VERDICT || dry)
			return verdict;
		rc = write_wanted(r);
		if (rc == 0)
			return written(r);
		if (!r->facts.keeps_record)
			break;
	}
	return not_written(r, rc);
}

struct verdict pausing_do(const struct cfg *cfg, const struct pause *pause, bool dry, FILE *explain)
{
	struct run r = { .cfg = cfg,
			 .wanted = pause,
			 .dl = deadline_in_ms(BUDGET_MS),
			 .facts = { .resume = pause->left_ms == 0,
				    .keeps_record = cfg_has_record(cfg) } };
	struct verdict verdict;
	uint64_t system;

	if (r.facts.keeps_record && pgdata_system(cfg, &system) < 0)
		return (struct verdict)UNKNOWN(
		    "system-unknown",
		    "the system identifier of this node's data directory is not known",
		    "is data_dir right, and is it run by root?");
	if (r.facts.keeps_record)
		record_begin(&r.link, cfg, system);
	verdict = look_and_write(&r, dry, explain);
	if (r.facts.keeps_record)
		record_end(&r.link);
	return verdict;
}
