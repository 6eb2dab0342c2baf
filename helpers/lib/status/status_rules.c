/* SPDX-License-Identifier: PostgreSQL */
#include "status/status_rules.h"

#include "base/auto.h"
#include "status/status_table.h"

static bool two_primaries(const struct status_facts *f)
{
	return f->local == SERVER_PRIMARY && f->peer == SERVER_PRIMARY && f->same_system != FACT_NO;
}

static bool server_refuses(const struct status_facts *f)
{
	return f->local == SERVER_REFUSES || f->peer == SERVER_REFUSES;
}

static bool no_primary(const struct status_facts *f)
{
	return !status_has_primary(f) && f->local != SERVER_UNKNOWN && f->peer != SERVER_UNKNOWN &&
	       !server_refuses(f);
}

static bool other_system(const struct status_facts *f)
{
	return f->same_system == FACT_NO;
}

static bool fenced(const struct status_facts *f)
{
	return f->fenced == FACT_YES;
}

static bool unpaired(const struct status_facts *f)
{
	return f->local == SERVER_PRIMARY && f->lease_runs == FACT_NO && f->leased == FACT_NO;
}

/* The standby would refuse to take over (unleased in promote_rules.c). */
static bool lease_unseen(const struct status_facts *f)
{
	return f->local == SERVER_STANDBY && !f->has_record && f->leased == FACT_NO;
}

static bool no_lease(const struct status_facts *f)
{
	return f->local == SERVER_PRIMARY && f->lease_runs == FACT_NO;
}

static bool serves_not(const struct status_facts *f)
{
	return f->local == SERVER_PRIMARY && f->says_serving == FACT_NO;
}

static bool read_only(const struct status_facts *f)
{
	return status_has_primary(f) && f->read_only == FACT_YES;
}

static bool is_no_standby(enum server_state state)
{
	return state == SERVER_DOWN || state == SERVER_STARTING;
}

static bool standby_down(const struct status_facts *f)
{
	return status_has_primary(f) && (is_no_standby(f->local) || is_no_standby(f->peer));
}

static bool withdrawn(const struct status_facts *f)
{
	return f->withdrawn == FACT_YES;
}

static bool not_streaming(const struct status_facts *f)
{
	return f->streaming == FACT_NO;
}

static bool path_narrow(const struct status_facts *f)
{
	return f->vanishes == FACT_YES;
}

static bool replay_paused(const struct status_facts *f)
{
	return f->replay_paused == FACT_YES;
}

static bool lags(const struct status_facts *f)
{
	return f->fresh == FACT_NO;
}

static bool rights_missing(const struct status_facts *f)
{
	return f->rights == FACT_NO;
}

static bool apply_delay(const struct status_facts *f)
{
	return f->undelayed == FACT_NO;
}

static bool unwritable(const struct status_facts *f)
{
	return f->writable == FACT_NO;
}

static bool config_error(const struct status_facts *f)
{
	return f->reloads == FACT_NO;
}

static bool config_unknown(const struct status_facts *f)
{
	return f->reloads == FACT_UNKNOWN;
}

static bool disk_full(const struct status_facts *f)
{
	return f->disk_full == FACT_YES;
}

static bool commits_wait(const struct status_facts *f)
{
	return f->commits_wait;
}

static bool sync_off(const struct status_facts *f)
{
	return f->mode_sync && f->sync_held == FACT_NO;
}

static bool sync_bypassed(const struct status_facts *f)
{
	return f->mode_sync && f->sync_bypass == FACT_YES;
}

static bool sync_late(const struct status_facts *f)
{
	return f->mode_sync && f->sync_late == FACT_YES;
}

static bool record_untrusted(const struct status_facts *f)
{
	return f->has_record && f->record_trusted == FACT_NO;
}

static bool record_names_other(const struct status_facts *f)
{
	return f->has_record && f->record_names_primary == FACT_NO;
}

static bool paused(const struct status_facts *f)
{
	return f->paused == FACT_YES;
}

