/* SPDX-License-Identifier: PostgreSQL */
/* Pings: what a host that lives answers, as long as the packets of both ways arrive. */
#include <stdio.h>
#include <string.h>

#include "base/deadline.h"
#include "net/probe.h"
#include "net/witness.h"
#include "sim.h"

FAKES(probe_open);
FAKES(probe_close);
FAKES(probe_send);
FAKES(probe_take);
FAKES(probe_pollfd);
FAKES(witness_seen);

#define PROBES_MAX 64
#define PENDING    16

struct channel {
	bool used;
	int process;
	int from, to;
	int64_t sent_ms[PENDING];
	int64_t answered_us[PENDING]; /* the answer is here then; 0: none */
	int next;
};

static struct channel channels[PROBES_MAX];

void net_begin(void)
{
	memset(channels, 0, sizeof(channels));
}

static int host_of(const char *address)
{
	for (int node = 0; node < NODES; node++) {
		if (strcmp(address, nodes[0].cfg.nodes[node].address) == 0)
			return node;
	}
	return WITNESS;
}

static bool lives(int host)
{
	if (host == WITNESS)
		return witness_up;
	return nodes[host].on && sim_now_us >= nodes[host].frozen_until_us;
}

static bool is_over(const struct channel *channel)
{
	const struct process *process = process_of(channel->process);

	return !channel->used || process == NULL || process->dead;
}

int FAKE(probe_open)(struct probe *probe, const char *address, uint16_t port,
		     const struct deadline *dl)
{
	(void)dl;
	for (uint32_t i = 0; i < PROBES_MAX; i++) {
		if (!is_over(&channels[i]))
			continue;
		channels[i] = (struct channel){ .used = true,
						.process = sim_self()->id,
						.from = sim_node(),
						.to = host_of(address) };
		*probe = (struct probe){ .fd = -1, .port = port, .family = 2, .nonce = i };
		return 0;
	}
	return -1;
}

void FAKE(probe_close)(struct probe *probe)
{
	if (probe->family != 0)
		channels[probe->nonce].used = false;
	*probe = PROBE_NONE;
}

int FAKE(probe_send)(struct probe *probe)
{
	struct channel *channel = &channels[probe->nonce];
	const int64_t there_us = faults_packet(channel->from, channel->to);
	const int64_t back_us = faults_packet(channel->to, channel->from);

	channel->sent_ms[channel->next] = now_ms();
	channel->answered_us[channel->next] = there_us >= 0 && back_us >= 0 && lives(channel->to)
						  ? sim_now_us + there_us + back_us
						  : 0;
	channel->next = (channel->next + 1) % PENDING;
	return 0;
}

int64_t FAKE(probe_take)(struct probe *probe)
{
	struct channel *channel = &channels[probe->nonce];
	int64_t newest = 0;

	sim_effect("take an answer");
	for (int i = 0; i < PENDING; i++) {
		if (channel->answered_us[i] == 0 || channel->answered_us[i] > sim_now_us)
			continue;
		channel->answered_us[i] = 0;
		if (channel->sent_ms[i] > newest)
			newest = channel->sent_ms[i];
	}
	return newest;
}

struct pollfd FAKE(probe_pollfd)(const struct probe *probe)
{
	(void)probe;
	return (struct pollfd){ .fd = -1 };
}

enum fact FAKE(witness_seen)(const struct cfg *cfg, const struct deadline *dl, char *why,
			     size_t size)
{
	const int from = sim_node();
	const int64_t there_us = faults_packet(from, WITNESS);
	const int64_t back_us = faults_packet(WITNESS, from);
	const int64_t patience_us = MS(cfg->probe_timeout_ms);
	const bool seen =
	    there_us >= 0 && back_us >= 0 && witness_up && there_us + back_us <= patience_us;

	(void)dl;
	(void)snprintf(why, size, "%s", seen ? "it answered" : "it did not answer");
	sim_pass(seen ? there_us + back_us : patience_us);
	return fact_of(seen);
}
