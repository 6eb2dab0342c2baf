/* SPDX-License-Identifier: PostgreSQL */
/* Checks of the hosts: what runs there, the ways of fencing, the network, the disk. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/report.h"
#include "setup/setup_rules_internal.h"

static const char *name_of(const struct setup *s, size_t i)
{
	return s->cfg->nodes[i].name;
}

static bool speaks(const struct server *server)
{
	return server->state == SERVER_PRIMARY || server->state == SERVER_STANDBY;
}

/* A fact of each host, and a text about it.  Of a host that did not tell, hosts_answer tells. */
static enum fact each_host(const struct setup *s, size_t fact, const char *why[CFG_NODES],
			   char *detail, size_t size)
{
	enum fact fine = FACT_YES;

	for (size_t i = 0; i < CFG_NODES; i++) {
		const struct setup_host *host = &s->hosts[i];
		enum fact is;

		if (!host->known)
			continue;
		is = *(const enum fact *)(const void *)((const char *)host + fact);
		if (is == FACT_YES)
			continue;
		setup_say(detail, size, "%s%s%.160s%s", name_of(s, i),
			  why[i][0] != '\0' ? ": " : "", why[i],
			  is == FACT_UNKNOWN ? " (not known)" : "");
		fine = setup_both(fine, is);
	}
	return fine;
}
#define EACH_HOST(fact, ...)                                                                     \
	each_host(s, offsetof(struct setup_host, fact), (const char *[]){ __VA_ARGS__ }, detail, \
		  size)

static enum fact scripts_safe(const struct setup *s, char *detail, size_t size)
{
	return EACH_HOST(scripts, s->hosts[0].scripts_why, s->hosts[1].scripts_why);
}

static enum fact as_generated(const struct setup *s, char *detail, size_t size)
{
	return EACH_HOST(generated, s->hosts[0].generated_why, s->hosts[1].generated_why);
}

static enum fact guards_run(const struct setup *s, char *detail, size_t size)
{
	return EACH_HOST(guard, "", "");
}

static enum fact boots_agree(const struct setup *s, char *detail, size_t size)
{
	return EACH_HOST(one_boot, "", "");
}

static enum fact keepaliveds_ask(const struct setup *s, char *detail, size_t size)
{
	return EACH_HOST(called, "", "");
}

static enum fact gates_hold(const struct setup *s, char *detail, size_t size)
{
	return EACH_HOST(gate, "", "");
}

static enum fact no_poolers(const struct setup *s, char *detail, size_t size)
{
	return EACH_HOST(no_pooler, s->hosts[0].pooler_why, s->hosts[1].pooler_why);
}

/* fence_old --test has exit code 2 where a way does not work, and where there is none. */
static bool can_fence(const struct setup *s)
{
	return s->cfg->method_count > 0;
}

static enum fact fences(const struct setup *s, char *detail, size_t size)
{
	if (!can_fence(s))
		return FACT_YES;
	if (s->fencing_tried && s->fencing == OUT_YES)
		return FACT_YES;
	setup_say(detail, size, "%s: %s", name_of(s, s->cfg->self), s->fencing_why);
	return s->fencing_tried && s->fencing == OUT_REFUSED ? FACT_NO : FACT_UNKNOWN;
}

static enum fact peer_fences(const struct setup *s, char *detail, size_t size)
{
	const struct setup_host *peer = &s->hosts[1 - s->cfg->self];

	if (!can_fence(s) || !peer->known || peer->could_fence == FACT_YES)
		return FACT_YES;
	setup_say(detail, size, "%s, by its guard's last test", name_of(s, 1 - s->cfg->self));
	return peer->could_fence;
}

static enum fact has_way(const struct setup *s, char *detail, size_t size)
{
	setup_say(detail, size, "%s", "");
	return fact_of(can_fence(s));
}

/* Without having reached it in good times, that the witness host does not reach it proves
 * nothing. */
static enum fact baseline(const struct setup *s, char *detail, size_t size)
{
	setup_say(detail, size, "%s", "");
	return s->cfg->witness_ssh && s->status.baseline == FACT_NO ? FACT_NO : FACT_YES;
}

static enum fact witness_seen(const struct setup *s, char *detail, size_t size)
{
	if (s->status.witness != FACT_YES)
		setup_say(detail, size, "%s", s->status.witness_why);
	return s->status.witness;
}

