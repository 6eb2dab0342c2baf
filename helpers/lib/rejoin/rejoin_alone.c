/* SPDX-License-Identifier: PostgreSQL */
/*
 * The last part of the rules: a primary's directory, down, beside a node that is no primary.  May
 * it start as the primary that it was?
 */
#include "rejoin/rejoin_right.h"
#include "rejoin/rejoin_table.h"

static bool by_operator(const struct rejoin_facts *f)
{
	return f->peer_down_by_operator && !f->no_resume && f->right != RIGHT_UNKNOWN &&
	       f->right != RIGHT_THEIRS && (f->peer == SERVER_UNKNOWN || f->peer == SERVER_DOWN);
}

/* The answer to a mark: rejoin_mark_answered.  A person's word that the other node is switched
 * off answers any. */
static bool fenced(const struct rejoin_facts *f)
{
	bool answered = rejoin_mark_answered(f, f->fenced_by);

	return f->fenced != FACT_NO && !(f->fenced == FACT_YES && (answered || by_operator(f)));
}

/* A hint that would be refused is none: the rules are asked what a word of a person came to. */
static bool would_start(struct rejoin_facts asked, bool lift, bool peer_down)
{
	struct verdict verdict;

	asked.lift = lift;
	asked.peer_down_by_operator = peer_down;
	asked.no_resume = false;
	return rejoin_decide(&asked, &verdict) == STEP_RESUME;
}

static bool fenced_until_lifted(const struct rejoin_facts *f)
{
	return !f->lift && !f->peer_down_by_operator && fenced(f) && would_start(*f, true, false);
}

static bool fenced_until_word(const struct rejoin_facts *f)
{
	return !f->peer_down_by_operator && fenced(f) && would_start(*f, f->lift, true);
}

static bool fenced_by_peer(const struct rejoin_facts *f)
{
	return fenced(f) && f->fenced_by == FENCED_BY_PEER && f->peer == SERVER_STANDBY;
}

/* The word of a person stands, and what lacks is something else. */
static bool record_unread(const struct rejoin_facts *f)
{
	return fenced(f) && f->lift && f->right == RIGHT_UNKNOWN;
}

static bool record_gives_theirs(const struct rejoin_facts *f)
{
	return fenced(f) && f->lift && f->right == RIGHT_THEIRS;
}

static bool unlifted(const struct rejoin_facts *f)
{
	return fenced(f) && f->lift;
}

static bool peer_refuses(const struct rejoin_facts *f)
{
	return f->peer == SERVER_REFUSES;
}

static bool fenced_and_refused(const struct rejoin_facts *f)
{
	return peer_refuses(f) && fenced(f);
}

static bool peer_takes_over(const struct rejoin_facts *f)
{
	return f->peer_withdrawn == FACT_YES && f->right != RIGHT_OURS_SOLO;
}

static bool peer_newer(const struct rejoin_facts *f)
{
	return f->past == PAST_DIVERGED || f->past == PAST_UNRELATED;
}

static bool peer_ahead(const struct rejoin_facts *f)
{
	return f->peer_ahead == FACT_YES;
}

static bool record_unknown(const struct rejoin_facts *f)
{
	return f->right == RIGHT_UNKNOWN;
}

static bool record_theirs(const struct rejoin_facts *f)
{
	return f->right == RIGHT_THEIRS;
}

/* With a record nothing else counts; before there is one, the standby's vote does. */
static bool entitled(const struct rejoin_facts *f)
{
	if (f->right == RIGHT_UNWRITTEN)
		return f->peer_votes == FACT_YES;
	if (f->right != RIGHT_UNUSED)
		return f->right == RIGHT_OURS || f->right == RIGHT_OURS_SOLO;
	return f->peer_votes == FACT_YES || f->lease_runs == FACT_YES;
}

static bool must_wait(const struct rejoin_facts *f)
{
	return entitled(f) && f->no_resume && f->right != RIGHT_OURS_SOLO;
}

/* Such a primary would get no lease and be fenced again, or serve without what the configuration
 * demands. */
static bool watchdog_missing(const struct rejoin_facts *f)
{
	return f->watchdog_missing && (entitled(f) || by_operator(f));
}

static bool no_vote(const struct rejoin_facts *f)
{
	return f->peer == SERVER_STANDBY;
}

#define RECORD_UNKNOWN                                                                        \
	REFUSED("record-unknown",                                                             \
		"the witness does not say that this node may start as a primary: its record " \
		"cannot be read, or is not to be trusted",                                    \
		"\"witness_record\" says why")
