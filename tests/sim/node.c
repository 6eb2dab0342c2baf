/* SPDX-License-Identifier: PostgreSQL */
/* Hosts: power, their own clocks, the links between them, and the kernel's gate for clients. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/deadline.h"
#include "net/net.h"
#include "net/nftlease.h"
#include "net/sockdiag.h"
#include "node/election.h"
#include "sim.h"

FAKES(nftlease_set);
FAKES(nftlease_lay);
FAKES(nftlease_look);
FAKES(nftlease_generation);
FAKES(nftlease_remove);
FAKES(nftlease_apply);
FAKES(net_remove_address);
FAKES(sockdiag_destroy);
FAKES(election_alive);
FAKES(election_master);

struct node nodes[HOSTS];
bool link_up[HOSTS][HOSTS];

const char *node_name(int host)
{
	static const char *const names[HOSTS] = { "n1", "n2", "w" };

	return names[host];
}

int node_of(const struct cfg *cfg)
{
	return (int)cfg->self;
}

int64_t node_ms(int node)
{
	return (sim_now_us - nodes[node].booted_us) / 1000;
}

/* ---- power ---- */

static void boot(int64_t node, int64_t unused, void *nothing)
{
	const char *const words[] = { "-n", node_name((int)node), "--watch", NULL };
	struct node *one = &nodes[node];

	(void)unused;
	(void)nothing;
	if (one->on || sim_now_us < one->off_until_us)
		return;
	one->on = true;
	one->booted_us = sim_now_us - MS(chance_between(1000, 3000));
	(void)snprintf(one->boot, sizeof(one->boot), "%08llx-0000-4000-8000-%012llx\n",
		       (unsigned long long)node + 1, (unsigned long long)sim_now_us);
	one->gate = NFTLEASE_SHUT;
	one->generation++;
	/* No tmpfs everywhere. */
	if (chance_one_in(2))
		files_boot((int)node);
	told((int)node, "host", "boots");
	(void)process_begin((int)node, "fence_self", words, chance_between(0, MS(500)));
}

static void kill_one(struct process *process, int64_t unused)
{
	(void)unused;
	process_kill(process);
}

void node_power_off(int node, int64_t for_us)
{
	struct node *one = &nodes[node];

	if (one->off_until_us < sim_now_us + for_us)
		one->off_until_us = sim_now_us + for_us;
	sim_at(one->off_until_us, boot, node, 0, NULL);
	if (!one->on)
		return;
	told(node, "host", "loses power for %lld ms", (long long)for_us / 1000);
	one->on = false;
	one->late_until_us = 0;
	counts.reboots++;
	server_end(node, "lost power");
	process_each(node, NULL, kill_one, 0);
}

/* The supervisor of the guard. */
static void find_guard(struct process *process, int64_t found)
{
	if (strcmp(process->words[process->argc - 1], "--watch") == 0)
		*(bool *)(intptr_t)found = true;
}

static void supervise(int64_t unused, int64_t nothing, void *none)
{
	for (int node = 0; node < NODES; node++) {
		const char *const words[] = { "-n", node_name(node), "--watch", NULL };
		bool found = false;

		process_each(node, "fence_self", find_guard, (int64_t)(intptr_t)&found);
		if (nodes[node].on && !found)
			(void)process_begin(node, "fence_self", words, 0);
	}
	sim_at(sim_now_us + MS(300), supervise, unused, nothing, none);
}

void nodes_begin(void)
{
	for (int from = 0; from < HOSTS; from++) {
		for (int to = 0; to < HOSTS; to++)
			link_up[from][to] = true;
	}
	for (int node = 0; node < NODES; node++) {
		const struct cfg cfg = nodes[node].cfg;

		nodes[node] = (struct node){ .cfg = cfg };
		boot(node, 0, NULL);
		nodes[node].booted_us = sim_now_us - MS(500000) * (node + 1);
		nodes[node].gate = NFTLEASE_OPEN;
	}
	nodes[WITNESS] = (struct node){ .cfg = nodes[0].cfg, .on = true };
	(void)snprintf(nodes[WITNESS].boot, sizeof(nodes[WITNESS].boot),
		       "00000003-0000-4000-8000-000000000000\n");
	sim_at(sim_now_us + MS(1000), supervise, 0, 0, NULL);
}

/* ---- the gate ---- */

bool node_lets_in(int node)
{
	const struct node *one = &nodes[node];

	return one->on && (one->gate == NFTLEASE_OPEN ||
			   (one->gate == NFTLEASE_UNTIL && sim_now_us < one->gate_until_us));
}

int FAKE(nftlease_set)(const struct cfg *cfg, const struct nftlease *want,
		       const uint32_t *generation)
{
	struct node *one = &nodes[node_of(cfg)];

	sim_effect("gate");
	if (generation != NULL && *generation != one->generation)
		return -ESTALE;
	one->generation++;
	one->gate = (int)want->gate;
	one->gate_until_us = want->until_ms * 1000 + one->booted_us;
	return 0;
}

int FAKE(nftlease_lay)(const struct cfg *cfg, const struct nftlease *want,
		       const struct deadline *dl, char *why, size_t size)
{
	(void)dl;
	if (size > 0)
		why[0] = '\0';
	return FAKE(nftlease_set)(cfg, want, NULL);
}

int FAKE(nftlease_look)(const struct cfg *cfg, struct nftlease *is)
{
	const struct node *one = &nodes[node_of(cfg)];

	is->gate = (enum nftlease_gate)one->gate;
	is->until_ms = (one->gate_until_us - one->booted_us) / 1000;
	if (is->gate == NFTLEASE_UNTIL && sim_now_us >= one->gate_until_us)
		is->gate = NFTLEASE_SHUT;
	return 0;
}

int FAKE(nftlease_generation)(uint32_t *generation)
{
	*generation = nodes[sim_node()].generation;
	return 0;
}

int FAKE(nftlease_remove)(const struct cfg *cfg)
{
	(void)cfg;
	return 0;
}

void FAKE(nftlease_apply)(const struct cfg *cfg, const struct nftlease *want,
			  const struct deadline *dl)
{
	int rc = FAKE(nftlease_set)(cfg, want, NULL);

	(void)dl;
	(void)rc; /* 0: nothing was compared */
}

/* ---- addresses; VRRP decides nothing, so it says yes to everybody ---- */

int FAKE(net_remove_address)(const char *address)
{
	(void)address;
	return 0;
}

int FAKE(sockdiag_destroy)(uint16_t port, const char *const *spare, size_t count,
			   const struct deadline *dl)
{
	(void)port;
	(void)spare;
	(void)count;
	(void)dl;
	return 0;
}

enum fact FAKE(election_alive)(const struct cfg *cfg)
{
	(void)cfg;
	return FACT_YES;
}

enum fact FAKE(election_master)(const struct cfg *cfg)
{
	(void)cfg;
	return FACT_YES;
}
