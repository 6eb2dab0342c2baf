/* SPDX-License-Identifier: PostgreSQL */
#include "guard/guard_notify.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/notify.h"

/* Between two signs of life: systemd need not be woken with each tick. */
#define ALIVE_EVERY_MS 5000
/* A guard that gave none for so long, beyond two fences, is started anew.  The lease does not wait
 * for that: check_primary fences in the guard's place. */
#define HUNG_MS 20000

void guard_status_line(const struct guard_facts *f, char *text, size_t size)
{
	static const char *const servers[] = {
		[GUARD_SERVER_UNKNOWN] = "a server that cannot be looked at",
		[GUARD_SERVER_DOWN] = "no server runs",
		[GUARD_SERVER_PRIMARY] = "primary",
		[GUARD_SERVER_STANDBY] = "standby",
	};
	static const char *const marks[] = {
		[FACT_UNKNOWN] = "; whether it is fenced cannot be told",
		[FACT_NO] = "",
		[FACT_YES] = "; fenced",
	};
	const bool leased = f->server == GUARD_SERVER_PRIMARY && f->lease.until_ms > f->now;

	(void)snprintf(text, size, "STATUS=%s%s%s\n", servers[f->server],
		       leased ? ", its lease runs" : "", marks[f->fenced]);
}

void guard_notify(struct guard *g, const struct guard_facts *f)
{
	const bool first = g->alive_ms == 0;
	char status[sizeof(g->status)], text[sizeof(status) + 96] = "";
	int rc;

	guard_status_line(f, status, sizeof(status));
	if (!first && f->now - g->alive_ms < ALIVE_EVERY_MS && strcmp(status, g->status) == 0)
		return;
	/* A fence keeps the guard busy for longer, the longer its stages are. */
	if (first)
		(void)snprintf(text, sizeof(text), "READY=1\nWATCHDOG_USEC=%" PRId64 "\n",
			       (HUNG_MS + 2 * cfg_fence_time_ms(g->cfg)) * 1000);
	(void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "WATCHDOG=1\n%s", status);
	rc = notify_send(text);
	if (rc != g->notify_rc)
		log_failed("tell systemd", rc);
	g->notify_rc = rc;
	/* A message that was not sent is tried again with the next tick. */
	if (rc < 0)
		return;
	g->alive_ms = f->now;
	memcpy(g->status, status, sizeof(g->status));
}

void guard_notify_end(const struct guard *g)
{
	if (g->alive_ms > 0)
		log_failed("tell systemd", notify_send("STOPPING=1\n"));
}
