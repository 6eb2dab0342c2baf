/* SPDX-License-Identifier: PostgreSQL */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/deadline.h"
#include "base/lock.h"
#include "net/net.h"
#include "net/nftlease.h"
#include "net/probe.h"
#include "net/witness.h"
#include "node/election.h"
#include "postgres/pgdata.h"
#include "serve/guard_watchdog.h"
#include "status/status.h"

/* Between two echo requests to the virtual address; the neighbour table is what is looked at. */
#define ASK_MS 80
/* One question to a witness that keeps a record: connection, TLS and SCRAM. */
#define RECORD_MS 1000

const char *status_attempt_word(enum status_attempt attempt)
{
	static const char *const words[] = {
		[ATTEMPT_PROMOTE] = "promote_safe",      [ATTEMPT_REJOIN] = "rejoin",
		[ATTEMPT_REJOIN_CHECK] = "rejoin_check", [ATTEMPT_FENCE_TEST] = "fence_old",
		[ATTEMPT_RELEASE] = "witness_record",    [ATTEMPT_SLOTS] = "replication_slots",
	};

	return (size_t)attempt < ARRAY_COUNT(words) ? words[attempt] : "unknown";
}

/* ---- the virtual address ---- */

static enum status_vip vip_is(struct status *status, enum status_vip vip, const char *why)
{
	(void)snprintf(status->vip_why, sizeof(status->vip_why), "%s", why);
	return vip;
}

/*
 * The link-layer address did not tell: the address is beyond a router, or on another network than
 * the nodes' own.  Then the server behind it has to.
 */
static enum status_vip ask_behind_vip(struct status *status, const struct cfg *cfg)
{
	const struct deadline dl = deadline_in_ms(cfg->probe_timeout_ms);
	const struct server *peer = &status->servers[1 - cfg->self];
	struct server server;

	server_ask(&server, cfg, PG_VIP, &dl);
	/* It may have come while we asked. */
	if (net_has_address(cfg->vip, NULL) == 1)
		return vip_is(status, VIP_HERE, "");
	if (server.state != SERVER_PRIMARY && server.state != SERVER_STANDBY) {
		(void)snprintf(status->vip_why, sizeof(status->vip_why), "%s", server.why);
		return VIP_UNKNOWN;
	}
	/* It is not here, so a server that is all that the peer is will be the peer. */
	if (server.state == peer->state && server.system_identifier == peer->system_identifier &&
	    server.timeline == peer->timeline)
		return vip_is(status, VIP_PEER, "its server answers there");
	if (peer->state != SERVER_PRIMARY && peer->state != SERVER_STANDBY)
		return vip_is(status, VIP_UNKNOWN,
			      "a server answers there, perhaps the other node's");
	return vip_is(status, VIP_ELSEWHERE, "the server of neither node answers there");
}

/* Whoever answers at the address: by ARP or neighbour discovery, which no firewall hides. */
static enum status_vip find_vip(struct status *status, const struct cfg *cfg)
{
	const struct deadline dl = deadline_in_ms(cfg->probe_timeout_ms);
	char vip_lladdr[32] = "";
	char peer_lladdr[32] = "";
	char why[120];
	enum fact neighbour;
	const int here = net_has_address(cfg->vip, NULL);

	if (here < 0)
		return vip_is(status, VIP_UNKNOWN, "the addresses of this node cannot be read");
	if (here == 1)
		return vip_is(status, VIP_HERE, "");
	/* An entry of a minute ago may be of a node that has lost the address since. */
	if (net_neighbour_forget(cfg->vip) < 0)
		return ask_behind_vip(status, cfg);
	/* Only to make the kernel ask; the answer is in the table. */
	(void)probe_once(cfg->vip, 0, ASK_MS, &dl, why, sizeof(why));
	neighbour = net_neighbour(cfg->vip, vip_lladdr, sizeof(vip_lladdr));
	if (neighbour == FACT_NO)
		return vip_is(status, VIP_NOBODY, "nobody answers for it on the network");
	if (neighbour == FACT_YES &&
	    net_neighbour(cfg_peer(cfg)->address, peer_lladdr, sizeof(peer_lladdr)) == FACT_YES &&
	    strcmp(vip_lladdr, peer_lladdr) == 0)
		return vip_is(status, VIP_PEER, "");
	return ask_behind_vip(status, cfg);
}

/* ---- the witness ---- */

static bool speaks(const struct server *server)
{
	return server->state == SERVER_PRIMARY || server->state == SERVER_STANDBY;
}

/* Of this node, else of the other one: the record has to be of the same. */
static uint64_t system_identifier(const struct status *status, const struct cfg *cfg)
{
	const struct deadline dl = deadline_in_ms(cfg->probe_timeout_ms);
	const struct server *local = &status->servers[cfg->self];
	const struct server *peer = &status->servers[1 - cfg->self];
	struct pgdata_control control;

	if (speaks(local))
		return local->system_identifier;
	pgdata_control(&control, cfg, &dl);
	if (control.known)
		return control.system_identifier;
	return speaks(peer) ? peer->system_identifier : 0;
}

/* A witness that answers and keeps no record that can be used is still seen. */
static void gather_record(struct status *status, const struct cfg *cfg)
{
	const struct deadline dl = deadline_in_ms(RECORD_MS);
	const uint64_t identifier = system_identifier(status, cfg);
	struct record_view *view = &status->record;
	struct record_link link;

	if (identifier == 0) {
		(void)snprintf(view->why, sizeof(view->why),
			       "not asked: no system identifier is known");
	} else {
		record_begin(&link, cfg, identifier);
		record_view_look(view, &link, &dl);
		record_end(&link);
		status->witness = fact_of(view->trust != RECORD_SILENT);
	}
	(void)snprintf(status->witness_why, sizeof(status->witness_why), "%s", view->why);
}

