/* SPDX-License-Identifier: PostgreSQL */
/* Running nft(8), with a text in its language on its standard input: one transaction. */
#ifndef PGV_NFT_H
#define PGV_NFT_H

#include <stddef.h>

#include "base/auto.h"
#include "base/deadline.h"

/*
 * 0; -EOPNOTSUPP (no nft, or no nftables in the kernel), -ETIMEDOUT, -EIO (nft refused the text),
 * or another -errno; `why` then says it in words.
 */
int nft_run(const char *text, const struct deadline *dl, char *why, size_t size) MUST_CHECK;

#endif
