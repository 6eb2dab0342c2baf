/* SPDX-License-Identifier: PostgreSQL */
/* The faults of a seed: drawn beforehand where that can be, struck at effects of helpers else. */
#include <stdio.h>
#include <string.h>

#include "node/path.h"
#include "sim.h"

enum world sim_world;
struct counts counts;

static int64_t late_one_in, lost_one_in, preempted_one_in;
static bool behind;
static int64_t patience;

/* The kernel and its margin are for this: until the guard has been on time for a while again. */
void faults_guard_late(int node, int64_t us)
{
	const int64_t until_us = sim_now_us + us + MS(2 * nodes[node].cfg.lease_ms);

	if (nodes[node].late_until_us < until_us)
		nodes[node].late_until_us = until_us;
}

/* ---- on the way, and at work ---- */

bool faults_preempt(int64_t *us)
{
	const struct process *self = sim_self();

	if (faults_is_guard(self) || !chance_one_in(preempted_one_in))
		return false;
	*us = chance_between(MS(1), MS(120));
	return true;
}

int64_t faults_packet(int from, int to)
{
	if (!link_up[from][to] || chance_one_in(lost_one_in))
		return -1;
	if (chance_one_in(late_one_in))
		return MS(chance_between(5, chance_one_in(3) ? 9000 : 900));
	return chance_between(80, 400);
}

/* ---- at times ---- */

static void heal(int64_t a, int64_t b, void *nothing)
{
	(void)nothing;
	link_up[a][b] = true;
	told(-1, "net", "%s hears %s again", node_name((int)b), node_name((int)a));
}

static void cut(int from, int to, int64_t us)
{
	link_up[from][to] = false;
	told(-1, "net", "%s does not hear %s for %lld ms", node_name(to), node_name(from),
	     (long long)us / 1000);
	sim_at(sim_now_us + us, heal, from, to, NULL);
}

/* keepalived does on each node, whenever it hears nothing; it decides nothing, so at any time. */
static void promote_now(int64_t node, int64_t unused, void *nothing)
{
	const char *const words[] = { "-n", node_name((int)node), "--auto", NULL };

	(void)unused;
	(void)nothing;
	if (nodes[node].on && sim_now_us >= nodes[node].frozen_until_us)
		(void)process_begin((int)node, "promote_safe", words, 0);
}

void faults_call_promote(int node)
{
	sim_at(sim_now_us + MS(chance_between(0, chance_one_in(2) ? 1500 : 200)), promote_now, node,
	       0, NULL);
}

static void cut_both(int64_t a, int64_t us, void *nothing)
{
	const int node = (int)a;

	(void)nothing;
	cut(node, 1 - node, us);
	cut(1 - node, node, us);
}

/*
 * Of the other node, and perhaps of the witness too, for longer than a takeover takes; with a
 * moment in between in which the nodes hear each other, perhaps.
 */
void faults_cut_off(int node)
{
	const int64_t us = MS(chance_between(2000, 12000));
	const int64_t first_us = chance_one_in(3) ? MS(chance_between(500, 3500)) : us;
	const bool other = !chance_one_in(5), witness = !chance_one_in(3);

	if (other)
		cut_both(node, first_us, NULL);
	if (other && first_us < us)
		sim_at(sim_now_us + first_us + MS(chance_between(20, 500)), cut_both, node,
		       us - first_us, NULL);
	if (witness) {
		cut(node, WITNESS, us);
		cut(WITNESS, node, us);
	}
	faults_call_promote(1 - node);
}

static void cut_some(int node)
{
	const int64_t us = MS(chance_between(300, 14000));
	const int64_t way = chance_below(6);

	if (chance_one_in(2)) {
		faults_cut_off(node);
		return;
	}
	faults_call_promote(1 - node);

	if (way == 0)
		cut(node, 1 - node, us);
	if (way == 1 || way == 2 || way == 5) {
		cut(node, 1 - node, us);
		cut(1 - node, node, us);
	}
	if (way == 3)
		cut(WITNESS, node, us);
	if (way == 4 || way == 5) {
		cut(node, WITNESS, us);
		cut(WITNESS, node, us);
	}
}

static void witness_back(int64_t a, int64_t b, void *nothing)
{
	(void)a;
	(void)b;
	(void)nothing;
	witness_up = true;
	told(-1, "witness", "is back");
}

static void freeze_one(struct process *process, int64_t us)
{
	process_freeze(process, us);
}

static void freeze_guard(struct process *process, int64_t us)
{
	if (faults_is_guard(process))
		process_freeze(process, us);
}

static void freeze_host(int node, int64_t us)
{
	told(node, "fault", "the host stands still for %lld ms", (long long)us / 1000);
	nodes[node].frozen_until_us = sim_now_us + us;
	faults_guard_late(node, us);
	process_each(node, NULL, freeze_one, us);
}

/* ---- people, and requests of the other node that come late ---- */

static void late_fence(int node)
{
	const char *const words[] = { "-n", node_name(node), "--answer", NULL };
	struct process *process = process_begin(node, "fence_self", words, 0);

	(void)snprintf(process->request, sizeof(process->request),
		       "pg_vrrp 1 cluster=%s node=%s request=%s window_ms=0", nodes[node].cfg.name,
		       node_name(node), chance_one_in(2) ? "fence" : "spare");
	told(node, "fault", "a request for a fence arrives");
}

