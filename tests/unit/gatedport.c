/* SPDX-License-Identifier: PostgreSQL */
#include "gatedport.h"

#include <stdio.h>
#include <unistd.h>

#include "base/deadline.h"
#include "net/nftlease.h"

struct netfixture gated_network;
int gated_listener;

struct cfg gated_cfg = {
	.name = "main",
	.port = GATED_PORT,
	.nodes = { { .name = "n1", .address = NEAR }, { .name = "n2", .address = FAR } },
	.lease_ms = 5000,
	.kernel_lease = true,
};

int gatedport_begin(void **state)
{
	(void)state;
	return netfixture_begin(&gated_network) != 0 || farclient_begin(&gated_network) != 0 ||
	       (gated_listener = farclient_listen("::", GATED_PORT)) < 0;
}

int gatedport_end(void **state)
{
	(void)state;
	(void)close(gated_listener);
	netfixture_end(&gated_network);
	return 0;
}

int gatedport_open(void **state)
{
	const struct nftlease open = { .gate = NFTLEASE_OPEN };
	const struct deadline dl = deadline_in_ms(5000);
	char why[200];
	int rc = nftlease_lay(&gated_cfg, &open, &dl, why, sizeof(why));

	(void)state;
	if (rc != 0)
		(void)fprintf(stderr, "gatedport: %d: %s\n", rc, why);
	return rc;
}
