/* SPDX-License-Identifier: PostgreSQL */
#include "base/deadline.h"

#include <errno.h>
#include <stddef.h>
#include <time.h>

/*
 * poll(2) counts on CLOCK_MONOTONIC, which stands still while the host sleeps; our deadlines do
 * not.  No single poll is longer than this, so that a deadline that passed during a suspend is
 * noticed at most this late after the wake-up.
 */
#define LOOK_AGAIN_MS 200

int64_t now_ms(void)
{
	struct timespec now = { 0 };

	/* The call can only fail for a clock that the kernel does not know. */
	(void)clock_gettime(CLOCK_BOOTTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

struct deadline deadline_in_ms(int64_t ms)
{
	int64_t now = now_ms();

	if (ms < 0)
		ms = 0;
	if (ms > INT64_MAX - now)
		ms = INT64_MAX - now;
	return (struct deadline){ .at_ms = now + ms };
}

struct deadline deadline_sooner(const struct deadline *dl, int64_t ms)
{
	struct deadline step = deadline_in_ms(ms);

	return step.at_ms < dl->at_ms ? step : *dl;
}

int64_t deadline_left_ms(const struct deadline *dl)
{
	int64_t now = now_ms();

	return dl->at_ms > now ? dl->at_ms - now : 0;
}

bool deadline_passed(const struct deadline *dl)
{
	return deadline_left_ms(dl) == 0;
}

int deadline_poll(struct pollfd *fds, nfds_t nfds, const struct deadline *dl)
{
	for (;;) {
		int64_t left_ms = deadline_left_ms(dl);
		int ready =
		    poll(fds, nfds, (int)(left_ms < LOOK_AGAIN_MS ? left_ms : LOOK_AGAIN_MS));

		if (ready > 0)
			return ready;
		if (ready < 0 && errno != EINTR)
			return -errno;
		/* left_ms, not a fresh look: also a late caller gets one poll of what is ready. */
		if (left_ms == 0 && ready == 0)
			return 0;
	}
}

void deadline_sleep(const struct deadline *dl)
{
	/* With no descriptors the only error left is a lack of memory, and then we still wait. */
	while (!deadline_passed(dl)) {
		if (deadline_poll(NULL, 0, dl) < 0)
			continue;
	}
}
