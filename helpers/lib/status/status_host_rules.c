/* SPDX-License-Identifier: PostgreSQL */
/* Faults of the address, the witness, or on this node, beside two servers that are as they ought
 * to be. */
#include "status/status_table.h"

static bool connect_borrowed(const struct status_facts *f)
{
	return f->own_connect == FACT_NO;
}

static bool address_astray(const struct status_facts *f)
{
	const enum status_vip wanted = f->local == SERVER_PRIMARY ? VIP_HERE : VIP_PEER;

	return status_has_primary(f) && f->vip != VIP_UNKNOWN && f->vip != wanted;
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

static bool signal_file(const struct status_facts *f)
{
	return f->signal_file == FACT_YES;
}

static bool fencing_broken(const struct status_facts *f)
{
	return f->could_fence == FACT_NO;
}

static bool return_lacks(const struct status_facts *f)
{
	return f->could_return == FACT_NO;
}

static const struct status_rule rules[] = {
	{ address_astray, NO("vip-misplaced", "the virtual address is not on the primary", NULL) },
	{ witness_unseen,
	  NO("witness-unseen",
	     "the witness is not seen from this node, so there would be no failover", NULL) },
	{ keepalived_gone,
	  NO("keepalived-gone",
	     "keepalived does not run on this node, or stands still: it asks no more",
	     "where it runs: is it stopped, or the host overloaded?") },
	{ guard_gone,
	  NO("guard-gone", "the guard (fence_self --watch) does not run on this node", NULL) },
	{ watchdog_missing,
	  NO("watchdog-missing",
	     "a watchdog is required, and this node has none that could be armed",
	     "the guard's log says why; load its driver, or set watchdog = automatic") },
	{ not_enforced,
	  NO("kernel-lease", "the kernel of this node does not enforce the lease",
	     "is nftables installed? the guard's log says why; \"kernel_lease = no\" does "
	     "without") },
	{ slots_unbounded,
	  NO("slots-unbounded",
	     "no WAL is held for a node that is away: max_slot_wal_keep_size is unlimited",
	     "set max_slot_wal_keep_size on both nodes, or \"slots = no\"") },
	{ slot_empty, NO("slot-empty",
			 "no WAL is held for the standby: it was away for longer than "
			 "max_slot_wal_keep_size allows",
			 "\"rejoin\" there says whether it can follow all the same, or needs a new "
			 "copy") },
	{ slot_unused, NO("slot-unused",
			  "the standby streams without its slot, so no WAL is held when it is away",
			  "\"replication_slots\" on each node says why") },
	{ slots_near,
	  NO("slots-nearly-full",
	     "a replication slot is close to the bound of what it may hold, or beyond it",
	     "\"replication_slots\" on its node names it; \"--drop\" removes one that "
	     "nobody needs") },
	{ signal_file,
	  NO("signal-file",
	     "standby.signal or recovery.signal lies in the data directory of this primary, which "
	     "would start as a standby",
	     "remove the file that is named above; the server need not be restarted") },
	{ connect_borrowed,
	  NO("connect-borrowed",
	     "the role of the helpers may connect only because everybody may: REVOKE CONNECT ... "
	     "FROM PUBLIC would lock it out",
	     "run what \"cluster_config sql\" prints on the primary") },
	{ fencing_broken,
	  NO("fencing-broken",
	     "a way of fencing the other node does not work from here, by its last test",
	     "\"fence_old --test\" says which, and why") },
	{ return_lacks,
	  NO("rejoin-blocked",
	     "this node could not come back by itself: pg_rewind would lack something",
	     "\"rejoin --check\" says what, and what mends it") },
};

RULES_PART(status_host_rules, rules);
