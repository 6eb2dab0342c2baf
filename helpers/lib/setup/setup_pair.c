/* SPDX-License-Identifier: PostgreSQL */
/* Checks of the two nodes as a pair: both are there, alike, and let each other in. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "setup/setup_rules_internal.h"

/* Wall clocks further apart than this mislead whoever reads two logs side by side. */
#define CLOCK_MS 2000

static const struct cfg_node *node(const struct setup *s, size_t i)
{
	return &s->cfg->nodes[i];
}

static size_t peer_of(const struct setup *s)
{
	return 1 - s->cfg->self;
}

static bool speaks(const struct server *server)
{
	return server->state == SERVER_PRIMARY || server->state == SERVER_STANDBY;
}

/* Both servers answer the role of the helpers. */
static enum fact servers_answer(const struct setup *s, char *detail, size_t size)
{
	enum fact all = FACT_YES;

	for (size_t i = 0; i < CFG_NODES; i++) {
		const struct server *server = &s->status.servers[i];

		if (speaks(server))
			continue;
		setup_say(detail, size, "%s: %s, %.120s", node(s, i)->name,
			  server_state_word(server->state), server->why);
		all = setup_both(all, server->state == SERVER_UNKNOWN ? FACT_UNKNOWN : FACT_NO);
	}
	return all;
}

/* The other node told what only it knows, as every check of both hosts needs. */
static enum fact hosts_answer(const struct setup *s, char *detail, size_t size)
{
	const struct setup_host *host = &s->hosts[peer_of(s)];

	if (!host->known)
		setup_say(detail, size, "%s: %s", node(s, peer_of(s))->name, host->why);
	return host->known ? FACT_YES : FACT_UNKNOWN;
}

/* A host that did not tell is no finding of each check: hosts_answer has said so. */
static enum fact alike(const struct setup *s, const char *one, const char *other, char *detail,
		       size_t size)
{
	if (!s->hosts[peer_of(s)].known)
		return FACT_YES;
	if (one[0] == '\0' || other[0] == '\0') {
		setup_say(detail, size, "%s: %s, %s: %s", node(s, 0)->name,
			  one[0] != '\0' ? one : "not known", node(s, 1)->name,
			  other[0] != '\0' ? other : "not known");
		return FACT_UNKNOWN;
	}
	if (strcmp(one, other) != 0)
		setup_say(detail, size, "%s: %s, %s: %s", node(s, 0)->name, one, node(s, 1)->name,
			  other);
	return fact_of(strcmp(one, other) == 0);
}

static enum fact configurations_alike(const struct setup *s, char *detail, size_t size)
{
	return alike(s, s->hosts[0].digest, s->hosts[1].digest, detail, size);
}

static enum fact versions_alike(const struct setup *s, char *detail, size_t size)
{
	return alike(s, s->hosts[0].version, s->hosts[1].version, detail, size);
}

static enum fact keepaliveds_alike(const struct setup *s, char *detail, size_t size)
{
	return alike(s, s->hosts[0].keepalived, s->hosts[1].keepalived, detail, size);
}

static enum fact minors_alike(const struct setup *s, char *detail, size_t size)
{
	const struct server *servers = s->status.servers;

	if (!speaks(&servers[0]) || !speaks(&servers[1]))
		return FACT_YES; /* servers_answer says so */
	if (servers[0].version_num != servers[1].version_num)
		setup_say(detail, size, "%s: %" PRId64 ", %s: %" PRId64, node(s, 0)->name,
			  servers[0].version_num, node(s, 1)->name, servers[1].version_num);
	return fact_of(servers[0].version_num == servers[1].version_num);
}

static enum fact peer_lets_us_replicate(const struct setup *s, char *detail, size_t size)
{
	if (s->replicates != FACT_YES)
		setup_say(detail, size, "%s: %s", node(s, peer_of(s))->name, s->replicates_why);
	/* A server that nobody can ask has been told of. */
	return s->replicates == FACT_UNKNOWN && !speaks(&s->status.servers[peer_of(s)])
		   ? FACT_YES
		   : s->replicates;
}

/* A connection that is there is a proof; else pg_hba.conf has to tell. */
static enum fact let_in(const struct setup *s, enum fact seen, enum fact may, char *detail,
			size_t size)
{
	const struct setup_server *here = &s->servers[s->cfg->self];

	if (seen == FACT_YES || may == FACT_YES)
		return FACT_YES;
	if (may == FACT_NO)
		setup_say(detail, size, "%s: no line of pg_hba.conf lets %s in",
			  node(s, s->cfg->self)->name, node(s, peer_of(s))->address);
	else
		setup_say(
		    detail, size,
		    "%s: %s has no connection here now, and pg_hba.conf could not be read%s%s",
		    node(s, s->cfg->self)->name, node(s, peer_of(s))->name,
		    here->why[0] != '\0' ? ": " : "", here->why);
	return may;
}

