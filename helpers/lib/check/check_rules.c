/* SPDX-License-Identifier: PostgreSQL */
#include "check/check_rules.h"

#include <string.h>

#include "base/rules.h"
#include "postgres/server_sync.h"

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
	       f->local != SERVER_REFUSES && f->local != SERVER_PRIMARY &&
	       f->local != SERVER_STANDBY;
}

static bool down(const struct check_facts *f)
{
	return f->local == SERVER_DOWN;
}

static bool starting(const struct check_facts *f)
{
	return f->local == SERVER_STARTING;
}

/* No primary: it could not be promoted, since nobody can ask it to. */
static bool refuses(const struct check_facts *f)
{
	return f->local == SERVER_REFUSES;
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
	return f->right_version != FACT_YES && !f->refuses;
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
	return f->read_only != FACT_NO && !f->refuses;
}

static bool sync_off(const struct check_facts *f)
{
	return f->mode_sync && f->sync_on != FACT_YES && !f->solo && !f->refuses;
}

/* A primary that serves was seen to wait for its standby when it began; one that does not serve
 * was not. */
static bool sync_unknown(const struct check_facts *f)
{
	return f->refuses && f->mode_sync && !f->solo && f->says_serving != FACT_YES;
}

static bool not_holder(const struct check_facts *f)
{
	return f->record_theirs == FACT_YES;
}

/* The rule says why there is no lease; a lease that still runs is not taken away. */
static bool watchdog_missing(const struct check_facts *f)
{
	return f->watchdog_missing && f->lease_runs != FACT_YES;
}

/* The guard leaves it alone, and so do we: that is what the lease is waiting for. */
static bool unpaired(const struct check_facts *f)
{
	return f->lease_runs == FACT_NO && !f->lease_known && f->leased == FACT_NO;
}

static bool no_lease(const struct check_facts *f)
{
	return f->lease_runs != FACT_YES;
}

/* The lease or the record gives the right to serve; the role of the helpers is only how we look. */
static bool refuses_and_serves(const struct check_facts *f)
{
	return f->refuses;
}

/* Reading goes on, and whether a standby ought to take over is for the configuration to say. */
static bool disk_full(const struct check_facts *f)
{
	return f->disk_full == FACT_YES;
}

/* So is this: reading goes on. */
static bool commits_wait(const struct check_facts *f)
{
	return f->commits_wait;
}

/* First rule that holds wins; what is said of a primary stands after "standby". */
static const struct rule {
	bool (*holds)(const struct check_facts *f);
	struct verdict verdict;
} rules[] = {
	{ silent, UNKNOWN("local-silent", "the local server did not answer in time",
			  "is it overloaded, stopped, or does the role's password differ?") },
	{ down, NO("local-down", "the local server is down",
		   "the guard starts it through \"rejoin --auto\" when it may run") },
	{ starting,
	  NO("local-starting", "the local server is starting up or shutting down", NULL) },
	{ refuses, NO("local-refuses", "the local server lives and refuses the role of the helpers",
		      "the detail says what mends it; on the primary, as a superuser") },
	{ fence_unknown, UNKNOWN("fence-unknown", "it cannot be told whether this node is fenced",
				 "is state_dir there, and is its file system mounted?",
				 .id = RULE_FENCE_UNKNOWN) },
	{ fenced, NO("fenced", "this node is fenced",
		     "\"rejoin\" brings it back as a standby; \"rejoin --lift-fence\" lets it "
		     "serve again where that is safe",
		     .id = RULE_FENCED) },
	{ wrong_version,
	  NO("wrong-version", "the local server is not of the configured major version",
	     "set version in [postgresql]") },
	{ wrong_directory,
	  NO("wrong-directory",
	     "the local server runs from another data directory than the configured one",
	     "set data_dir in [postgresql]") },
	{ paused_standby,
	  NO("replay-paused", "replay is paused on this standby, so it could not be promoted",
	     "SELECT pg_wal_replay_resume(); but where a recovery target is set that would "
	     "promote it") },
	{ standby, YES("standby", "this node is a healthy standby", NULL, .id = RULE_STANDBY) },
	{ two_primaries,
	  NO("two-primaries", "the other node is a primary too, and not on an older timeline",
	     "this node fences itself and comes back as a standby") },
	{ not_holder,
	  NO("not-holder", "the record at the witness gives the right to serve to the other node",
	     "this node fences itself and comes back as a standby") },
	{ read_only, NO("read-only",
			"the local primary is read-only by default_transaction_read_only", NULL) },
	{ sync_off,
	  NO("sync-off", "mode is sync, but synchronous_standby_names does not name the other node",
	     "\"cluster_config postgresql\" prints the line") },
	{ sync_unknown,
	  UNKNOWN("sync-unknown",
		  "this primary refuses the role of the helpers, so whether it waits for its "
		  "standby cannot be asked",
		  "the detail says what mends it; on this server, as a superuser") },
	{ watchdog_missing,
	  NO("watchdog-missing",
	     "a watchdog is required, and its device is missing or cannot be used",
	     "the guard's log says why; load its driver, or say watchdog = automatic") },
	{ unpaired,
	  NO("unpaired",
	     "this primary was never paired with a standby: it is left alone, without a lease and "
	     "without the virtual address",
	     "the detail says what the standby lacks; its first vote begins the lease",
	     .id = RULE_UNPAIRED) },
	{ no_lease,
	  NO("no-lease", "this primary has no lease: neither the peer nor the witness confirms it",
	     "it serves as soon as the standby votes for it; see \"cluster_status\"") },
	{ refuses_and_serves,
	  YES("serves-locked-out",
	      "this node is the primary and serves by right, but it refuses the role of the "
	      "helpers",
	      "the detail says what mends it; on this server, as a superuser") },
	{ disk_full,
	  YES("serves-disk-full",
	      "this node is the primary and serves by right, but its disk is full, so writes fail",
	      "make room; with \"disk_full = step-down\" a standby that is ready would take "
	      "over") },
	{ commits_wait,
	  YES("serves-commits-wait",
	      "this node is the primary and serves by right, but its commits wait for a standby "
	      "that is lost, since the server takes no reload",
	      "mend the line that the detail names; the rest comes by itself",
	      .id = RULE_SERVES_COMMITS_WAIT) },
	{ RULE_ALWAYS, YES("serves", "this node is the primary and serves by right", NULL) },
};

