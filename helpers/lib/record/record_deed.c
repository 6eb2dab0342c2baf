/* SPDX-License-Identifier: PostgreSQL */
#include "record/record_deed.h"

#include "base/rules.h"

/* ---- a record that cannot be used ---- */

static bool keeps_none(const struct record_facts *f)
{
	return !f->keeps_record;
}

static bool system_unknown(const struct record_facts *f)
{
	return f->system != FACT_YES;
}

static bool silent(const struct record_facts *f)
{
	return f->trust == RECORD_SILENT || f->trust >= RECORD_TRUSTS;
}

static bool untrusted(const struct record_facts *f)
{
	return f->trust != RECORD_GOOD;
}

/* ---- release ---- */

static bool held_by_other(const struct record_facts *f)
{
	return f->ask == RECORD_RELEASE && !f->holds;
}

static bool already_released(const struct record_facts *f)
{
	return f->ask == RECORD_RELEASE && f->released;
}

static bool runs(const struct record_facts *f)
{
	return f->ask == RECORD_RELEASE && f->runs == FACT_YES;
}

static bool starting(const struct record_facts *f)
{
	return f->ask == RECORD_RELEASE && f->starting == FACT_YES;
}

/* "Cannot see it" is not "it is down". */
static bool not_proven_down(const struct record_facts *f)
{
	return f->ask == RECORD_RELEASE && (f->runs != FACT_NO || f->starting != FACT_NO);
}

static bool unreadable(const struct record_facts *f)
{
	return f->ask == RECORD_RELEASE && (f->form == PGDATA_UNKNOWN || f->form == PGDATA_MISSING);
}

/* promote_safe has taken the term and goes on from there; a restore is somebody else's work. */
static bool no_primary(const struct record_facts *f)
{
	return f->ask == RECORD_RELEASE && f->form != PGDATA_PRIMARY;
}

static bool to_release(const struct record_facts *f)
{
	return f->ask == RECORD_RELEASE;
}

/* ---- pause and resume ---- */

static bool paused_and_paired(const struct record_facts *f)
{
	return f->ask == RECORD_PAUSE && f->paused && f->paired;
}

static bool already_paused(const struct record_facts *f)
{
	return f->ask == RECORD_PAUSE && f->paused;
}

static bool to_pause(const struct record_facts *f)
{
	return f->ask == RECORD_PAUSE;
}

static bool not_paused(const struct record_facts *f)
{
	return f->ask == RECORD_RESUME && !f->paused;
}

static bool to_resume(const struct record_facts *f)
{
	return f->ask == RECORD_RESUME;
}

/* ---- show ---- */

static bool shows_released(const struct record_facts *f)
{
	return f->released;
}

static bool shows_solo(const struct record_facts *f)
{
	return !f->paired;
}