#define RECORD_THEIRS                                                                   \
	REFUSED("record-theirs",                                                        \
		"the record at the witness gives the right to serve to the other node", \
		"start that one; this node comes back as its standby")

static const struct rejoin_rule rules[] = {
	{ fenced_and_refused, STEP_VERDICT,
	  REFUSED("fenced-and-refused",
		  "this node was fenced, and the other node's server lives and refuses the role of "
		  "the helpers, so whether that one can be followed cannot be asked",
		  "\"cluster_status\" says what it answers and what mends that") },
	{ fenced_until_lifted, STEP_VERDICT,
	  REFUSED("fenced", "this node was fenced, and no primary answers that it could follow",
		  "it comes back as a standby when the other node answers as a primary; if it may "
		  "serve again, \"rejoin --lift-fence\" starts it") },
	{ fenced_by_peer, STEP_VERDICT,
	  REFUSED("fenced", "this node was fenced, and no primary answers that it could follow",
		  "the other node had it fenced, so that one is to serve: \"promote_safe "
		  "--by-hand\" there says what it lacks") },
	{ record_unread, STEP_VERDICT, RECORD_UNKNOWN },
	{ record_gives_theirs, STEP_VERDICT, RECORD_THEIRS },
	{ unlifted, STEP_VERDICT,
	  REFUSED("fenced-unproven",
		  "this node was fenced, and nothing proves that the other node has not taken over",
		  "start the other node: as a standby that follows this one it says so; if that "
		  "host is switched off, \"rejoin --assume-peer-down=NODE\"") },
	{ fenced_until_word, STEP_VERDICT,
	  REFUSED("fenced", "this node was fenced, and no primary answers that it could follow",
		  "start the other node; if that host is switched off, \"rejoin "
		  "--assume-peer-down=NODE\"") },
	{ fenced, STEP_VERDICT,
	  REFUSED("fenced", "this node was fenced, and no primary answers that it could follow",
		  "it comes back as a standby when the other node answers as a primary") },
	{ record_unknown, STEP_VERDICT, RECORD_UNKNOWN },
	{ record_theirs, STEP_VERDICT, RECORD_THEIRS },
	{ peer_takes_over, STEP_VERDICT,
	  REFUSED("takeover-under-way",
		  "the other node has withdrawn its vote and is about to take over", NULL) },
	{ peer_newer, STEP_VERDICT,
	  REFUSED("peer-newer", "the other node is on a newer timeline, though it is no primary",
		  "\"promote_safe --by-hand\" there, if its data is to be kept") },
	{ peer_ahead, STEP_VERDICT,
	  REFUSED("peer-ahead", "the other node has WAL of this timeline that is not here",
		  "was an older state restored here? \"promote_safe --by-hand\" there") },
	{ must_wait, STEP_VERDICT,
	  REFUSED("restart-wait",
		  "the primary may start again, but gives its standby time to take over", NULL) },
	{ watchdog_missing, STEP_VERDICT,
	  REFUSED("watchdog-missing",
		  "a watchdog is required, and this node has none that could be armed",
		  "does the guard run? its log says why; load the driver, or say watchdog = "
		  "automatic") },
	{ entitled, STEP_RESUME,
	  INCOMPLETE("resume",
		     "the other node votes for this one, its lease never ran out, or it holds "
		     "the term of the record",
		     NULL) },
	{ by_operator, STEP_RESUME,
	  INCOMPLETE("resume-by-operator", "a person said that the other node is switched off",
		     NULL) },
	{ no_vote, STEP_VERDICT,
	  REFUSED("no-vote", "the other node is a standby, but does not follow this one",
		  "\"rejoin\" there makes it follow") },
	{ peer_refuses, STEP_VERDICT,
	  REFUSED("peer-refuses-us",
		  "nothing gives this node the right to start as a primary: there is no lease, and "
		  "the other node's server lives and refuses the role of the helpers",
		  "\"cluster_status\" says what it answers and what mends that") },
	{ RULE_ALWAYS, STEP_VERDICT,
	  REFUSED("nobody-answers",
		  "nothing gives this node the right to start as a primary: the other node "
		  "does not answer, and there is no lease",
		  "start the other node, or look at it: if it is switched off, or \"fence_self\" "
		  "has ended well there, \"rejoin --assume-peer-down=NODE\"") },
};

RULES_PART(rejoin_rules_alone, rules);
