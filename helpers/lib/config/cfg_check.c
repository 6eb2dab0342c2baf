/* SPDX-License-Identifier: PostgreSQL */
#include "config/cfg_internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "config/timing.h"

/* The time of a promotion besides its waits: a fence under way, replay, pg_promote,
 * verification. */
#define PROMOTE_WORK_MS 5000
/* WAL that is on its way at any moment, as seen once a second, must not make the primary solo. */
#define MAX_LAG_LEAST (INT64_C(64) << 10)

/* ---- timings: each inequality is explained in docs/configuration.md ---- */

struct bound {
	enum cfg_section section;
	const char *key;
	int64_t value;
	int64_t limit;
	const char *hint;
};

static void complain_bound(struct cfg_load *load, const struct bound *bound, const char *relation)
{
	char have[24];
	char need[24];

	cfg_duration_text(bound->value, have, sizeof(have));
	cfg_duration_text(bound->limit, need, sizeof(need));
	cfg_complain(load, cfg_line_of(load, bound->section, bound->key), bound->hint,
		     "contradictory timings: %s is %s, the others need it to be %s %s", bound->key,
		     have, relation, need);
}

static void at_least(struct cfg_load *load, const struct bound *bound)
{
	if (bound->value < bound->limit)
		complain_bound(load, bound, "at least");
}

static void check_lease(struct cfg_load *load)
{
	const struct cfg *cfg = &load->cfg;
	int64_t fence = cfg_fence_time_ms(cfg);

	/* A record is renewed by check_primary, as often as it asks for a vote; the guard
	 * asks not. */
	if (!cfg_has_record(cfg))
		at_least(load,
			 &(struct bound){
			     SECTION_TIMING, "lease", cfg->lease_ms,
			     fence + 2 * cfg->renew_interval_ms,
			     "lease >= stop_fast + stop_immediate + 200ms + 2 * renew_interval: "
			     "one lost answer of the witness must not fence a primary." });
	at_least(load, &(struct bound){
			   SECTION_TIMING, "lease", cfg->lease_ms,
			   fence + TIMING_ROUND_MS + cfg->probe_timeout_ms,
			   "lease >= stop_fast + stop_immediate + 200ms + 1s + probe_timeout: "
			   "votes and renewals come once a second; each must suffice alone." });
	at_least(load, &(struct bound){
			   SECTION_TIMING, "lease", cfg->lease_ms, 3 * cfg->advert_interval_ms + 1,
			   "lease > 3 * advert_interval: VRRP must notice within a lease." });
	at_least(load, &(struct bound){ SECTION_TIMING, "margin", cfg->margin_ms,
					(cfg->lease_ms + TIMING_DRIFT_PART - 1) / TIMING_DRIFT_PART,
					"margin >= 2 % of lease: clocks drift." });
}

/* Also where it is only automatic: a device that cannot keep its word is none to be armed. */
static void check_watchdog(struct cfg_load *load)
{
	const struct cfg *cfg = &load->cfg;
	const struct cfg_watchdog fits = cfg_watchdog(cfg);

	if (cfg->watchdog != WATCHDOG_OFF && fits.least_s > fits.most_s)
		cfg_complain(load, cfg_line_of(load, SECTION_FENCING, "watchdog"),
			     "A watchdog counts whole seconds: lengthen margin, or shorten "
			     "stop_fast and stop_immediate (docs/configuration.md).",
			     "contradictory timings: no watchdog timeout is both at least %d s and "
			     "at most %d s",
			     fits.least_s, fits.most_s);
}

