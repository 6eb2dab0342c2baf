/* SPDX-License-Identifier: PostgreSQL */
#include "serve/check_rules.h"

#include <string.h>

/*
 * Somebody promoted the standby by hand.  It has followed this very server, so it had no right
 * then; the record, which was looked at just now, gave it none since.  The other node is the one to
 * fence itself, and it does (not_holder, or its guard); were both to do so, nobody would serve.
 */
static bool promoted_without_right(const struct check_facts *f)
{
	return f->peer_followed == FACT_YES && f->record_theirs == FACT_NO &&
	       f->lease_runs == FACT_YES;
}

static bool two_primaries(const struct check_facts *f)
{
	return f->local == SERVER_PRIMARY && f->peer_is_primary == FACT_YES &&
	       !f->peer_other_system && f->peer_not_older && !promoted_without_right(f);
}

static bool silent(const struct check_facts *f)
{
	return f->local != SERVER_DOWN && f->local != SERVER_STARTING &&
	       f->local != SERVER_PRIMARY && f->local != SERVER_STANDBY;
}

static bool down(const struct check_facts *f)
{
	return f->local == SERVER_DOWN;
}

static bool starting(const struct check_facts *f)
{
	return f->local == SERVER_STARTING;
}

static bool fence_unknown(const struct check_facts *f)
{
	return f->fenced != FACT_NO && f->fenced != FACT_YES;
}

static bool fenced(const struct check_facts *f)
{
	return f->fenced == FACT_YES;
}

static bool wrong_version(const struct check_facts *f)
{
	return f->right_version != FACT_YES;
}

static bool wrong_directory(const struct check_facts *f)
{
	return f->right_data_dir == FACT_NO;
}

static bool paused_standby(const struct check_facts *f)
{
	return f->local == SERVER_STANDBY && f->replay_paused != FACT_NO;
}

static bool standby(const struct check_facts *f)
{
	return f->local == SERVER_STANDBY;
}

static bool read_only(const struct check_facts *f)
{
	return f->read_only != FACT_NO;
}

static bool sync_off(const struct check_facts *f)
{
	return f->mode_sync && f->sync_on != FACT_YES && !f->solo;
}

static bool not_holder(const struct check_facts *f)
{
	return f->record_theirs == FACT_YES;
}

/* It says why there is no lease; one that still runs is not taken away. */
static bool watchdog_missing(const struct check_facts *f)
{
	return f->watchdog_missing && f->lease_runs != FACT_YES;
}

static bool no_lease(const struct check_facts *f)
{
	return f->lease_runs != FACT_YES;
}

static bool always(const struct check_facts *f)
{
	(void)f;
	return true;
}

