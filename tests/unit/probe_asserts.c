/* SPDX-License-Identifier: PostgreSQL */
#include "probe_asserts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct probe open_probe(const char *address, uint16_t port)
{
	struct deadline soon = deadline_in_ms(2000);
	struct probe probe;

	assert_int_equal(probe_open(&probe, address, port, &soon), 0);
	return probe;
}

/* Waits until something has arrived; fails the test when nothing does. */
static void wait_arrival(const struct probe *probe)
{
	struct deadline limit = deadline_in_ms(5000);
	struct pollfd wanted = probe_pollfd(probe);

	assert_true(wanted.fd >= 0);
	assert_int_equal(deadline_poll(&wanted, 1, &limit), 1);
}

int64_t take_next(struct probe *probe)
{
	wait_arrival(probe);
	return probe_take(probe);
}

void assert_answered_now(const char *address, uint16_t port, bool raw)
{
	struct probe probe = open_probe(address, port);
	int64_t before = now_ms();
	int64_t sent;

	assert_int_equal(probe.raw, raw);
	assert_int_equal(probe_take(&probe), 0);
	assert_int_equal(probe_send(&probe), 0);
	int64_t after = now_ms();

	sent = take_next(&probe);
	assert_in_range(sent, (uintmax_t)before, (uintmax_t)after);
	assert_int_equal(probe_take(&probe), 0);
	/* and again: a channel is used for months */
	assert_int_equal(probe_send(&probe), 0);
	assert_true(take_next(&probe) >= sent);
	probe_close(&probe);
	assert_int_equal(probe.fd, -1);
}
