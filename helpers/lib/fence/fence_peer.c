/* SPDX-License-Identifier: PostgreSQL */
#include "fence/fence_peer.h"

#include <stdio.h>

#include "fence/fence_ssh.h"

int fence_peer_ask(struct proc *child, const struct cfg *cfg, bool through_witness,
		   enum fence_ask ask, int64_t window_ms)
{
	const struct cfg_node *peer = cfg_peer(cfg);
	struct fence_line line = { .ask = ask, .window_ms = window_ms };
	char request[FENCE_LINE_MAX];
	struct fence_ssh ssh;
	const struct proc_spec spec = { .argv = ssh.argv };
	int rc;

	(void)snprintf(line.cluster, sizeof(line.cluster), "%s", cfg->name);
	(void)snprintf(line.node, sizeof(line.node), "%s", peer->name);
	rc = fence_request_format(&line, request, sizeof(request));
	if (rc == 0)
		rc = fence_ssh_node(&ssh, cfg, peer, through_witness, request);
	return rc == 0 ? proc_start(child, &spec) : rc;
}
