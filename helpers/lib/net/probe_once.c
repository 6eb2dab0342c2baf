/* SPDX-License-Identifier: PostgreSQL */
#include "net/probe.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* The question and how it went, for the phrase at the end. */
struct asking {
	const char *address;
	uint16_t port;
	bool resolved;
	bool asked; /* at least one question left */
	int error;  /* the last thing that went wrong, -errno */
};

/* Waits for an answer to what was sent, until `step`.  True when one came. */
static bool answered(struct probe *probe, struct asking *asking, const struct deadline *step)
{
	for (;;) {
		struct pollfd wanted = probe_pollfd(probe);
		int ready = deadline_poll(&wanted, 1, step);
		int64_t sent;

		if (ready <= 0) {
			if (ready < 0)
				asking->error = ready;
			return false;
		}
		sent = probe_take(probe);
		if (sent > 0)
			return true;
		if (sent < 0)
			asking->error = (int)sent;
		if (sent == -ECONNREFUSED)
			return false;
	}
}

static void say(char *why, size_t size, const struct asking *asking, enum fact fact,
		int64_t took_ms)
{
	char who[300];

	if (asking->port == 0)
		(void)snprintf(who, sizeof(who), "%s", asking->address);
	else
		(void)snprintf(who, sizeof(who), "%s port %u", asking->address, asking->port);
	if (!asking->resolved && asking->error == -EHOSTUNREACH)
		(void)snprintf(why, size, "host name %s does not resolve", asking->address);
	else if (!asking->asked)
		(void)snprintf(why, size, "could not ask %s: %s", who, strerror(-asking->error));
	else if (fact == FACT_YES)
		(void)snprintf(why, size, "%s answered after %" PRId64 " ms", who, took_ms);
	else if (asking->error == -ECONNREFUSED)
		(void)snprintf(why, size, "%s refused the connection", who);
	else
		(void)snprintf(why, size, "no %s %s in %" PRId64 " ms",
			       asking->port == 0 ? "ICMP echo reply from" : "TCP connection to",
			       who, took_ms);
}

enum fact probe_once(const char *address, uint16_t port, int64_t interval_ms,
		     const struct deadline *dl, char *why, size_t size)
{
	struct asking asking = { .address = address, .port = port };
	struct probe probe;
	enum fact fact = FACT_UNKNOWN;
	int64_t begun_ms = now_ms();
	int64_t step_ms = interval_ms > 0 ? interval_ms : 1;

	/* A new connection ends the one before, so each gets time for a slow way: two in all. */
	if (port != 0 && step_ms < (deadline_left_ms(dl) + 1) / 2)
		step_ms = (deadline_left_ms(dl) + 1) / 2;

	asking.error = probe_open(&probe, address, port, dl);
	asking.resolved = asking.error == 0;
	while (asking.resolved && fact != FACT_YES && asking.error != -ECONNREFUSED &&
	       !deadline_passed(dl)) {
		struct deadline step = deadline_sooner(dl, step_ms);

		asking.error = probe_send(&probe);
		if (asking.error == 0 || asking.error == -ECONNREFUSED)
			asking.asked = true;
		if (asking.error == -ECONNREFUSED)
			break;
		if (answered(&probe, &asking, &step))
			fact = FACT_YES;
	}
	if (fact != FACT_YES && asking.asked)
		fact = FACT_NO;
	if (!asking.asked && asking.error == 0)
		asking.error = -ETIMEDOUT;
	probe_close(&probe);
	say(why, size, &asking, fact, now_ms() - begun_ms);
	return fact;
}
