/* SPDX-License-Identifier: PostgreSQL */
#include "net/nft.h"

#include <errno.h>
#include <string.h>

#include "base/proc.h"
#include "base/text.h"
#include "net/nftlease_link.h"

#define NFT "/usr/sbin/nft"

int nft_run(const char *text, const struct deadline *dl, char *why, size_t size)
{
	const char *const argv[] = { NFT, "-f", "-", NULL };
	const struct proc_spec spec = { .argv = argv, .input = text };
	struct proc AUTO_PROC child = PROC_NONE;
	uint32_t generation;
	int rc = proc_run(&child, &spec, dl);

	text_clean(why, size, rc == 0 ? child.errors : strerror(-rc));
	if (rc != 0)
		return rc;
	if (child.exit_code == 0)
		return 0;
	/* nft cannot be executed, or the kernel knows nothing of what it asks for. */
	if (child.exit_code == 127 || nftlease_link_generation(&generation) == -EOPNOTSUPP)
		return -EOPNOTSUPP;
	return -EIO;
}
