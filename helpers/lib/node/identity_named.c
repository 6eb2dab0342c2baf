/* SPDX-License-Identifier: PostgreSQL */
/* A file of its own: who is told which node this is needs no library that reads addresses. */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/log.h"
#include "node/identity.h"

int node_identify_named(struct cfg *cfg, const char *name)
{
	for (size_t i = 0; i < CFG_NODES; i++) {
		if (strcmp(cfg->nodes[i].name, name) != 0)
			continue;
		cfg->self = i;
		log_identity(cfg->name, name);
		return 0;
	}
	log_complaint("%s: there is no node \"%s\"; nodes are \"%s\" and \"%s\"", cfg->path, name,
		      cfg->nodes[0].name, cfg->nodes[1].name);
	return -ENOENT;
}