static void check_budgets(struct cfg_load *load)
{
	const struct cfg *cfg = &load->cfg;
	int64_t waits = cfg->lease_ms + cfg->margin_ms;

	if (cfg_has_record(cfg))
		at_least(load, &(struct bound){ SECTION_TIMING, "check_budget",
						cfg->check_budget_ms, 3 * cfg->probe_timeout_ms,
						"check_budget >= 3 * probe_timeout: both servers "
						"and the witness are asked." });
	else
		at_least(load, &(struct bound){ SECTION_TIMING, "check_budget",
						cfg->check_budget_ms, 2 * cfg->probe_timeout_ms,
						"check_budget >= 2 * probe_timeout: both servers "
						"are asked." });
	at_least(load, &(struct bound){ SECTION_TIMING, "promote_budget", cfg->promote_budget_ms,
					waits + PROMOTE_WORK_MS,
					"promote_budget >= lease + margin + 5s: the waits, and the "
					"work after them." });
	/* With a record it is of no meaning: the row says whether the standby has what it needs. */
	if (!cfg_has_record(cfg))
		at_least(load,
			 &(struct bound){ SECTION_REPLICATION, "max_staleness",
					  cfg->max_staleness_ms, waits + PROMOTE_WORK_MS,
					  "max_staleness >= lease + margin + 5s: the waits of a "
					  "promotion alone take that long." });
	if (cfg->advert_interval_ms % 10 != 0)
		cfg_complain(load, cfg_line_of(load, SECTION_TIMING, "advert_interval"),
			     "VRRP counts hundredths of a second: 10ms, 20ms, ...",
			     "advert_interval is not a multiple of 10ms");
}

/* ---- addresses ---- */

struct binary {
	int family; /* 0: a host name */
	unsigned char bytes[sizeof(struct in6_addr)];
};

static struct binary binary_of(const char *text)
{
	struct binary binary = { 0 };

	if (inet_pton(AF_INET, text, binary.bytes) == 1)
		binary.family = AF_INET;
	else if (inet_pton(AF_INET6, text, binary.bytes) == 1)
		binary.family = AF_INET6;
	return binary;
}

/* By value: 2001:db8::1 and 2001:DB8:0::1 are one. */
static bool same_address(const char *a, const char *b)
{
	struct binary left = binary_of(a);
	struct binary right = binary_of(b);

	return left.family != 0 && memcmp(&left, &right, sizeof(left)) == 0;
}

/* An address that no other host can reach us at. */
static bool is_useless(const char *text)
{
	struct binary binary = binary_of(text);
	struct in6_addr six;
	uint32_t four;

	if (binary.family == AF_INET) {
		memcpy(&four, binary.bytes, sizeof(four));
		four = ntohl(four);
		return four == 0 || four >> 24 == 127 || four >> 28 >= 14;
	}
	memcpy(&six, binary.bytes, sizeof(six));
	return binary.family == AF_INET6 &&
	       (IN6_IS_ADDR_UNSPECIFIED(&six) || IN6_IS_ADDR_LOOPBACK(&six) ||
		IN6_IS_ADDR_MULTICAST(&six) || IN6_IS_ADDR_LINKLOCAL(&six) ||
		IN6_IS_ADDR_V4MAPPED(&six));
}

static void check_node(struct cfg_load *load, size_t n)
{
	const struct cfg *cfg = &load->cfg;
	const struct cfg_node *node = &cfg->nodes[n];
	unsigned line = load->node_lines[n];

	if (is_useless(node->address))
		cfg_complain(load, line, "Give the address that the other hosts reach it by.",
			     "node \"%s\" cannot have address %s", node->name, node->address);
	if (binary_of(node->address).family != binary_of(cfg->vip).family)
		cfg_complain(load, line, "Both IPv4 or both IPv6: one VRRP instance speaks one.",
			     "node \"%s\" and the VIP are of different address families",
			     node->name);
	if (same_address(node->address, cfg->vip))
		cfg_complain(load, line, "The VIP is an address of its own.",
			     "node \"%s\" has the address of the VIP", node->name);
	if (same_address(node->address, cfg->witness_address))
		cfg_complain(load, line, "The witness is a third host.",
			     "node \"%s\" has the address of the witness", node->name);
}

