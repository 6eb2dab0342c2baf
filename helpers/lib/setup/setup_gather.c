/* SPDX-License-Identifier: PostgreSQL */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/proc.h"
#include "net/net.h"
#include "net/probe_large.h"
#include "node/call.h"
#include "node/identity.h"
#include "postgres/server_limits.h"
#include "rejoin/rejoin_host.h"
#include "rejoin/rejoin_ready.h"
#include "setup/setup.h"

/* A keyboard's patience for each part; what takes longer is unknown. */
#define SSH_MS    6000
#define FENCE_MS  12000
#define REJOIN_MS 12000
#define ARP_MS    600
/* Adverts of others come each second, by default. */
#define VRRP_MS  1300
#define LARGE_MS 1500

static const char *const names[] = {
	"wal_level",
	"wal_log_hints",
	"data_checksums",
	"full_page_writes",
	"fsync",
	"hot_standby",
	"max_wal_senders",
	"max_replication_slots",
	"max_connections",
	"max_worker_processes",
	"max_prepared_transactions",
	"max_locks_per_transaction",
	"recovery_min_apply_delay",
	"max_standby_streaming_delay",
	"idle_replication_slot_timeout",
	"max_wal_size",
	"max_slot_wal_keep_size",
	"synchronous_commit",
	"shared_preload_libraries",
	"port",
	"superuser_reserved_connections",
	"archive_mode",
	"recovery_target",
	"recovery_target_lsn",
	"recovery_target_name",
	"recovery_target_time",
	"recovery_target_xid",
};
_Static_assert(ARRAY_COUNT(names) <= SERVER_SETTINGS_MAX, "each has its place");

static enum pg_where where_of(const struct setup *setup, size_t node)
{
	return node == setup->cfg->self ? PG_LOCAL : PG_PEER;
}

static void gather_servers(struct setup *setup, const struct deadline *dl)
{
	for (size_t i = 0; i < CFG_NODES; i++) {
		server_settings_begin(&setup->settings[i], names, ARRAY_COUNT(names));
		server_settings_ask(&setup->settings[i], setup->cfg, where_of(setup, i), dl);
		setup_server_ask(&setup->servers[i], setup->cfg, where_of(setup, i), dl);
	}
	server_settings_read(&setup->settings[setup->cfg->self], setup->cfg, dl);
}

/* As "cluster_config check" does. */
static void gather_restart(struct setup *setup)
{
	const struct server_settings *here = &setup->settings[setup->cfg->self];
	const char *libraries = restart_value(here, "shared_preload_libraries");
	char missing[REJOIN_HOST_WHY_MAX] = "";
	const struct restart_facts facts = {
		.here = here,
		.peer = &setup->settings[1 - setup->cfg->self],
		.standby = here->known ? fact_of(here->standby) : FACT_UNKNOWN,
		.port = setup->cfg->port,
		.libraries = libraries != NULL ? rejoin_host_libraries(setup->cfg, libraries,
								       missing, sizeof(missing))
					       : FACT_UNKNOWN,
		.libraries_why = missing,
	};

	restart_decide(&setup->restart, &facts);
}

/* As a standby of the other node would. */
static void gather_replication(struct setup *setup, const struct deadline *dl)
{
	struct deadline soon = deadline_sooner(dl, 2000);
	struct pg AUTO_PG *pg = NULL;
	enum pg_failure failure = PG_FAIL_NONE;
	int rc = pg_open_walsender(&pg, setup->cfg, PG_PEER, &soon, &failure, setup->replicates_why,
				   sizeof(setup->replicates_why));

	setup->replicates = rc == 0 ? FACT_YES : pg_lives(failure) ? FACT_NO : FACT_UNKNOWN;
}

/* The same program that the guard runs, and that an operator would. */
static void gather_fencing(struct setup *setup, const struct deadline *dl)
{
	const struct cfg *cfg = setup->cfg;
	const char *const words[] = { "--test", NULL };
	struct call call;
	const struct proc_spec spec = { .argv = call.argv };
	struct deadline soon = deadline_sooner(dl, FENCE_MS);
	struct proc AUTO_PROC child = PROC_NONE;
	const char *detail;

	call_make(&call, cfg, "fence_old", words);
	setup->fencing_tried = proc_run(&child, &spec, &soon) == 0;
	if (!setup->fencing_tried) {
		(void)snprintf(setup->fencing_why, sizeof(setup->fencing_why),
			       "fence_old --test did not end in time");
		return;
	}
	setup->fencing = child.exit_code;
	detail = strstr(child.errors, "DETAIL:");
	detail = detail != NULL ? detail + strlen("DETAIL:") : child.errors;
	detail += strspn(detail, " ");
	(void)snprintf(setup->fencing_why, sizeof(setup->fencing_why), "%.*s",
		       (int)strcspn(detail, "\n"), detail);
}

static void gather_segment(struct setup *setup, const struct deadline *dl)
{
	const struct cfg *cfg = setup->cfg;
	const char *ifname = cfg_self(cfg)->interface;
	const char *const known[] = { cfg->nodes[0].address, cfg->nodes[1].address };
	const struct deadline listen = deadline_sooner(dl, VRRP_MS);

	setup->vip_here = net_has_address(cfg->vip, NULL);
	setup->answers_rc = segment_answers(&setup->answers, ifname, cfg->vip, ARP_MS, dl);
	/* The address has moved meanwhile: who answered before says nothing. */
	if (net_has_address(cfg->vip, NULL) != setup->vip_here)
		setup->answers_rc = -EAGAIN;
	if (net_neighbour(cfg_peer(cfg)->address, setup->peer_lladdr, sizeof(setup->peer_lladdr)) !=
	    FACT_YES)
		setup->peer_lladdr[0] = '\0';
	setup->vrrp_rc = segment_vrrp(ifname, (uint8_t)cfg->virtual_router_id, known,
				      setup->vrrp_from, sizeof(setup->vrrp_from), &listen);
}

static void gather_path(struct setup *setup, const struct deadline *dl)
{
	struct deadline soon = deadline_sooner(dl, LARGE_MS);

	setup->large = probe_large(cfg_peer(setup->cfg)->address, &setup->mtu, &soon);
}

void setup_gather(struct setup *setup, struct cfg *cfg, const struct deadline *dl,
		  void (*told)(const char *what))
{
	const size_t self = cfg->self;
	struct status_facts facts;
	struct deadline soon;

	*setup = (struct setup){ .cfg = cfg };
	told("the cluster as it is now");
	status_gather(&setup->status, cfg);
	facts = status_facts_of(&setup->status, cfg);
	setup->now = status_decide(&facts);
	told("both servers");
	gather_servers(setup, dl);
	gather_restart(setup);
	gather_replication(setup, dl);
	told("the files of both nodes");
	setup_host_look(&setup->hosts[self], cfg, dl);
	soon = deadline_sooner(dl, SSH_MS);
	setup_host_ask(&setup->hosts[1 - self], cfg, &soon);
	told("the network");
	gather_path(setup, dl);
	gather_segment(setup, dl);
	told("fencing");
	gather_fencing(setup, dl);
	told("what this node needs to come back");
	soon = deadline_sooner(dl, REJOIN_MS);
	setup->rejoin = rejoin_ready(cfg, &soon);
}