/* First rule that holds wins; what is said of a primary stands after "standby". */
static const struct rule {
	bool (*holds)(const struct check_facts *f);
	struct verdict verdict;
} rules[] = {
	{ silent,
	  { .outcome = OUT_UNKNOWN,
	    .rule = "local-silent",
	    .message = "the local server did not answer in time",
	    .hint = "is it overloaded, stopped, or does the role's password differ?" } },
	{ down,
	  { .outcome = OUT_NO,
	    .rule = "local-down",
	    .message = "the local server is down",
	    .hint = "the guard starts it through \"rejoin --auto\" when it may run" } },
	{ starting,
	  { .outcome = OUT_NO,
	    .rule = "local-starting",
	    .message = "the local server is starting up or shutting down" } },
	{ fence_unknown,
	  { .outcome = OUT_UNKNOWN,
	    .rule = "fence-unknown",
	    .message = "it cannot be told whether this node is fenced",
	    .hint = "is state_dir there, and is its file system mounted?" } },
	{ fenced,
	  { .outcome = OUT_NO,
	    .rule = "fenced",
	    .message = "this node is fenced",
	    .hint = "\"rejoin\" brings it back as a standby" } },
	{ wrong_version,
	  { .outcome = OUT_NO,
	    .rule = "wrong-version",
	    .message = "the local server is not of the configured major version",
	    .hint = "set version in [postgresql]" } },
	{ wrong_directory,
	  { .outcome = OUT_NO,
	    .rule = "wrong-directory",
	    .message = "the local server runs from another data directory than the configured one",
	    .hint = "set data_dir in [postgresql]" } },
	{ paused_standby,
	  { .outcome = OUT_NO,
	    .rule = "replay-paused",
	    .message = "replay is paused on this standby, so it could not be promoted",
	    .hint = "SELECT pg_wal_replay_resume()" } },
	{ standby,
	  { .outcome = OUT_YES, .rule = "standby", .message = "this node is a healthy standby" } },
	{ two_primaries,
	  { .outcome = OUT_NO,
	    .rule = "two-primaries",
	    .message = "the other node is a primary too, and not on an older timeline",
	    .hint = "this node fences itself and comes back as a standby" } },
	{ not_holder,
	  { .outcome = OUT_NO,
	    .rule = "not-holder",
	    .message = "the record at the witness gives the right to serve to the other node",
	    .hint = "this node fences itself and comes back as a standby" } },
	{ read_only,
	  { .outcome = OUT_NO,
	    .rule = "read-only",
	    .message = "the local primary is read-only by default_transaction_read_only" } },
	{ sync_off,
	  { .outcome = OUT_NO,
	    .rule = "sync-off",
	    .message = "mode is sync, but synchronous_standby_names is empty on this primary",
	    .hint = "\"cluster_config postgresql\" prints the line" } },
	{ watchdog_missing,
	  { .outcome = OUT_NO,
	    .rule = "watchdog-missing",
	    .message = "a watchdog is required, and its device is missing or cannot be used",
	    .hint = "the guard's log says why; load its driver, or say watchdog = automatic" } },
	{ no_lease,
	  { .outcome = OUT_NO,
	    .rule = "no-lease",
	    .message = "this primary has no lease: neither the peer nor the witness confirms it",
	    .hint = "it serves as soon as the standby votes for it; see \"cluster_status\"" } },
	{ always,
	  { .outcome = OUT_YES,
	    .rule = "serves",
	    .message = "this node is the primary and serves by right" } },
};

struct verdict check_decide(const struct check_facts *f)
{
	const struct rule *rule = rules;

	while (!rule->holds(f))
		rule++; /* ends: the last rule always holds */
	return rule->verdict;
}

struct verdict check_serving_decide(const struct check_facts *f)
{
	if (f->says_serving == FACT_NO)
		return (struct verdict){ .outcome = OUT_YES,
					 .rule = "serves-not",
					 .message = "this node does not serve, and says so" };
	if (f->says_serving == FACT_YES && f->fenced == FACT_NO && f->lease_runs == FACT_YES)
		return (struct verdict){ .outcome = OUT_YES,
					 .rule = "serves",
					 .message = "this node serves by right" };
	return (struct verdict){ .outcome = OUT_NO,
				 .rule = "serves-without-right",
				 .message = "the serving file is not to be believed" };
}

static bool disowned(const struct check_facts *f)
{
	return two_primaries(f) || not_holder(f);
}

static bool lease_over(const struct check_facts *f)
{
	return f->lease_known && f->lease_runs == FACT_NO;
}

bool check_must_fence(const struct check_facts *f)
{
	return f->local == SERVER_PRIMARY && (disowned(f) || lease_over(f));
}

bool check_lease_ended(const struct check_facts *f)
{
	return check_must_fence(f) && !disowned(f);
}

void check_facts_of(struct check_facts *f, const struct server *local, const struct cfg *cfg)
{
	f->local = local->state;
	if (local->state != SERVER_PRIMARY && local->state != SERVER_STANDBY)
		return;
	f->right_version = fact_of(local->version_num / 10000 == cfg->version);
	if (local->data_dir[0] != '\0')
		f->right_data_dir = fact_of(strcmp(local->data_dir, cfg->data_dir) == 0);
	f->read_only = fact_of(local->read_only);
	f->replay_paused = fact_of(local->replay_paused);
	f->sync_on = fact_of(local->sync_names[0] != '\0');
}
