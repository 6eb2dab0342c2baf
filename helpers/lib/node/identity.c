/* SPDX-License-Identifier: PostgreSQL */
#include "node/identity.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/log.h"
#include "net/net.h"

int node_identify(struct cfg *cfg, const char *name)
{
	size_t found = 0;

	if (name != NULL)
		return node_identify_named(cfg, name);
	for (size_t i = 0; i < CFG_NODES; i++) {
		int rc = net_has_address(cfg->nodes[i].address, NULL);

		if (rc < 0) {
			log_complaint("cannot read this host's addresses: %s", strerror(-rc));
			return -ENOENT;
		}
		if (rc > 0) {
			cfg->self = i;
			found++;
		}
	}
	if (found != 1) {
		log_complaint(
		    "%s: this host has %s of the addresses %s (node %s) and %s (node %s); "
		    "say which node it is with -n NODE",
		    cfg->path, found == 0 ? "neither" : "both", cfg->nodes[0].address,
		    cfg->nodes[0].name, cfg->nodes[1].address, cfg->nodes[1].name);
		return -ENOENT;
	}
	log_identity(cfg->name, cfg->nodes[cfg->self].name);
	return 0;
}
