/* SPDX-License-Identifier: PostgreSQL */
#include "status/status_rules.h"

#include "base/auto.h"

static bool there_is_a_primary(const struct status_facts *f)
{
	return f->local == SERVER_PRIMARY || f->peer == SERVER_PRIMARY;
}

static bool two_primaries(const struct status_facts *f)
{
	return f->local == SERVER_PRIMARY && f->peer == SERVER_PRIMARY && f->same_system != FACT_NO;
}

static bool no_primary(const struct status_facts *f)
{
	return !there_is_a_primary(f) && f->local != SERVER_UNKNOWN && f->peer != SERVER_UNKNOWN;
}

static bool other_system(const struct status_facts *f)
{
	return f->same_system == FACT_NO;
}

static bool fenced(const struct status_facts *f)
{
	return f->fenced == FACT_YES;
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
	return there_is_a_primary(f) && f->read_only == FACT_YES;
}

static bool is_no_standby(enum server_state state)
{
	return state == SERVER_DOWN || state == SERVER_STARTING;
}

static bool standby_down(const struct status_facts *f)
{
	return there_is_a_primary(f) && (is_no_standby(f->local) || is_no_standby(f->peer));
}

static bool withdrawn(const struct status_facts *f)
{
	return f->withdrawn == FACT_YES;
}

