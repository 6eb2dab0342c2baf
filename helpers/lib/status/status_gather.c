/* SPDX-License-Identifier: PostgreSQL */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/deadline.h"
#include "base/lock.h"
#include "base/outcome.h"
#include "net/net.h"
#include "net/nftlease.h"
#include "net/probe.h"
#include "net/witness.h"
#include "node/attempt.h"
#include "node/contact.h"
#include "node/election.h"
#include "node/leased.h"
#include "node/mark.h"
#include "node/path.h"
#include "node/stamp.h"
#include "node/track.h"
#include "node/watchdog_stamp.h"
#include "postgres/pgdata.h"
#include "postgres/wal_place.h"
#include "record/record_pause.h"
#include "status/status.h"

/* Between two echo requests to the virtual address; the neighbour table is what is looked at. */
#define ASK_MS 80
/* Both servers at once: a busy one is worth waiting for, since nothing hangs on it. */
#define SERVERS_MS 1000
/* All that is asked of each of them further: a connection and a statement, three or four times. */
#define MORE_MS 1000
/* One question to a witness that keeps a record: connection, TLS and SCRAM. */
#define RECORD_MS 1000

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
	/* The address may have come while we asked. */
	if (net_has_address(cfg->vip, NULL) == 1)
		return vip_is(status, VIP_HERE, "");
	if (server.state != SERVER_PRIMARY && server.state != SERVER_STANDBY) {
		(void)snprintf(status->vip_why, sizeof(status->vip_why), "%s", server.why);
		return VIP_UNKNOWN;
	}
	/* The address is not here, so a server with the state of the peer will be the peer. */
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
		if (view->trust == RECORD_GOOD)
			status->pause = record_pause_look(&link, &dl);
		record_end(&link);
		/* Its host has taken the connection. */
		status->witness_late = link.failure == PG_FAIL_LATE;
		status->witness =
		    status->witness_late ? FACT_UNKNOWN : fact_of(view->trust != RECORD_SILENT);
	}
	(void)snprintf(status->witness_why, sizeof(status->witness_why), "%s", view->why);
}

static void gather_witness(struct status *status, const struct cfg *cfg)
{
	const struct deadline dl = deadline_in_ms(cfg->probe_timeout_ms);

	if (cfg_has_record(cfg)) {
		gather_record(status, cfg);
		return;
	}
	status->pause = pause_read(cfg);
	status->witness = witness_seen(cfg, &dl, status->witness_why, sizeof(status->witness_why));
}

/* ---- this node ---- */

static struct status_stamp stamp_of(const struct cfg *cfg, enum stamp name)
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

	status->contact = contact;
	status->seen.known = contact.known && contact.seen_ms > 0;
	status->streaming.known = contact.known && contact.streaming_ms > 0;
	if (status->seen.known)
		status->seen.away_ms = contact.seen_ms - now_ms();
	if (status->streaming.known)
		status->streaming.away_ms = contact.streaming_ms - now_ms();
}

static void gather_leased(struct status *status, const struct cfg *cfg)
{
	const struct server *local = &status->servers[cfg->self];
	const struct contact *contact = &status->contact;

	if (local->state == SERVER_PRIMARY)
		status->leased = leased_read(cfg, local->system_identifier);
	else if (local->state == SERVER_STANDBY)
		status->leased = fact_of(contact->leased_system != 0 &&
					 contact->leased_system == local->system_identifier);
}

static int track_of(const struct cfg *cfg, enum track track)
{
	int value;

	return track_read(cfg, track, &value) == 0 ? value : -1;
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

	if (stamp_read(cfg, STAMP_WATCHDOG, &at_ms, word, sizeof(word)) < 0)
		word[0] = '\0';
	status->watchdog_missing = node_watchdog_missing(cfg);
	(void)snprintf(status->watchdog, sizeof(status->watchdog), "%s",
		       cfg->watchdog == WATCHDOG_OFF ? "off" : word);
}

