/* SPDX-License-Identifier: PostgreSQL */
/*
 * Does a server take a reload?  One word in a configuration file that PostgreSQL does not know, or
 * a line that it cannot read, and it takes nothing from any file any more: no vote is withdrawn by
 * ALTER SYSTEM, no synchronous replication turned off, and it would not start again.  Until
 * somebody needs that, nothing shows it but a line in the server's log.
 */
#ifndef PGV_SERVER_CONFIG_H
#define PGV_SERVER_CONFIG_H

#include <stdint.h>

#include "base/auto.h"
#include "base/deadline.h"
#include "base/outcome.h"
#include "config/cfg.h"
#include "postgres/pg.h"

struct server_config {
	enum fact ignored; /* a reload would take nothing; UNKNOWN: it could not be asked */
	char why[256];     /* YES: file, line and what is wrong there; UNKNOWN: why, in words */
	char passed[256];  /* NO: one that a reload passes over, and takes the rest; "": none */
	char pending[128]; /* settings that wait for a restart; "": none */
};

/* Asks by pg_file_settings, which reads the files as the server's next reload would. */
void server_config_ask(struct server_config *config, const struct cfg *cfg, enum pg_where where,
		       const struct deadline *dl);

/*
 * When the local server last read its configuration files, in microseconds of its wall clock: to be
 * compared with an earlier answer only.  The same: no setting of theirs has changed in between, nor
 * changed and changed back.  In a new connection, because a session that was there before says when
 * it read them itself.  0 or -errno.
 */
int server_config_loaded(int64_t *loaded_us, const struct cfg *cfg,
			 const struct deadline *dl) MUST_CHECK;

/* Tells the local server to read its files.  0: it was told; -errno. */
int server_config_reload(const struct cfg *cfg, const struct deadline *dl) MUST_CHECK;

#endif
