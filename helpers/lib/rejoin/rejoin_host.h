/* SPDX-License-Identifier: PostgreSQL */
/*
 * Looks for what the databases of the other node need on this host, and what the server here needs
 * at its next start, while both run: a directory, library or locale that is on one node only ends a
 * standby as soon as it meets it, and is named only in that server's log.
 */
#ifndef PGV_REJOIN_HOST_H
#define PGV_REJOIN_HOST_H

#include "base/deadline.h"
#include "base/outcome.h"
#include "config/cfg.h"
#include "postgres/pg.h"

#define REJOIN_HOST_WHY_MAX 256

/* NO names the first one that is missing, in why. */
struct rejoin_host {
	enum fact spaces;       /* the directories of the other node's tablespaces */
	enum fact libraries;    /* of extensions, and of shared_preload_libraries of this server */
	enum fact locales;      /* of the databases */
	enum fact certificates; /* ssl_cert_file and the like, where ssl is on */
	char spaces_why[REJOIN_HOST_WHY_MAX];
	char libraries_why[REJOIN_HOST_WHY_MAX];
	char locales_why[REJOIN_HOST_WHY_MAX];
	char certificates_why[REJOIN_HOST_WHY_MAX];
};

/*
 * Asks a server in a connection that is there what it needs, and looks for it here.  Called for the
 * local server and for the other one, with one *host.  0, or -errno: what was not found missing is
 * UNKNOWN then.  Functions of other databases than the one that is connected to are not seen.
 */
int rejoin_host_look(struct rejoin_host *host, const struct cfg *cfg, enum pg_where where,
		     struct pg *pg, const struct deadline *dl) MUST_CHECK;

/* Are the libraries of a list like shared_preload_libraries on this host, for the server to read?
 * NO names the first one that is not, in why[size]. */
enum fact rejoin_host_libraries(const struct cfg *cfg, const char *list, char *why, size_t size);

#endif
