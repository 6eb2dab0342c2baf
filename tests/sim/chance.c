/* SPDX-License-Identifier: PostgreSQL */
/* xorshift64*: the same on every machine. */
#include "sim.h"

static uint64_t state;

void chance_begin(uint64_t seed)
{
	state = seed * UINT64_C(0x9E3779B97F4A7C15) + 1;
	for (int i = 0; i < 8; i++)
		(void)chance_below(2);
}

int64_t chance_below(int64_t below)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (int64_t)((state * UINT64_C(0x2545F4914F6CDD1D)) >> 16) % below;
}

int64_t chance_between(int64_t from, int64_t to)
{
	return from + chance_below(to - from + 1);
}

bool chance_one_in(int64_t of)
{
	return chance_below(of) == 0;
}