static enum fact peer_may_ask(const struct setup *s, char *detail, size_t size)
{
	const struct setup_server *here = &s->servers[s->cfg->self];

	return let_in(s, here->peer_asks, here->peer_may_ask, detail, size);
}

static enum fact peer_may_replicate(const struct setup *s, char *detail, size_t size)
{
	const struct setup_server *here = &s->servers[s->cfg->self];

	return let_in(s, here->peer_replicates, here->peer_may_replicate, detail, size);
}

static enum fact hba_readable(const struct setup *s, char *detail, size_t size)
{
	const struct setup_server *here = &s->servers[s->cfg->self];

	if (here->hba_error[0] != '\0')
		setup_say(detail, size, "%s: %s", node(s, s->cfg->self)->name, here->hba_error);
	return fact_of(here->hba_error[0] == '\0');
}

/* Over a slow path the answer itself is late. */
static enum fact clocks_near(const struct setup *s, char *detail, size_t size)
{
	const struct setup_server *peer = &s->servers[peer_of(s)];
	int64_t apart;

	if (!peer->known)
		return FACT_YES; /* servers_answer says so */
	apart = peer->clock_ms - s->servers[s->cfg->self].clock_ms;
	if (llabs(apart) - peer->asked_for_ms <= CLOCK_MS)
		return FACT_YES;
	setup_say(detail, size, "%s is %" PRId64 ".%" PRId64 " s %s", node(s, peer_of(s))->name,
		  (int64_t)llabs(apart) / 1000, (int64_t)llabs(apart) % 1000 / 100,
		  apart > 0 ? "ahead" : "behind");
	return FACT_NO;
}

static const struct setup_check checks[] = {
	{ SETUP_ERROR, servers_answer,
	  NO("server-silent", "a server does not answer the role of the helpers",
	     "\"cluster_status\" says what each server is, and what mends it"),
	  "without a standby that answers there is no failover at all" },
	{ SETUP_WARNING, hosts_answer,
	  NO("peer-untold", "the other node could not be asked about itself", NULL),
	  "its files, guard and disk were not looked at: run this there as well" },
	{ SETUP_ERROR, configurations_alike,
	  NO("configs-differ", "the configuration file is not the same on both nodes",
	     "copy the right one to the other node, and restart its guard"),
	  "the nodes may wait for different times, so that two of them serve" },
	{ SETUP_WARNING, versions_alike,
	  NO("versions-differ", "the nodes have different versions of pg_vrrp",
	     "install the same on both, the standby first"),
	  "they may not understand each other's requests, as that to be fenced" },
	{ SETUP_WARNING, minors_alike,
	  NO("minors-differ", "the servers have different versions of PostgreSQL",
	     "install the newer one on both, the standby first, and \"restart\""),
	  "after a failover the older one may have to follow the newer one" },
	{ SETUP_WARNING, keepaliveds_alike,
	  NO("keepaliveds-differ", "the nodes have different versions of keepalived",
	     "install the same on both, the standby first"),
	  "the address may move in another way than the one that was tried" },
	{ SETUP_ERROR, peer_lets_us_replicate,
	  NO("replication-refused", "the other node takes no replication from this one",
	     "its pg_hba.conf needs the lines that \"cluster_config pg_hba\" prints"),
	  "this node could not follow the other one once that serves" },
	{ SETUP_ERROR, peer_may_ask,
	  NO("peer-not-let-in", "the helpers of the other node are not let in by this server",
	     "pg_hba.conf needs the lines that \"cluster_config pg_hba\" prints, then a reload"),
	  "the other node could not see that this one lives, nor vote for it" },
	{ SETUP_ERROR, peer_may_replicate,
	  NO("peer-replication", "this server takes no replication from the other node",
	     "pg_hba.conf needs the lines that \"cluster_config pg_hba\" prints, then a reload"),
	  "the other node could not follow this one once it serves" },
	{ SETUP_ERROR, hba_readable,
	  NO("hba-error", "pg_hba.conf has a line that the server cannot read",
	     "mend the line, then SELECT pg_reload_conf()"),
	  "the server would not start again with it" },
	{ SETUP_WARNING, clocks_near,
	  NO("clocks-apart", "the clocks of the nodes are apart",
	     "let both follow the same time servers (chrony, systemd-timesyncd)"),
	  "no decision hangs on it, but the logs of a failover do not fit each other" },
};

const struct setup_checks setup_pair_checks = { checks, ARRAY_COUNT(checks) };
