/* SPDX-License-Identifier: PostgreSQL */
/*
 * Settings of one server: what is in use, what its files say for the next start, and where each was
 * set.  Asked before there is a role of ours as well: by the unix socket, as the owner of the
 * server.
 */
#ifndef PGV_SERVER_SETTINGS_H
#define PGV_SERVER_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/deadline.h"
#include "config/cfg.h"
#include "postgres/pg.h"

#define SERVER_SETTINGS_MAX 32
#define SERVER_SETTING_MAX  256

struct server_setting {
	const char *name;
	bool now_known;
	bool next_known;
	bool standard; /* nobody has set it */
	bool pending;  /* another value waits for a restart */
	bool by_call;  /* set on the command line or in the environment, and no file changes that */
	char now[SERVER_SETTING_MAX];  /* in use; a number in PostgreSQL's own unit, without it */
	char next[SERVER_SETTING_MAX]; /* the files say so for the next start; the same */
	char file[CFG_PATH_MAX]; /* that sets it, at this line; "": none does, or it is not told */
	int64_t line;
};

struct server_settings {
	bool known;    /* the server answered */
	char why[160]; /* when it did not */
	enum pg_failure failure;
	bool control_known;  /* it did not, and now is what pg_control keeps of some settings */
	bool files_known;    /* next is known */
	bool files_unusable; /* the server would not start with them */
	char files_why[240]; /* when one of the two is so, in PostgreSQL's words */
	bool standby;
	int64_t slots; /* these three without temporary ones, which end with a restart */
	int64_t logical_slots;
	int64_t other_slots; /* not ours (postgres/server_slots.h) */
	size_t count;
	struct server_setting list[SERVER_SETTINGS_MAX];
};

/* Names what is to be asked for; names is kept. */
void server_settings_begin(struct server_settings *settings, const char *const *names,
			   size_t count);

/*
 * Asks.  PG_LOCAL: as the owner of the server where this process may be him, else as our role; only
 * the server of the configured data directory counts, as another one may have the port.  Never
 * fails: what could not be found out is in why.
 */
void server_settings_ask(struct server_settings *settings, const struct cfg *cfg,
			 enum pg_where where, const struct deadline *dl);

/* Reads what this node's files say, with the server up or down (pgdata_setting.h); and where it was
 * not asked with success before, what pg_control keeps of the last one.  The same. */
void server_settings_read(struct server_settings *settings, const struct cfg *cfg,
			  const struct deadline *dl);

/* NULL: it was not named. */
const struct server_setting *server_setting(const struct server_settings *settings,
					    const char *name);

#endif