static void gather_files(struct status *status, const struct cfg *cfg)
{
	char conninfo[SERVER_CONNINFO_MAX];
	int held;

	status->looked_ms = now_ms();
	status->form = pgdata_form(cfg);
	status->writable =
	    wal_place_writable(cfg, status->writable_why, sizeof(status->writable_why));
	status->room = pgdata_room(cfg);
	status->fenced = fenced_read(cfg);
	status->withdrawn_mark = withdrawn_read(cfg, conninfo, sizeof(conninfo));
	status->lease = stamp_of(cfg, STAMP_LEASE);
	status->grant = stamp_of(cfg, STAMP_GRANT);
	gather_contact(status, cfg);
	gather_leased(status, cfg);
	status->serving = track_of(cfg, TRACK_SERVING);
	status->election = track_of(cfg, TRACK_ELECTION);
	status->priority = track_of(cfg, TRACK_PRIORITY);
	status->keepalived = election_alive(cfg);
	status->called = stamp_of(cfg, STAMP_KEEPALIVED);
	status->election_master = election_master(cfg);
	/* The guard holds its lock as long as it lives. */
	held = lock_held(file_lock(cfg, LOCK_GUARD).text);
	status->guard = held < 0 ? FACT_UNKNOWN : fact_of(held);
	gather_watchdog(status, cfg);
	status->baseline = baseline_read(cfg, cfg_peer(cfg)->name);
	/* A salvage that cannot be read is left out: the history names it all the same. */
	if (shelf_find(&status->salvage, cfg, NULL) < 0)
		status->salvage.path.text[0] = '\0';
	history_last(cfg, "drill", &status->drill);
	for (int i = 0; i < ATTEMPTS_SHOWN; i++) {
		/* None, or one that cannot be read: it is empty then. */
		(void)attempt_read(cfg, (enum attempt)i, &status->attempts[i]);
	}
}

/* Either server has the rights, since they are replicated: this node's, when it speaks. */
static size_t has_rights(const struct status *status, const struct cfg *cfg)
{
	return speaks(&status->servers[cfg->self]) ? cfg->self : 1 - cfg->self;
}

/* Of servers that have answered, so that a silent one takes its time once. */
static void gather_more(struct status *status, const struct cfg *cfg)
{
	for (size_t i = 0; i < CFG_NODES; i++) {
		const struct deadline dl = deadline_in_ms(MORE_MS);
		const enum pg_where where = i == cfg->self ? PG_LOCAL : PG_PEER;
		struct server *server = &status->servers[i];

		if (!speaks(server))
			continue;
		if (i == has_rights(status, cfg))
			server_rights_ask(&status->rights, cfg, where, &dl);
		if (server->state == SERVER_STANDBY)
			server_replay_ask(&status->replay[i], cfg, where, &dl);
		server_config_ask(&status->config[i], cfg, where, &dl);
		server_slots_ask(&status->slots[i], cfg, where, &dl);
		if (!deadline_passed(&dl))
			continue;
		status->late = true;
		(void)snprintf(server->why, sizeof(server->why),
			       "busy: what it was asked further took more than %d ms", MORE_MS);
	}
}

/* Of a pair that does not get on, for all that one look says. */
static void gather_flow(struct status *status, const struct cfg *cfg)
{
	const int primary = status_primary(status);
	uint64_t lag;

	if (primary < 0 || !status_lag(status, &lag))
		return;
	if (lag > 0 || !status->servers[primary].peer_streams ||
	    !status->servers[1 - primary].receiving)
		status_flow_look(&status->flow, cfg, (size_t)primary);
}

void status_gather(struct status *status, const struct cfg *cfg)
{
	const struct deadline servers = deadline_in_ms(SERVERS_MS);

	*status = (struct status){ .witness = FACT_UNKNOWN };
	server_ask_both(&status->servers[cfg->self], &servers, &status->servers[1 - cfg->self],
			&servers, cfg);
	server_look_behind(&status->servers[cfg->self], cfg, &servers);
	gather_flow(status, cfg);
	gather_more(status, cfg);
	gather_witness(status, cfg);
	status->vip = find_vip(status, cfg);
	gather_files(status, cfg);
	gather_kernel(status, cfg);
}