static void check_witness(struct cfg_load *load)
{
	const struct cfg *cfg = &load->cfg;
	unsigned line = cfg_line_of(load, SECTION_WITNESS, "address");

	if (same_address(cfg->witness_address, cfg->vip))
		cfg_complain(load, line, "The witness is a third host.",
			     "the witness has the address of the VIP");
	if (is_useless(cfg->witness_address))
		cfg_complain(load, line, "Give the address that the nodes reach it by.",
			     "the witness cannot have address %s", cfg->witness_address);
	if (cfg->witness_kind == WITNESS_TCP && cfg->witness_port == 0)
		cfg_complain(load, cfg_line_of(load, SECTION_WITNESS, "kind"),
			     "Set port = N in [witness].", "a tcp witness needs a port");
	if (cfg->witness_kind == WITNESS_PING && cfg->witness_port != 0)
		cfg_complain(load, cfg_line_of(load, SECTION_WITNESS, "port"),
			     "Remove port, or set kind = tcp or kind = postgres.",
			     "a ping witness has no port");
}

/* Keys about a record that nobody keeps would be believed by whoever reads the file. */
static void check_no_record(struct cfg_load *load)
{
	for (size_t i = 0; i < cfg_key_count; i++) {
		if (!cfg_keys[i].of_record || load->key_lines[i][0] == 0)
			continue;
		cfg_complain(load, load->key_lines[i][0], "Remove it, or set kind = postgres.",
			     "%s is of no use to a %s witness", cfg_keys[i].name,
			     cfg_witness_word(&load->cfg));
	}
}

static void check_record(struct cfg_load *load)
{
	const struct cfg *cfg = &load->cfg;

	/* A name would have to be looked up each second, in the path of every failover. */
	if (binary_of(cfg->witness_address).family == 0)
		cfg_complain(load, cfg_line_of(load, SECTION_WITNESS, "address"),
			     "Give the address here, and the name of its certificate as "
			     "\"conninfo = host=NAME\".",
			     "a postgres witness needs a numeric address");
	at_least(load, &(struct bound){ SECTION_REPLICATION, "solo_after", cfg->solo_after_ms,
					TIMING_ROUND_MS + cfg->probe_timeout_ms,
					"solo_after >= 1s + probe_timeout: the standby is looked "
					"at once a second; one look must not decide." });
	/* A primary goes solo above max_lag, and pairs again below half of it. */
	if (cfg->mode == MODE_ASYNC && cfg->max_lag_bytes < MAX_LAG_LEAST)
		cfg_complain(load, cfg_line_of(load, SECTION_REPLICATION, "max_lag"),
			     "Set mode = sync to lose nothing, or 64kB and more.",
			     "with max_lag below 64kB the standby could hardly ever take over");
}

void cfg_check(struct cfg_load *load)
{
	const struct cfg *cfg = &load->cfg;

	check_lease(load);
	check_watchdog(load);
	check_budgets(load);
	for (size_t n = 0; n < CFG_NODES; n++)
		check_node(load, n);
	if (same_address(cfg->nodes[0].address, cfg->nodes[1].address))
		cfg_complain(load, load->node_lines[1], "Each node has an address of its own.",
			     "node \"%s\" has the address of node \"%s\"", cfg->nodes[1].name,
			     cfg->nodes[0].name);
	check_witness(load);
	cfg_check_methods(load);
	if (cfg_has_record(cfg))
		check_record(load);
	else
		check_no_record(load);
	if (is_useless(cfg->vip))
		cfg_complain(load, cfg_line_of(load, SECTION_CLUSTER, "vip"),
			     "Give an address that clients can connect to.", "the VIP cannot be %s",
			     cfg->vip);
	if (strcmp(cfg->run_dir, cfg->state_dir) == 0)
		cfg_complain(load, cfg_line_of(load, SECTION_CLUSTER, "state_dir"),
			     "run_dir is emptied by a reboot, state_dir must survive it.",
			     "run_dir and state_dir are the same");
}
