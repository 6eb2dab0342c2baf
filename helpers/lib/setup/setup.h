/* SPDX-License-Identifier: PostgreSQL */
/*
 * Everything that would make a failover fail, looked for before it has to work.  What is gathered
 * here is judged by setup_rules.c.
 */
#ifndef PGV_SETUP_H
#define PGV_SETUP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/deadline.h"
#include "base/outcome.h"
#include "config/cfg.h"
#include "net/segment.h"
#include "postgres/server_settings.h"
#include "render/restart_rules.h"
#include "setup/setup_host.h"
#include "setup/setup_server.h"
#include "status/status.h"

struct setup {
	const struct cfg *cfg;
	struct status status;
	struct verdict now; /* of cluster_status */

	/* by index of the node */
	struct setup_host hosts[CFG_NODES];
	struct setup_server servers[CFG_NODES];
	struct server_settings settings[CFG_NODES];

	struct restart_findings restart; /* of the server here */
	struct verdict rejoin;           /* of rejoin --check, here */
	enum fact replicates;            /* the server of the other node takes us as a standby */
	char replicates_why[160];
	bool fencing_tried;
	int fencing; /* the exit code of fence_old --test, which has tried */
	char fencing_why[320];
	int64_t mtu;     /* of the path to the other node; 0: not known */
	enum fact large; /* packets of that size arrive, undivided */
	int vip_here;    /* as net_has_address */
	int answers_rc;  /* 0: those are known who answer for the virtual address */
	struct segment_hosts answers;
	char peer_lladdr[32]; /* "": not known */
	int vrrp_rc;          /* 1: another router has our ids, at vrrp_from; 0: none was heard */
	char vrrp_from[64];
};

/* Asks and reads everything, in a moment or until the deadline, and never fails: what could not be
 * found out is unknown.  told: called with what comes next, for a person who waits. */
void setup_gather(struct setup *setup, struct cfg *cfg, const struct deadline *dl,
		  void (*told)(const char *what));

#endif