/* While it is here nobody else may answer; else nobody but the other node. */
static enum fact address_free(const struct setup *s, char *detail, size_t size)
{
	if (s->answers_rc < 0 || s->vip_here < 0) {
		if (s->status.vip == VIP_ELSEWHERE)
			setup_say(detail, size, "%s", s->status.vip_why);
		else
			setup_say(detail, size, "%s: %s", s->cfg->vip,
				  strerror(abs(s->answers_rc)));
		return s->status.vip == VIP_ELSEWHERE ? FACT_NO : FACT_UNKNOWN;
	}
	for (size_t i = 0; i < s->answers.count; i++) {
		const char *lladdr = s->answers.lladdr[i];

		if (s->vip_here == 0 && strcmp(lladdr, s->peer_lladdr) == 0)
			continue;
		setup_say(detail, size, "%s: %s answers", s->cfg->vip, lladdr);
		return s->vip_here == 0 && s->peer_lladdr[0] == '\0' ? FACT_UNKNOWN : FACT_NO;
	}
	return FACT_YES;
}

static enum fact ids_free(const struct setup *s, char *detail, size_t size)
{
	if (s->vrrp_rc < 0)
		setup_say(detail, size, "%s", strerror(-s->vrrp_rc));
	if (s->vrrp_rc > 0)
		setup_say(detail, size, "%s sends VRRP with router id %" PRId64 " or %" PRId64,
			  s->vrrp_from, s->cfg->virtual_router_id, s->cfg->virtual_router_id + 1);
	return s->vrrp_rc < 0 ? FACT_UNKNOWN : fact_of(s->vrrp_rc == 0);
}

static enum fact large_pass(const struct setup *s, char *detail, size_t size)
{
	if (s->large != FACT_YES)
		setup_say(detail, size, "%s, %" PRId64 " bytes", name_of(s, 1 - s->cfg->self),
			  s->mtu);
	/* A host that is dark has been named; one with a firewall has not. */
	if (s->large == FACT_UNKNOWN && !speaks(&s->status.servers[1 - s->cfg->self]))
		return FACT_YES;
	return s->large;
}

static int64_t megabytes(const struct setup *s, size_t node, const char *name)
{
	const struct server_setting *setting = server_setting(&s->settings[node], name);

	return s->settings[node].known && setting != NULL && setting->now_known
		   ? strtoll(setting->now, NULL, 10)
		   : -1;
}

/* WAL may take what max_wal_size lets it have until a checkpoint, or what slots may hold for a node
 * that is away. */
static enum fact room(const struct setup *s, char *detail, size_t size)
{
	enum fact fine = FACT_YES;

	for (size_t i = 0; i < CFG_NODES; i++) {
		const struct setup_host *host = &s->hosts[i];
		int64_t wal_mb = megabytes(s, i, "max_wal_size");
		int64_t kept_mb = s->cfg->slots ? megabytes(s, i, "max_slot_wal_keep_size") : -1;
		int64_t need_mb = wal_mb > kept_mb ? wal_mb : kept_mb;
		char free_text[32], need_text[32];

		if (!host->known || host->free_bytes < 0 || need_mb < 0 ||
		    host->free_bytes >= need_mb * 1024 * 1024)
			continue;
		report_bytes((uint64_t)host->free_bytes, free_text, sizeof(free_text));
		report_bytes((uint64_t)need_mb * 1024 * 1024, need_text, sizeof(need_text));
		setup_say(detail, size, "%s: %s free, WAL may take %s", name_of(s, i), free_text,
			  need_text);
		fine = FACT_NO;
	}
	return fine;
}

static enum fact not_full(const struct setup *s, char *detail, size_t size)
{
	enum fact fine = FACT_YES;

	for (size_t i = 0; i < CFG_NODES; i++) {
		const struct setup_host *host = &s->hosts[i];
		char text[32];

		if (!host->known || host->free_bytes < 0 || host->free_bytes >= PGDATA_FULL_BYTES)
			continue;
		report_bytes((uint64_t)host->free_bytes, text, sizeof(text));
		setup_say(detail, size, "%s: %s free", name_of(s, i), text);
		fine = FACT_NO;
	}
	return fine;
}

static enum fact could_return(const struct setup *s, char *detail, size_t size)
{
	const size_t peer = 1 - s->cfg->self;
	const enum outcome outcome = s->rejoin.outcome;
	enum fact here = outcome == OUT_YES ? FACT_YES : outcome == OUT_NO ? FACT_NO : FACT_UNKNOWN;

	if (here != FACT_YES)
		setup_say(detail, size, "%s: %s%s%.100s", name_of(s, s->cfg->self),
			  s->rejoin.message, s->rejoin.detail[0] != '\0' ? ": " : "",
			  s->rejoin.detail);
	/* Both servers are needed to tell: a silent one has been named. */
	if (here == FACT_UNKNOWN && !speaks(&s->status.servers[peer]))
		here = FACT_YES;
	if (!s->hosts[peer].known || s->hosts[peer].could_return != FACT_NO)
		return here;
	setup_say(detail, size, "%s: %.120s", name_of(s, peer), s->hosts[peer].return_why);
	return FACT_NO;
}

