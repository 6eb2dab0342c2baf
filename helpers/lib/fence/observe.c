/* SPDX-License-Identifier: PostgreSQL */
#include "fence/observe.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/deadline.h"
#include "fence/fence_answer.h"
#include "net/probe.h"

/*
 * Five questions a second: for a primary to renew its lease through this host while all of them
 * stay unanswered, the path would have to work for its questions and for none of ours.
 */
#define ASK_EVERY_MS 200
/* One look (no window) waits this long. */
#define ONE_LOOK_MS 1000

enum { BY_ICMP, BY_SSH, BY_SERVER, CHANNELS };

struct channels {
	struct probe probe[CHANNELS];
	bool open[CHANNELS];
	bool asked; /* at least one question of each round left this host, so that silence means
		       something */
};

static bool open_channels(struct channels *c, const struct cfg *cfg, const struct cfg_node *node,
			  const struct deadline *dl)
{
	const uint16_t ports[CHANNELS] = { 0, (uint16_t)node->ssh_port, (uint16_t)cfg->port };

	for (int i = 0; i < CHANNELS; i++) {
		c->probe[i] = PROBE_NONE;
		c->open[i] = probe_open(&c->probe[i], node->address, ports[i], dl) == 0;
	}
	/* Without ICMP the silence would be that of TCP alone, which a dead server explains as
	 * well. */
	return c->open[BY_ICMP];
}

static void ask(struct channels *c)
{
	for (int i = 0; i < CHANNELS; i++)
		if (c->open[i] && probe_send(&c->probe[i]) == 0)
			c->asked = true;
}

/* Anything that comes back is a sign of life, a refused connection too. */
static bool answered(struct channels *c)
{
	for (int i = 0; i < CHANNELS; i++) {
		int64_t sent = c->open[i] ? probe_take(&c->probe[i]) : 0;

		if (sent > 0 || sent == -ECONNREFUSED)
			return true;
	}
	return false;
}

static bool answered_until(struct channels *c, const struct deadline *dl)
{
	while (!deadline_passed(dl)) {
		struct pollfd fds[CHANNELS];

		for (int i = 0; i < CHANNELS; i++)
			fds[i] =
			    c->open[i] ? probe_pollfd(&c->probe[i]) : (struct pollfd){ .fd = -1 };
		if (deadline_poll(fds, CHANNELS, dl) > 0 && answered(c))
			return true;
	}
	return answered(c);
}

static enum fact reaches(const struct cfg *cfg, const struct cfg_node *node, int64_t window_ms)
{
	struct deadline dl = deadline_in_ms(window_ms > 0 ? window_ms : ONE_LOOK_MS);
	int64_t rounds_wanted = (window_ms > 0 ? window_ms : ONE_LOOK_MS) / ASK_EVERY_MS / 2;
	struct channels c = { .asked = false };
	int64_t rounds = 0;
	enum fact reached = FACT_UNKNOWN;

	if (open_channels(&c, cfg, node, &dl)) {
		while (reached == FACT_UNKNOWN && !deadline_passed(&dl)) {
			struct deadline next = deadline_sooner(&dl, ASK_EVERY_MS);

			ask(&c);
			rounds++;
			if (answered_until(&c, &next))
				reached = FACT_YES;
		}
		/* Starved of the processor it has hardly asked, and its silence proves nothing. */
		if (reached == FACT_UNKNOWN && c.asked && rounds >= rounds_wanted)
			reached = FACT_NO;
	}
	for (int i = 0; i < CHANNELS; i++)
		probe_close(&c.probe[i]);
	return reached;
}

struct verdict observe_answer(const struct cfg *cfg)
{
	const char *line = getenv("SSH_ORIGINAL_COMMAND"); /* ALLOW: sshd's one way to tell */
	const struct cfg_node *node = NULL;
	struct fence_line request;
	enum fact reached;

	if (line != NULL && fence_request_parse(line, &request) == 0 &&
	    request.ask == FENCE_ASK_OBSERVE && strcmp(request.cluster, cfg->name) == 0)
		node = cfg_node(cfg, request.node);
	if (node == NULL)
		return (struct verdict)USAGE_ERROR(
		    "request", "the request is not for this witness host, or was not understood",
		    "the nodes need the same version and the same configuration file");
	reached = reaches(cfg, node, request.window_ms);
	fence_answer_print(cfg->name, node->name,
			   reached == FACT_YES  ? "reachable"
			   : reached == FACT_NO ? "unreachable"
						: "unknown");
	return (struct verdict){
		.outcome = reached == FACT_YES  ? OUT_YES
			   : reached == FACT_NO ? OUT_NO
						: OUT_UNKNOWN,
		.rule = "observed",
		.message = reached == FACT_YES  ? "the node was reached"
			   : reached == FACT_NO ? "the node was not reached in the whole window"
						: "the node could not be asked",
	};
}