static void person(int node)
{
	const char *const fence[] = { "-n", node_name(node), "--anyway", NULL };
	const char *const lift[] = { "-n", node_name(node), "--lift-fence", NULL };
	const char *const promote[] = { "-n", node_name(node), "--by-hand", NULL };
	const char *const assume[] = { "-n", node_name(node), "--assume-peer-down",
				       node_name(1 - node), NULL };
	const char *const pause[] = { "-n", node_name(node),
				      chance_one_in(2) ? "--pause" : "--resume", NULL };

	switch (chance_below(6)) {
	case 0:
		(void)process_begin(node, "fence_self", fence, 0);
		break;
	case 1:
	case 2:
		(void)process_begin(node, "rejoin", lift, 0);
		break;
	case 3:
		(void)process_begin(node, "promote_safe", promote, 0);
		break;
	case 4:
		node_power_off(1 - node, MS(40000));
		(void)process_begin(node, "promote_safe", assume, MS(100));
		break;
	default:
		if (cfg_has_record(&nodes[node].cfg))
			(void)process_begin(node, "witness_record", pause, 0);
		break;
	}
}

static void lose_witness(void)
{
	const int64_t us = MS(chance_between(300, 9000));

	witness_up = false;
	if (chance_one_in(6))
		the_row.present = false;
	told(-1, "witness", "is down for %lld ms%s", (long long)us / 1000,
	     the_row.present ? "" : ", and comes back empty");
	sim_at(sim_now_us + us, witness_back, 0, 0, NULL);
}

static void break_files(int node, int64_t us)
{
	const int64_t which = chance_below(PLACES + 1);

	for (int place = 0; place < PLACES; place++) {
		if (which == place || which == PLACES)
			files_break(node, (enum files_place)place, sim_now_us + us);
	}
}

/* People and other programs do this without asking. */
static void behind_our_back(int node)
{
	if (servers[node].phase == SERVER_IS_DOWN) {
		told(node, "person", "starts the server by hand");
		server_start(node);
		servers[node].behind = true;
		return;
	}
	if (!server_is_primary(node))
		return;
	told(node, "person", "puts standby.signal beside a primary that runs");
	file_put(file_data(&nodes[node].cfg, "standby.signal").text, "");
}

static void do_one(int node)
{
	const int64_t us = MS(chance_between(200, chance_one_in(3) ? 12000 : 4000));

	switch (chance_below(18)) {
	case 0:
	case 1:
	case 2:
		server_end(node, "crash");
		faults_call_promote(1 - node);
		break;
	case 3:
	case 4:
		node_power_off(node, MS(chance_between(1000, 15000)));
		faults_call_promote(1 - node);
		break;
	case 5:
	case 6:
	case 7:
		cut_some(node);
		break;
	case 8:
		lose_witness();
		break;
	case 15:
		told(1 - node, "fault", "replays slowly for %lld ms", (long long)us / 1000);
		servers[1 - node].slow_until_us = sim_now_us + us;
		break;
	case 9:
		told(node, "fault", "the guard stands still for %lld ms", (long long)us / 1000);
		faults_guard_late(node, us);
		process_each(node, "fence_self", freeze_guard, us);
		break;
	case 10:
		freeze_host(node, us);
		break;
	case 11:
		break_files(node, us);
		break;
	case 12:
		person(node);
		break;
	case 13:
		late_fence(node);
		break;
	case 14:
		if (behind)
			behind_our_back(node);
		else
			strikes_arm(node);
		break;
	default:
		strikes_arm(node);
		break;
	}
}

/* ---- one burst of faults after the other ---- */

static bool all_is_well(void)
{
	for (int node = 0; node < NODES; node++) {
		if (server_is_primary(node) && servers[1 - node].streams)
			return !cfg_has_record(&nodes[node].cfg) || the_row.paired;
	}
	return false;
}

static void one(int64_t unused, int64_t nothing, void *none)
{
	int node = (int)chance_below(NODES);

	(void)unused;
	(void)nothing;
	(void)none;
	/* More often where it matters. */
	if (!server_is_primary(node) && !chance_one_in(3))
		node = 1 - node;
	if (nodes[node].on)
		do_one(node);
}

/* A takeover needs a pair, so mostly it is waited for; waited: so many looks long. */
static void burst(int64_t waited, int64_t nothing, void *none)
{
	int64_t at_us = sim_now_us;

	if (!all_is_well() && waited < patience) {
		sim_at(sim_now_us + MS(200), burst, waited + 1, nothing, none);
		return;
	}
	strikes_forget();
	for (int64_t armed = chance_between(0, 2); armed > 0; armed--)
		strikes_arm(server_is_primary(0) != chance_one_in(3) ? 0 : 1);
	for (int64_t left = chance_between(0, 3); left > 0; left--) {
		sim_at(at_us, one, 0, 0, NULL);
		at_us += MS(chance_between(0, chance_one_in(2) ? 300 : 4000));
	}
	sim_at(at_us + MS(chance_between(1000, 7000)), burst, 0, 0, NULL);
}

void faults_begin(void)
{
	counts = (struct counts){ 0 };
	strikes_forget();
	late_one_in = chance_one_in(3) ? 15 : 300;
	lost_one_in = chance_one_in(3) ? 20 : 1000;
	preempted_one_in = chance_one_in(3) ? 25 : 400;
	patience = chance_one_in(4) ? 5 : 60;
	behind = chance_one_in(3);
	sim_at(sim_now_us + MS(chance_between(500, 2000)), burst, 0, 0, NULL);
}
