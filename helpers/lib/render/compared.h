/* SPDX-License-Identifier: PostgreSQL */
/* The counterparts of a printed configuration: the server of this node, its files, the other
 * node. */
#ifndef PGV_COMPARED_H
#define PGV_COMPARED_H

#include <limits.h>
#include <stdbool.h>

#include "config/cfg.h"
#include "postgres/server_settings.h"

struct compared {
	bool looked;          /* false: nobody was to be asked, and all below is unknown */
	bool node_known;      /* which node this is; else the other one cannot be asked */
	char place[PATH_MAX]; /* the file that standard output goes into; "": none */
	struct server_settings here;
	struct server_settings peer;
};

/* Looks; takes some seconds at the most, and never fails.  node_given: cfg->self is this node; else
 * it is looked for by its address. */
void compared_look(struct compared *compared, struct cfg *cfg, bool node_given);

/* The values of one setting, as far as they bind us. */
struct setting_seen;
void compared_seen(const struct compared *compared, const char *name, struct setting_seen *seen);

#endif
