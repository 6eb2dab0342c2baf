/* SPDX-License-Identifier: PostgreSQL */
/* Answers of nftables (nftlease_link.c): one that cannot be understood never opens the gate. */
#include "base/deadline.h"
#include "mnl.h"
#include "net/nftlease.h"

int64_t fake_now_ms(void) FAKE(now_ms);
int64_t fake_now_ms(void)
{
	return 1000000;
}

static void look(void)
{
	const struct nftlease until = { .gate = NFTLEASE_UNTIL, .until_ms = 1005000 };
	const struct nftlease shut = { .gate = NFTLEASE_SHUT };
	struct nftlease is = { .gate = NFTLEASE_OPEN };
	uint32_t generation = 0;

	if (nftlease_look(fuzz_cfg(), &is) != 0)
		assert(is.gate == NFTLEASE_SHUT);
	assert(is.gate != NFTLEASE_UNTIL || is.until_ms > 1000000);
	if (nftlease_generation(&generation) == 0)
		assert(nftlease_set(fuzz_cfg(), &until, &generation) <= 0);
	assert(nftlease_set(fuzz_cfg(), &shut, NULL) <= 0);
	assert(nftlease_remove(fuzz_cfg()) <= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	mnl_begin((struct input){ data, size }, NULL);
	look();
	return 0;
}