/* First rule that holds wins.  A release by the holder comes after every reason against it. */
static const struct rule {
	bool (*holds)(const struct record_facts *f);
	enum record_step step;
	struct verdict verdict;
} rules[] = {
	{ keeps_none, RECORD_VERDICT,
	  REFUSED("keeps-no-record", "the witness of this cluster keeps no record",
		  "it does with \"kind = postgres\" in [witness]") },
	{ system_unknown, RECORD_VERDICT,
	  UNKNOWN("system-unknown",
		  "the system identifier of this node's data directory is not known",
		  "is data_dir right, and is it run by root?") },
	{ silent, RECORD_VERDICT, { .outcome = OUT_UNKNOWN, .rule = "witness-silent" } },
	{ untrusted, RECORD_VERDICT, { .outcome = OUT_UNKNOWN, .rule = "record-untrusted" } },
	{ held_by_other, RECORD_VERDICT,
	  YES("held-by-other", "nothing to release: the record names the other node", NULL) },
	{ already_released, RECORD_VERDICT,
	  YES("already-released",
	      "nothing to release: the record says already that this node does not "
	      "serve",
	      NULL, .id = RULE_ALREADY_RELEASED) },
	{ runs, RECORD_VERDICT,
	  REFUSED("server-runs",
		  "a server of this node's data directory runs, so the right to serve is not "
		  "given back",
		  "stop it first") },
	{ starting, RECORD_VERDICT,
	  REFUSED("start-under-way",
		  "the server of this node is being started, so the right to serve is not "
		  "given back",
		  "try again in a moment") },
	{ not_proven_down, RECORD_VERDICT,
	  UNKNOWN("not-proven-down", "it is not proven that this node's server is down",
		  "is it run by root?") },
	{ unreadable, RECORD_VERDICT,
	  UNKNOWN("directory-unreadable",
		  "the data directory cannot be read, so it is not proven that its server is "
		  "down",
		  NULL) },
	{ no_primary, RECORD_VERDICT,
	  REFUSED("no-primary",
		  "the data directory is not a primary's, though the record names this node",
		  "\"promote_safe\" ends a takeover that was interrupted") },
	{ to_release, RECORD_WRITE,
	  YES("release", "the right to serve would be given back", NULL) },
	{ paused_and_paired, RECORD_VERDICT,
	  INCOMPLETE("still-paired",
		     "failover is to be paused, but the primary still lets its standby take over",
		     "it does within seconds while it serves; until then it can still be taken "
		     "over") },
	{ already_paused, RECORD_VERDICT,
	  YES("paused", "failover is paused: only the node named in the record may serve", NULL) },
	{ to_pause, RECORD_WRITE, YES("pause", "failover would be paused", NULL) },
	{ not_paused, RECORD_VERDICT,
	  YES("not-paused", "failover is not paused", NULL, .id = RULE_NOT_PAUSED) },
	{ to_resume, RECORD_WRITE, YES("resume", "failover would be possible again", NULL) },
	{ shows_released, RECORD_VERDICT,
	  YES("released", "the record can be trusted: its holder does not serve", NULL,
	      .id = RULE_RELEASED) },
	{ shows_solo, RECORD_VERDICT,
	  YES("solo", "the record can be trusted: only its holder may serve", NULL) },
	{ RULE_ALWAYS, RECORD_VERDICT,
	  YES("paired",
	      "the record can be trusted: the other node may take over from its "
	      "holder",
	      NULL) },
};

static const char *const distrusts[RECORD_TRUSTS] = {
	[RECORD_OTHER_SCHEMA] = "record-other-schema",
	[RECORD_OTHER_SYSTEM] = "record-other-system",
	[RECORD_OTHER_NODES] = "record-other-nodes",
	[RECORD_ABSENT] = "record-absent",
	[RECORD_EDITED] = "record-edited",
	[RECORD_UNPROVEN] = "record-unproven",
	[RECORD_BACKWARDS] = "record-backwards",
};

/*
 * To whoever asked what the record says, an untrustworthy one is an answer: there is something
 * wrong.  A person's write is refused.  The guard's release finds out later.
 */
static enum outcome distrust(const struct record_facts *f)
{
	if (f->trust == RECORD_UNPROVEN)
		return OUT_UNKNOWN;
	if (f->ask == RECORD_SHOW)
		return OUT_NO;
	return f->ask == RECORD_RELEASE ? OUT_UNKNOWN : OUT_REFUSED;
}

RULES(record_rules, rules);

enum record_step record_decide(const struct record_facts *f, struct verdict *verdict)
{
	const struct verdict *said = rules_decide(record_rules, f);
	const struct rule *rule = RULE_OF(struct rule, said);

	*verdict = *said;
	if (rule->holds == untrusted) {
		verdict->outcome = distrust(f);
		verdict->rule = distrusts[f->trust];
	}
	if (rule->holds == untrusted || rule->holds == silent) {
		const enum record_trust trust = silent(f) ? RECORD_SILENT : f->trust;

		verdict->message = record_trust_message(trust);
		verdict->hint = record_trust_hint(trust);
	}
	return rule->step;
}

void record_explain(const struct record_facts *f, FILE *out)
{
	struct verdict verdict;

	(void)record_decide(f, &verdict);
	rules_explain(record_rules, f, &verdict, out);
}
