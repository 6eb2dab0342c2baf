/* SPDX-License-Identifier: PostgreSQL */
#include "promote/life.h"

#include <errno.h>

#include "base/auto.h"
#include "base/deadline.h"
#include "net/net.h"
#include "net/probe.h"

/* One question every 80 ms, so that a lost packet is no proof. */
#define ASK_MS      80
#define PATIENCE_MS 200
/* Between two looks at a host that answers; at one that does not, a look takes about a second. */
#define PAUSE_MS 300
/* No look and no pause takes longer, unless this process was stopped. */
#define GAP_MS 3000

static bool connects(const char *address, uint16_t port)
{
	struct deadline soon = deadline_in_ms(PATIENCE_MS);
	struct probe probe = PROBE_NONE;
	int64_t sent;

	if (probe_open(&probe, address, port, &soon) < 0)
		return false;
	sent = probe_send(&probe);
	while (sent == 0 && !deadline_passed(&soon)) {
		struct pollfd fd = probe_pollfd(&probe);

		if (deadline_poll(&fd, 1, &soon) < 0)
			break;
		sent = probe_take(&probe);
	}
	probe_close(&probe);
	/* A refused connection is a host that lives. */
	return sent > 0 || sent == -ECONNREFUSED;
}

static bool echoes(const char *address)
{
	struct deadline soon = deadline_in_ms(PATIENCE_MS);
	char why[120];

	return probe_once(address, 0, ASK_MS, &soon, why, sizeof(why)) == FACT_YES;
}

/* ARP or neighbour discovery is answered by a kernel whose firewall drops all else. */
static bool answers(const char *address)
{
	bool asked_anew = net_neighbour_forget(address) == 0;

	return echoes(address) || (asked_anew && net_neighbour(address, NULL, 0) == FACT_YES);
}

static bool lives(const struct cfg *cfg)
{
	const struct cfg_node *peer = cfg_peer(cfg);

	return answers(peer->address) || answers(cfg->vip) ||
	       connects(peer->address, (uint16_t)peer->ssh_port) ||
	       connects(peer->address, (uint16_t)cfg->port) ||
	       connects(cfg->vip, (uint16_t)cfg->port);
}

static void *watch_on(void *arg)
{
	struct life_watch *watch = arg;
	int64_t last_ms = now_ms();

	do {
		struct deadline pause;

		if (lives(watch->cfg))
			atomic_store(&watch->seen, true);
		if (now_ms() - last_ms > GAP_MS)
			atomic_store(&watch->gap, true);
		last_ms = now_ms();
		pause = deadline_in_ms(PAUSE_MS);
		if (!atomic_load(&watch->stop))
			deadline_sleep(&pause);
	} while (!atomic_load(&watch->stop));
	return NULL;
}

void life_watch_begin(struct life_watch *watch, const struct cfg *cfg)
{
	if (watch->runs)
		return;
	watch->cfg = cfg;
	atomic_store(&watch->stop, false);
	atomic_store(&watch->seen, false);
	atomic_store(&watch->gap, false);
	watch->runs = pthread_create(&watch->thread, NULL, watch_on, watch) == 0;
}

enum fact life_watch_end(struct life_watch *watch)
{
	if (!watch->runs)
		return FACT_UNKNOWN;
	atomic_store(&watch->stop, true);
	(void)pthread_join(watch->thread, NULL);
	watch->runs = false;
	if (atomic_load(&watch->seen))
		return FACT_YES;
	return atomic_load(&watch->gap) ? FACT_UNKNOWN : FACT_NO;
}
