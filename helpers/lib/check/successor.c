/* SPDX-License-Identifier: PostgreSQL */
#include "check/successor.h"

#include <stdio.h>
#include <string.h>

#include "base/deadline.h"
#include "base/rules.h"
#include "record/record_pause.h"
#include "record/record_view.h"

/* Both servers, the rights, the record: a person waits for it, and a fence that he has
 * asked for. */
#define LOOK_MS 2500
/* One question to a server, or to the witness (TLS and SCRAM take several packets each way). */
#define QUESTION_MS 1000

static bool nothing_runs(const struct successor_facts *f)
{
	return f->local == SERVER_DOWN || f->local == SERVER_STANDBY;
}

static bool local_silent(const struct successor_facts *f)
{
	return f->local != SERVER_PRIMARY;
}

static bool record_unknown(const struct successor_facts *f)
{
	return f->keeps_record && f->trust != RECORD_GOOD;
}

static bool theirs(const struct successor_facts *f)
{
	return f->keeps_record && !f->holder;
}

static bool paused(const struct successor_facts *f)
{
	return f->keeps_record && f->paused;
}

static bool solo(const struct successor_facts *f)
{
	return f->keeps_record && !f->paired;
}

static bool no_standby(const struct successor_facts *f)
{
	return f->follows != FACT_YES;
}

static bool not_streaming(const struct successor_facts *f)
{
	return f->streams != FACT_YES;
}

static bool replay_paused(const struct successor_facts *f)
{
	return f->replays != FACT_YES;
}

static bool rights_missing(const struct successor_facts *f)
{
	return f->rights == FACT_NO;
}

/* The server answered, and then did not: it is about to end. */
static bool rights_unknown(const struct successor_facts *f)
{
	return f->rights != FACT_YES;
}

static const struct rule {
	bool (*holds)(const struct successor_facts *f);
	struct verdict verdict;
} rules[] = {
	{ nothing_runs, YES("no-primary", "no primary runs here, so nobody would miss it", NULL) },
	{ local_silent,
	  UNKNOWN("local-silent", "it could not be found out what the local server is", NULL) },
	{ record_unknown,
	  NO("record-unknown",
	     "the record cannot be read, or is not to be trusted, so nobody would take over",
	     "\"witness_record\" says why") },
	{ theirs,
	  YES("record-theirs", "the record gives the right to serve to the other node", NULL) },
	{ paused, NO("paused", "an operator paused failover, so nobody would take over",
		     "\"resume\" makes it possible again") },
	{ solo, NO("solo", "the record says that only this node may serve: nobody would take over",
		   "the standby has to catch up first, see \"cluster_status\"") },
	{ no_standby,
	  NO("no-standby", "the other node is no standby that follows this one", NULL) },
	{ not_streaming, NO("not-streaming", "the standby does not stream from this node", NULL) },
	{ replay_paused,
	  NO("replay-paused", "replay is paused on the standby, so it would not take over",
	     "SELECT pg_wal_replay_resume() there; but where a recovery target is set that would "
	     "promote it") },
	{ rights_missing, NO("rights-missing", "the role lacks a right that a takeover needs",
			     "run here what \"cluster_config sql\" prints") },
	{ rights_unknown,
	  UNKNOWN("rights-unknown", "it could not be found out which rights the role has", NULL) },
	{ RULE_ALWAYS, YES("successor", "the standby may take over", NULL) },
};

RULES(successor_rules, rules);

struct verdict successor_decide(const struct successor_facts *f)
{
	return *rules_decide(successor_rules, f);
}

static void look_at_record(struct successor_facts *f, const struct cfg *cfg,
			   uint64_t system_identifier, const struct deadline *dl)
{
	struct deadline soon = deadline_sooner(dl, QUESTION_MS);
	struct record_link AUTO_RECORD link;
	struct record_view view;
	enum fact pauses = FACT_UNKNOWN;

	record_begin(&link, cfg, system_identifier);
	record_view_look(&view, &link, &soon);
	f->trust = view.trust;
	f->holder = f->trust == RECORD_GOOD && strcmp(view.record.holder, cfg_self(cfg)->name) == 0;
	f->paired = view.record.paired;
	if (view.trust == RECORD_GOOD)
		pauses = record_pause_look(&link, &soon).runs;
	f->paused = view.record.paused || pauses != FACT_NO;
}

struct verdict successor_look(const struct cfg *cfg)
{
	struct deadline dl = deadline_in_ms(LOOK_MS), soon = deadline_sooner(&dl, QUESTION_MS);
	struct successor_facts f = { .keeps_record = cfg_has_record(cfg) };
	struct server_rights rights;
	struct server local = { 0 }, peer = { 0 };
	struct verdict verdict;

	server_ask_both(&local, &soon, &peer, &soon, cfg);
	server_look_behind(&local, cfg, &dl);
	f.local = local.state == SERVER_REFUSES ? local.behind : local.state;
	f.follows = server_votes_for(&peer, cfg_self(cfg)->address, local.system_identifier,
				     local.timeline);
	if (local.state == SERVER_PRIMARY) {
		soon = deadline_sooner(&dl, QUESTION_MS);
		server_rights_ask(&rights, cfg, PG_LOCAL, &soon);
		f.rights = rights.take_over;
		f.streams = fact_of(local.peer_streams);
	}
	if (peer.state == SERVER_STANDBY)
		f.replays = fact_of(!peer.replay_paused);
	if (f.local == SERVER_PRIMARY && f.keeps_record)
		look_at_record(&f, cfg, local.system_identifier, &dl);
	verdict = successor_decide(&f);
	(void)snprintf(verdict.detail, sizeof(verdict.detail), "%.40s: %.40s%s%.160s",
		       cfg_peer(cfg)->name, server_state_word(peer.state),
		       peer.why[0] != '\0' ? ", " : "", peer.why);
	return verdict;
}