/* All that cluster_status knows, for what no check here looks at. */
static enum fact well_now(const struct setup *s, char *detail, size_t size)
{
	if (s->now.outcome == OUT_YES)
		return FACT_YES;
	setup_say(detail, size, "%s: %s", s->now.rule, s->now.message);
	return s->now.outcome == OUT_NO ? FACT_NO : FACT_UNKNOWN;
}

static const struct setup_check checks[] = {
	{ SETUP_ERROR, well_now,
	  NO("not-well", "the cluster is not well at this moment",
	     "\"cluster_status\" says what mends it"),
	  "a failover now would be refused, or end otherwise than it should" },
	{ SETUP_ERROR, fences,
	  NO("fencing-broken", "a way of fencing the other node does not work from here",
	     "\"fence_old --test\" says which, and \"cluster_config ssh\" how it is set up"),
	  "where nothing else is proof, the takeover is refused" },
	{ SETUP_ERROR, peer_fences,
	  NO("peer-fencing", "a way of fencing this node does not work from the other one",
	     "\"fence_old --test\" there says which"),
	  "where nothing else is proof, the takeover is refused" },
	{ SETUP_ERROR, witness_seen,
	  NO("witness-unseen", "the witness is not seen from this node",
	     "is its host up, and does a firewall let this node in?"),
	  "nobody takes over without it" },
	{ SETUP_ERROR, guards_run,
	  NO("guard-gone", "the guard does not run", "start its unit (fence_self --watch)"),
	  "a primary that is cut off is not stopped in time" },
	{ SETUP_ERROR, boots_agree,
	  NO("boots-differ", "the guard's unit sees another boot_id than other programs do",
	     "take ProtectControlGroups=, ProtectProc= and the like out of its unit: in a "
	     "container "
	     "they hide the container's own boot_id"),
	  "neither believes what the other one has written, and nobody serves" },
	{ SETUP_ERROR, keepaliveds_ask,
	  NO("keepalived-gone", "keepalived does not run, or asks no more",
	     "start it; is its host overloaded?"),
	  "nobody notices that the primary died, and the address does not move" },
	{ SETUP_ERROR, scripts_safe,
	  NO("scripts-unsafe", "a program that keepalived runs is not only root's to change",
	     "chown root and chmod go-w it and every directory above it, or install again"),
	  "keepalived does not run it, and takes that for healthy" },
	{ SETUP_WARNING, as_generated,
	  NO("keepalived-file", "keepalived's file is not the one that is generated",
	     "write what \"cluster_config keepalived\" prints there, and reload keepalived"),
	  "it acts by other times, addresses or programs than the rest does" },
	{ SETUP_ERROR, address_free,
	  NO("vip-foreign", "another host answers for the virtual address",
	     "find the host with that link-layer address, and take the address from it"),
	  "clients may be led to a host that is no primary" },
	{ SETUP_WARNING, ids_free,
	  NO("vrrp-id-used",
	     "another router on the network uses a virtual router id of this cluster",
	     "choose another virtual_router_id, on both nodes"),
	  "ours listen to each other only; the other router may be confused" },
	{ SETUP_WARNING, gates_hold,
	  NO("kernel-lease", "the kernel does not enforce the lease: its nftables table is missing",
	     "is nftables installed? the guard's log says why"),
	  "if all processes of a host stand still, clients are not cut off in time" },
	{ SETUP_WARNING, no_poolers,
	  NO("pooler-beside", "a connection pooler runs on a node",
	     "run it on the applications' hosts, before the virtual address"),
	  "when the guard of that node stands still, its clients are not cut off with the lease" },
	{ SETUP_ERROR, large_pass,
	  NO("large-packets-lost", "large packets do not arrive at the other node",
	     "mend the path, or lower the MTU of both interfaces"),
	  "replication stands still as soon as there is much to send" },
	{ SETUP_ERROR, not_full, NO("disk-full", "the disk of a server is full", "make room"),
	  "the server ends when it needs its next WAL segment" },
	{ SETUP_WARNING, room,
	  NO("disk-small", "less is free than WAL may take",
	     "make room, or lower max_wal_size or max_slot_wal_keep_size"),
	  "while a node is away the disk of the other one may fill" },
	{ SETUP_WARNING, could_return,
	  NO("rejoin-blocked", "a node could not come back by itself",
	     "\"rejoin --check\" on that node says what mends it"),
	  "after a failover there is no standby until a person helps" },
	{ SETUP_NOTE, has_way,
	  NO("no-fencing", "no way of fencing is configured",
	     "set methods in [fencing], or live by the waits alone"),
	  "a takeover waits for the lease, and without a record it may be refused" },
	{ SETUP_NOTE, baseline,
	  NO("no-baseline", "the witness host was not yet seen to reach the other node",
	     "\"fence_old --test\" notes it"),
	  "\"isolated\" proves nothing before that" },
};

const struct setup_checks setup_host_checks = { checks, ARRAY_COUNT(checks) };