static bool solo(const struct status_facts *f)
{
	return f->has_record && f->record_paired == FACT_NO;
}

static bool server_silent(const struct status_facts *f)
{
	return f->local == SERVER_UNKNOWN || f->peer == SERVER_UNKNOWN;
}

static bool server_busy(const struct status_facts *f)
{
	if (server_silent(f))
		return f->only_late;
	return f->more_late && (!status_all_known(f) || f->reloads == FACT_UNKNOWN);
}

static bool witness_busy(const struct status_facts *f)
{
	return f->witness == FACT_UNKNOWN && f->witness_late;
}

static bool not_all_known(const struct status_facts *f)
{
	return !status_all_known(f);
}

static bool return_unknown(const struct status_facts *f)
{
	return f->could_return == FACT_UNKNOWN;
}

/* First rule that holds wins: the worst first, then what is not known, then that all is well. */
static const struct status_rule pair_rules[] = {
	{ two_primaries,
	  NO("two-primaries", "both nodes are primaries",
	     "the one on the older timeline fences itself; \"rejoin\" brings it back") },
	{ other_system,
	  NO("other-system",
	     "the two servers are not of one cluster: their system identifiers differ",
	     "is the right server behind the other node's address and port?") },
	{ no_primary, NO("no-primary", "no node is a primary", NULL) },
	{ fenced, NO("fenced", "this node is fenced",
		     "\"rejoin\" brings it back as a standby; \"rejoin --lift-fence\" lets it "
		     "serve again where that is safe") },
	{ server_refuses,
	  NO("server-refuses",
	     "a server lives and refuses the role of the helpers: there would be no failover",
	     "below the table of nodes stands what mends it") },
	{ record_names_other,
	  NO("record-holder", "the record at the witness names another node than the primary",
	     "a takeover is under way, or the primary was started without the right to "
	     "serve") },
	{ unpaired,
	  NO("unpaired",
	     "this primary was never paired with a standby: it is left alone, without a lease and "
	     "without the virtual address",
	     "\"check_primary -v\" says what the standby lacks; its first vote begins the lease") },
	{ no_lease, NO("no-lease", "this node is the primary and has no lease",
		       "\"check_primary -v\" says what it lacks") },
	{ serves_not, NO("not-serving", "this node is the primary and does not serve",
			 "\"check_primary -v\" says what it lacks") },
	{ read_only,
	  NO("read-only", "the primary is read-only by default_transaction_read_only", NULL) },
	{ disk_full,
	  NO("disk-full", "the disk of this node's server is full: writes fail, or soon will",
	     "make room; \"disk_full\" of [postgresql] says whether a standby takes over") },
	{ commits_wait,
	  NO("commits-wait",
	     "commits wait for a standby that is lost: the primary takes no reload, so synchronous "
	     "replication could not be turned off",
	     "mend the line named below the table of nodes; the rest comes by itself") },
	{ record_untrusted,
	  NO("record-untrusted",
	     "the record at the witness is not to be trusted, so there would be no "
	     "failover",
	     "\"witness_record\" says why, and what mends it") },
	{ standby_down, NO("standby-down", "there is no standby: the other server is not up",
			   "\"rejoin\" on that node brings it back, or says why not") },
	{ withdrawn, NO("vote-withdrawn",
			"the standby has withdrawn its vote: a takeover is under way, or was "
			"interrupted",
			NULL) },
	{ path_narrow,
	  NO("large-packets-lost",
	     "the standby is connected and receives nothing of what the primary sends: the path "
	     "between the nodes seems to lose every packet above some size",
	     "\"ping -M do -s 1472\" from one node to the other must pass where the MTU is 1500; "
	     "mend the path, or lower the MTU of both interfaces") },
	{ not_streaming, NO("not-streaming", "the standby does not stream from the primary",
			    "see the log of both servers") },
	{ replay_paused,
	  NO("replay-paused", "replay is paused on the standby, so it could not be promoted",
	     "SELECT pg_wal_replay_resume(); but where a recovery target is set that would "
	     "promote it") },
	{ lags,
	  NO("lag", "the standby lags by more than max_lag, so it could not be promoted", NULL) },
	{ rights_missing, NO("rights-missing",
			     "the role lacks a right that a takeover needs, so there would be none",
			     "run what \"cluster_config sql\" prints on the primary") },
	{ apply_delay,
	  NO("apply-delay",
	     "recovery_min_apply_delay holds replay back on the standby, so it could not be "
	     "promoted before it has caught up",
	     "ALTER SYSTEM RESET recovery_min_apply_delay there, or take it out of its file, and a "
	     "reload") },
	{ unwritable,
	  NO("unwritable",
	     "the server's user cannot write where a promotion of this node would have to",
	     "the place is named above: is its file system full, or read-only?") },
	{ config_error,
	  NO("config-error",
	     "a configuration file has an error: its server takes no reload, and would not start",
	     "mend the line named below the table of nodes, then SELECT pg_reload_conf()") },
	{ lease_unseen,
	  NO("lease-unseen",
	     "this standby has not seen that the primary is held to a lease, so it would not take "
	     "over",
	     "\"check_primary -v\" on the primary; may the role call pg_stat_file there?") },
	{ paused,
	  NO("paused", "failover is paused by an operator", "\"resume\" makes it possible again") },
	{ solo, NO("solo", "only the primary may serve: the standby must not take over yet",
		   "the primary pairs with a standby that streams and has caught up") },
	{ sync_off, NO("sync-off", "mode is sync, but the primary does not wait for the standby",
		       "\"cluster_config postgresql\" prints the setting") },
	{ sync_bypassed, NO("sync-bypassed",
			    "roles or databases set synchronous_commit to local or off: their "
			    "commits may be lost in a failover",
			    "pg_db_role_setting and postgresql.conf of the primary have the "
			    "settings: reset them") },
	{ sync_late,
	  NO("sync-late",
	     "mode is sync, but this minor version of PostgreSQL lets commits through for a moment "
	     "after each start",
	     "update to 15.13, 16.9 or 17.5, or newer, on both nodes") },
};