static void gather_witness(struct status *status, const struct cfg *cfg)
{
	const struct deadline dl = deadline_in_ms(cfg->probe_timeout_ms);

	if (cfg_has_record(cfg))
		gather_record(status, cfg);
	else
		status->witness =
		    witness_seen(cfg, &dl, status->witness_why, sizeof(status->witness_why));
}

/* ---- this node ---- */

static struct status_stamp stamp_of(const struct cfg *cfg, const char *name)
{
	struct status_stamp stamp = { .known = false };
	int64_t at_ms;

	stamp.known = stamp_read(cfg, name, &at_ms, stamp.word, sizeof(stamp.word)) == 0;
	if (stamp.known)
		stamp.away_ms = at_ms - now_ms();
	return stamp;
}

static void gather_contact(struct status *status, const struct cfg *cfg)
{
	const struct contact contact = contact_read(cfg);

	status->seen.known = contact.known && contact.seen_ms > 0;
	status->streaming.known = contact.known && contact.streaming_ms > 0;
	if (status->seen.known)
		status->seen.away_ms = contact.seen_ms - now_ms();
	if (status->streaming.known)
		status->streaming.away_ms = contact.streaming_ms - now_ms();
}

static int track_of(const struct cfg *cfg, const char *name)
{
	int value;

	return track_read(cfg, name, &value) == 0 ? value : -1;
}

static void gather_kernel(struct status *status, const struct cfg *cfg)
{
	static const enum status_kernel kernels[] = {
		[NFTLEASE_SHUT] = KERNEL_SHUT,
		[NFTLEASE_UNTIL] = KERNEL_UNTIL,
		[NFTLEASE_OPEN] = KERNEL_OPEN,
	};
	struct nftlease is;
	int rc;

	if (!cfg->kernel_lease) {
		status->kernel = KERNEL_OFF;
		return;
	}
	rc = nftlease_look(cfg, &is);
	if (rc == -ENOENT || rc == -EOPNOTSUPP)
		status->kernel = KERNEL_MISSING;
	else if (rc == 0)
		status->kernel = kernels[is.gate];
	if (status->kernel == KERNEL_UNTIL)
		status->kernel_left_ms = is.until_ms - now_ms();
}

static void gather_watchdog(struct status *status, const struct cfg *cfg)
{
	char word[sizeof(status->watchdog)];
	int64_t at_ms;

	if (stamp_read(cfg, "watchdog", &at_ms, word, sizeof(word)) < 0)
		word[0] = '\0';
	status->watchdog_missing = guard_watchdog_missing(cfg);
	(void)snprintf(status->watchdog, sizeof(status->watchdog), "%s",
		       cfg->watchdog == WATCHDOG_OFF ? "off" : word);
}

static void gather_files(struct status *status, const struct cfg *cfg)
{
	char conninfo[SERVER_CONNINFO_MAX];
	int held;

	status->fenced = fenced_read(cfg);
	status->withdrawn_mark = withdrawn_read(cfg, conninfo, sizeof(conninfo));
	status->lease = stamp_of(cfg, "lease");
	status->grant = stamp_of(cfg, "grant");
	gather_contact(status, cfg);
	status->serving = track_of(cfg, "serving");
	status->election = track_of(cfg, "election");
	status->priority = track_of(cfg, "priority");
	status->keepalived = election_alive(cfg);
	status->election_master = election_master(cfg);
	/* The guard holds its lock as long as it lives. */
	held = lock_held(file_run(cfg, "guard.lock").text);
	status->guard = held < 0 ? FACT_UNKNOWN : fact_of(held);
	gather_watchdog(status, cfg);
	status->baseline = baseline_read(cfg, cfg_peer(cfg)->name);
	/* One that cannot be read is none: the history names it all the same. */
	if (shelf_find(&status->salvage, cfg, NULL) < 0)
		status->salvage.path.text[0] = '\0';
	for (int i = 0; i < ATTEMPTS; i++) {
		if (attempt_read(cfg, status_attempt_word((enum status_attempt)i),
				 status->attempts[i], sizeof(status->attempts[i])) < 0)
			status->attempts[i][0] = '\0';
	}
}

/* Of servers that have answered, so that a silent one takes its time once. */
static void gather_slots(struct status *status, const struct cfg *cfg)
{
	for (size_t i = 0; i < CFG_NODES; i++) {
		const struct deadline dl = deadline_in_ms(cfg->probe_timeout_ms);

		if (speaks(&status->servers[i]))
			server_slots_ask(&status->slots[i], cfg,
					 i == cfg->self ? PG_LOCAL : PG_PEER, &dl);
	}
}

static void gather_rights(struct status *status, const struct cfg *cfg)
{
	const struct deadline dl = deadline_in_ms(cfg->probe_timeout_ms);

	if (speaks(&status->servers[cfg->self]))
		status->rights = server_lets_take_over(cfg, PG_LOCAL, &dl);
	else if (speaks(&status->servers[1 - cfg->self]))
		status->rights = server_lets_take_over(cfg, PG_PEER, &dl);
}

void status_gather(struct status *status, const struct cfg *cfg)
{
	const struct deadline servers = deadline_in_ms(cfg->probe_timeout_ms);

	*status = (struct status){ .witness = FACT_UNKNOWN };
	server_ask_both(&status->servers[cfg->self], &servers, &status->servers[1 - cfg->self],
			&servers, cfg);
	gather_slots(status, cfg);
	gather_rights(status, cfg);
	gather_witness(status, cfg);
	status->vip = find_vip(status, cfg);
	gather_files(status, cfg);
	gather_kernel(status, cfg);
}