RULES(check_rules, rules);

struct verdict check_decide(const struct check_facts *f)
{
	return *rules_decide(check_rules, f);
}

void check_explain(const struct check_facts *f, FILE *out)
{
	rules_explain(check_rules, f, NULL, out);
}

struct verdict check_serving_decide(const struct check_facts *f)
{
	if (f->says_serving == FACT_NO)
		return (struct verdict)YES("not-serving", "this node does not serve, and says so",
					   NULL);
	/* A mark that cannot be read renews no lease (guard_look.c), and until the lease has ended
	 * nobody else may serve: to take the address away at once would help nobody. */
	if (f->says_serving == FACT_YES && f->fenced != FACT_YES && f->lease_runs == FACT_YES)
		return (struct verdict)YES("serves", "this node serves by right", NULL);
	return (struct verdict)NO("serves-without-right", "the serving file is not to be believed",
				  NULL);
}

static bool disowned(const struct check_facts *f)
{
	return two_primaries(f) || not_holder(f);
}

static bool lease_over(const struct check_facts *f)
{
	return f->lease_runs == FACT_NO && (f->lease_known || f->lease_overdue);
}

bool check_must_fence(const struct check_facts *f)
{
	return f->local == SERVER_PRIMARY && (disowned(f) || lease_over(f));
}

bool check_steps_down(const struct check_facts *f)
{
	return f->local == SERVER_PRIMARY && f->disk_full == FACT_YES && f->full_for_long &&
	       f->steps_down && f->standby_ready && !check_must_fence(f);
}

bool check_lease_ended(const struct check_facts *f)
{
	return check_must_fence(f) && !disowned(f);
}

void check_facts_of(struct check_facts *f, const struct server *local, const struct cfg *cfg)
{
	f->refuses = local->state == SERVER_REFUSES;
	f->local = f->refuses && local->behind == SERVER_PRIMARY ? SERVER_PRIMARY : local->state;
	if (local->state != SERVER_PRIMARY && local->state != SERVER_STANDBY)
		return;
	f->right_version = fact_of(local->version_num / 10000 == cfg->version);
	if (local->data_dir[0] != '\0')
		f->right_data_dir = fact_of(strcmp(local->data_dir, cfg->data_dir) == 0);
	f->read_only = fact_of(local->read_only);
	f->replay_paused = fact_of(local->replay_paused);
	f->sync_on = fact_of(server_sync_lists(local->sync_names, cfg_peer(cfg)->name));
}