static const struct status_rule unknown_rules[] = {
	{ server_busy,
	  UNKNOWN("server-busy",
		  "a server is busy, or stands still: it takes connections and does not answer "
		  "in time",
		  "is its host overloaded, its disk slow, or its process stopped?") },
	{ witness_busy,
	  UNKNOWN("witness-busy",
		  "the witness's server is busy, or stands still: it takes connections and does "
		  "not answer in time; nobody takes over before it does",
		  "is its host overloaded, its disk slow, or its process stopped?") },
	{ server_silent,
	  UNKNOWN("server-silent", "the role of a server is unknown: it did not answer", NULL) },
	{ not_all_known,
	  UNKNOWN("not-all-known", "not everything could be found out", "is it run by root?") },
	{ config_unknown,
	  UNKNOWN("config-unknown", "whether the servers take a reload could not be asked",
		  "run what \"cluster_config sql\" prints on the primary") },
	{ return_unknown,
	  UNKNOWN("rejoin-unchecked",
		  "it is not known yet whether this node could come back by itself",
		  "the guard finds out as soon as both servers run; \"rejoin --check\" does it "
		  "now") },
	{ RULE_ALWAYS,
	  YES("healthy", "all is well: one node serves, the other could take over", NULL) },
};

RULES_PART(status_unknown_rules, unknown_rules);
RULES_PART(status_pair_rules, pair_rules);

static const struct rules *const status_rules[] = { &status_pair_rules, &status_host_rules,
						    &status_unknown_rules, NULL };

struct verdict status_decide(const struct status_facts *f)
{
	return *rules_decide(status_rules, f);
}

void status_explain(const struct status_facts *f, FILE *out)
{
	rules_explain(status_rules, f, NULL, out);
}