static bool not_streaming(const struct status_facts *f)
{
	return f->streaming == FACT_NO;
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

static bool sync_off(const struct status_facts *f)
{
	return f->mode_sync && f->sync_held == FACT_NO;
}

static bool sync_bypassed(const struct status_facts *f)
{
	return f->mode_sync && f->sync_bypass == FACT_YES;
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
	return f->has_record && f->record_paused == FACT_YES;
}

static bool solo(const struct status_facts *f)
{
	return f->has_record && f->record_paired == FACT_NO;
}

static bool address_astray(const struct status_facts *f)
{
	const enum status_vip wanted = f->local == SERVER_PRIMARY ? VIP_HERE : VIP_PEER;

	return there_is_a_primary(f) && f->vip != VIP_UNKNOWN && f->vip != wanted;
}

static bool witness_unseen(const struct status_facts *f)
{
	return f->witness == FACT_NO;
}

static bool keepalived_gone(const struct status_facts *f)
{
	return f->keepalived == FACT_NO;
}

static bool guard_gone(const struct status_facts *f)
{
	return f->guard == FACT_NO;
}

static bool watchdog_missing(const struct status_facts *f)
{
	return f->watchdog == FACT_NO;
}

static bool not_enforced(const struct status_facts *f)
{
	return f->kernel_lease == FACT_NO;
}

static bool slots_unbounded(const struct status_facts *f)
{
	return f->slots_wanted && f->slots_bounded == FACT_NO;
}

static bool slot_empty(const struct status_facts *f)
{
	return f->slots_wanted && f->slot_holds == FACT_NO;
}

static bool slot_unused(const struct status_facts *f)
{
	return f->slots_wanted && f->slot_used == FACT_NO;
}

static bool slots_near(const struct status_facts *f)
{
	return f->slots_near == FACT_YES;
}

static bool return_lacks(const struct status_facts *f)
{
	return f->could_return == FACT_NO;
}

static bool server_silent(const struct status_facts *f)
{
	return f->local == SERVER_UNKNOWN || f->peer == SERVER_UNKNOWN;
}

/* Here one node is the primary and the other its standby. */
static bool not_all_known(const struct status_facts *f)
{
	const enum fact needed[] = { f->same_system,   f->read_only,  f->withdrawn, f->streaming,
				     f->replay_paused, f->fresh,      f->rights,    f->fenced,
				     f->witness,       f->keepalived, f->guard,     f->kernel_lease,
				     f->watchdog };

	for (size_t i = 0; i < ARRAY_COUNT(needed); i++) {
		if (needed[i] == FACT_UNKNOWN)
			return true;
	}
	if (f->has_record &&
	    (f->record_trusted == FACT_UNKNOWN || f->record_names_primary == FACT_UNKNOWN ||
	     f->record_paired == FACT_UNKNOWN || f->record_paused == FACT_UNKNOWN))
		return true;
	if (f->slots_wanted && (f->slots_bounded == FACT_UNKNOWN || f->slot_used == FACT_UNKNOWN ||
				f->slot_holds == FACT_UNKNOWN))
		return true;
	if (f->slots_near == FACT_UNKNOWN)
		return true;
	if (f->mode_sync && (f->sync_held == FACT_UNKNOWN || f->sync_bypass == FACT_UNKNOWN))
		return true;
	if (f->local == SERVER_PRIMARY &&
	    (f->lease_runs == FACT_UNKNOWN || f->says_serving == FACT_UNKNOWN))
		return true;
	return f->vip == VIP_UNKNOWN;
}

static bool return_unknown(const struct status_facts *f)
{
	return f->could_return == FACT_UNKNOWN;
}

static bool always(const struct status_facts *f)
{
	(void)f;
	return true;
}

/* First rule that holds wins: the worst first, then what is not known, then that all is well. */
static const struct rule {
	bool (*holds)(const struct status_facts *f);
	struct verdict verdict;
} rules[] = {
	{ two_primaries,
	  { .outcome = OUT_NO,
	    .rule = "two-primaries",
	    .message = "both nodes are primaries",
	    .hint = "the one on the older timeline fences itself; \"rejoin\" brings it back" } },
	{ other_system,
	  { .outcome = OUT_NO,
	    .rule = "other-system",
	    .message = "the two servers are not of one cluster: their system identifiers differ",
	    .hint = "is the right server behind the other node's address and port?" } },
	{ no_primary,
	  { .outcome = OUT_NO, .rule = "no-primary", .message = "no node is a primary" } },
	{ fenced,
	  { .outcome = OUT_NO,
	    .rule = "fenced",
	    .message = "this node is fenced",
	    .hint = "\"rejoin\" brings it back as a standby" } },
	{ record_names_other,
	  { .outcome = OUT_NO,
	    .rule = "record-holder",
	    .message = "the record at the witness names another node than the primary",
	    .hint = "a takeover is under way, or the primary was started without the right to "
		    "serve" } },
	{ no_lease,
	  { .outcome = OUT_NO,
	    .rule = "no-lease",
	    .message = "this node is the primary and has no lease",
	    .hint = "\"check_primary -v\" says what it lacks" } },
	{ serves_not,
	  { .outcome = OUT_NO,
	    .rule = "serves-not",
	    .message = "this node is the primary and does not serve",
	    .hint = "\"check_primary -v\" says what it lacks" } },
	{ read_only,
	  { .outcome = OUT_NO,
	    .rule = "read-only",
	    .message = "the primary is read-only by default_transaction_read_only" } },
	{ record_untrusted,
	  { .outcome = OUT_NO,
	    .rule = "record-untrusted",
	    .message = "the record at the witness is not to be trusted, so there would be no "
		       "failover",
	    .hint = "\"witness_record\" says why, and what mends it" } },
	{ standby_down,
	  { .outcome = OUT_NO,
	    .rule = "standby-down",
	    .message = "there is no standby: the other server is not up",
	    .hint = "\"rejoin\" on that node brings it back, or says why not" } },
	{ withdrawn,
	  { .outcome = OUT_NO,
	    .rule = "vote-withdrawn",
	    .message = "the standby has withdrawn its vote: a takeover is under way, or was "
		       "interrupted" } },
	{ not_streaming,
	  { .outcome = OUT_NO,
	    .rule = "not-streaming",
	    .message = "the standby does not stream from the primary",
	    .hint = "see the log of both servers" } },
	{ replay_paused,
	  { .outcome = OUT_NO,
	    .rule = "replay-paused",
	    .message = "replay is paused on the standby, so it could not be promoted",
	    .hint = "SELECT pg_wal_replay_resume()" } },
	{ lags,
	  { .outcome = OUT_NO,
	    .rule = "lag",
	    .message = "the standby lags by more than max_lag, so it could not be promoted" } },
	{ rights_missing,
	  { .outcome = OUT_NO,
	    .rule = "rights-missing",
	    .message = "the role lacks a right that a takeover needs, so there would be none",
	    .hint = "run what \"cluster_config sql\" prints on the primary" } },
	{ paused,
	  { .outcome = OUT_NO,
	    .rule = "paused",
	    .message = "an operator has paused takeovers",
	    .hint = "\"witness_record --resume\" makes them possible again" } },
	{ solo,
	  { .outcome = OUT_NO,
	    .rule = "solo",
	    .message = "only the primary may serve: the standby must not take over yet",
	    .hint = "the primary pairs with a standby that streams and has caught up" } },
	{ sync_off,
	  { .outcome = OUT_NO,
	    .rule = "sync-off",
	    .message = "mode is sync, but the primary does not wait for the standby",
	    .hint = "\"cluster_config postgresql\" prints the setting" } },
	{ sync_bypassed,
	  { .outcome = OUT_NO,
	    .rule = "sync-bypassed",
	    .message = "mode is sync, but commits may go around it by synchronous_commit",
	    .hint = "see pg_db_role_setting and postgresql.conf on the primary" } },
	{ address_astray,
	  { .outcome = OUT_NO,
	    .rule = "address-astray",
	    .message = "the virtual address is not on the primary" } },
	{ witness_unseen,
	  { .outcome = OUT_NO,
	    .rule = "witness-unseen",
	    .message = "the witness is not seen from this node, so there would be no failover" } },
	{ keepalived_gone,
	  { .outcome = OUT_NO,
	    .rule = "keepalived-gone",
	    .message = "keepalived does not run on this node" } },
	{ guard_gone,
	  { .outcome = OUT_NO,
	    .rule = "guard-gone",
	    .message = "the guard (fence_self --watch) does not run on this node" } },
	{ watchdog_missing,
	  { .outcome = OUT_NO,
	    .rule = "watchdog-missing",
	    .message = "a watchdog is required, and this node has none that could be armed",
	    .hint = "the guard's log says why; load its driver, or say watchdog = automatic" } },
	{ not_enforced,
	  { .outcome = OUT_NO,
	    .rule = "kernel-lease",
	    .message = "the kernel of this node does not enforce the lease",
	    .hint = "is nftables installed? the guard's log says why; \"kernel_lease = no\" does "
		    "without" } },
	{ slots_unbounded,
	  { .outcome = OUT_NO,
	    .rule = "slots-unbounded",
	    .message = "no WAL is held for a node that is away: nothing would bound it",
	    .hint = "set max_slot_wal_keep_size on both nodes, or \"slots = no\"" } },
	{ slot_empty,
	  { .outcome = OUT_NO,
	    .rule = "slot-empty",
	    .message = "no WAL is held for the standby: it was away for longer than "
		       "max_slot_wal_keep_size allows",
	    .hint = "\"rejoin\" there says whether it can follow all the same, or needs a new "
		    "copy" } },
	{ slot_unused,
	  { .outcome = OUT_NO,
	    .rule = "slot-unused",
	    .message = "the standby streams without its slot, so no WAL is held when it is away",
	    .hint = "\"replication_slots\" on each node says why" } },
	{ slots_near,
	  { .outcome = OUT_NO,
	    .rule = "slots-near",
	    .message = "a replication slot is close to the bound of what it may hold, or beyond it",
	    .hint = "\"replication_slots\" on its node names it; \"--drop\" removes one that "
		    "nobody needs" } },
	{ return_lacks,
	  { .outcome = OUT_NO,
	    .rule = "return-lacks",
	    .message = "this node could not come back by itself: pg_rewind would lack something",
	    .hint = "\"rejoin --check\" says what, and what mends it" } },
	{ server_silent,
	  { .outcome = OUT_UNKNOWN,
	    .rule = "server-silent",
	    .message = "a server did not say what it is" } },
	{ not_all_known,
	  { .outcome = OUT_UNKNOWN,
	    .rule = "not-all-known",
	    .message = "not everything could be found out",
	    .hint = "is it run by root?" } },
	{ return_unknown,
	  { .outcome = OUT_UNKNOWN,
	    .rule = "return-unknown",
	    .message = "it is not known yet whether this node could come back by itself",
	    .hint = "the guard finds out as soon as both servers run; \"rejoin --check\" does it "
		    "now" } },
	{ always,
	  { .outcome = OUT_YES,
	    .rule = "well",
	    .message = "all is well: one node serves, the other could take over" } },
};

struct verdict status_decide(const struct status_facts *f)
{
	const struct rule *rule = rules;

	while (!rule->holds(f))
		rule++; /* ends: the last rule always holds */
	return rule->verdict;
}
