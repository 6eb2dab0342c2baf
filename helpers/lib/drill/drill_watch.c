/* SPDX-License-Identifier: PostgreSQL */
#include "drill/drill_watch.h"

#include "base/deadline.h"
#include "net/net.h"
#include "planned/planned.h"
#include "postgres/server.h"

/* A connection request that is lost would be repeated after a second: a client with any patience
 * has begun another one by then. */
#define LOOK_MS 250

void drill_watch_note(struct drill_watch *watch, bool primary, bool elsewhere, int64_t at_ms)
{
	watch->elsewhere = primary && elsewhere;
	if (!primary) {
		watch->lost = true;
		return;
	}
	if (watch->lost && watch->answered_ms > 0 && at_ms - watch->answered_ms > watch->outage_ms)
		watch->outage_ms = at_ms - watch->answered_ms;
	watch->lost = false;
	watch->answered_ms = at_ms;
}

/* While this host has the address, a connection to it would come from it, and pg_hba.conf need not
 * let that in: the server is asked through its socket, and the lease is what the kernel's gate goes
 * by. */
void drill_watch_look(struct drill_watch *watch, const struct cfg *cfg)
{
	const struct deadline dl = deadline_in_ms(LOOK_MS);
	const int has = net_has_address(cfg->vip, NULL);
	const bool here = has == 1;
	struct server server;

	/* Nobody knows whose answer it would be: the look counts for nothing. */
	if (has < 0)
		return;

	server_ask(&server, cfg, here ? PG_LOCAL : PG_VIP, &dl);
	drill_watch_note(
	    watch, server.state == SERVER_PRIMARY && (!here || planned_serves(cfg) == FACT_YES),
	    !here, now_ms());
}
