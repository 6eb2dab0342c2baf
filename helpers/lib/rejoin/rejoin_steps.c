/* SPDX-License-Identifier: PostgreSQL */
/* Deeds and words that several steps of rejoin share. */
#include "rejoin/rejoin_steps.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "node/history.h"
#include "node/stamp.h"
#include "postgres/recovery_target.h"

#define PROGRESS_MS 2000
/* Settings that a restore left behind, in one line of the history. */
#define RESTORE_SETTINGS_MAX 480

void rejoin_progress(struct rejoin *r, const char *what)
{
	int64_t now = now_ms();

	if (r->told_ms == 0)
		r->told_ms = now;
	if (now - r->told_ms < PROGRESS_MS || isatty(STDERR_FILENO) != 1)
		return;
	r->told_ms = now;
	(void)fprintf(stderr, "rejoin: %s\n", what);
}

bool rejoin_fail(struct verdict *verdict, enum outcome outcome, const char *rule,
		 const char *message, int rc)
{
	*verdict = (struct verdict){ .outcome = outcome, .rule = rule, .message = message };
	(void)snprintf(verdict->detail, sizeof(verdict->detail), "%s", strerror(-rc));
	return false;
}

void rejoin_event(const struct rejoin *r, const char *what, const char *detail)
{
	if (history_add(r->cfg, what, detail) < 0)
		log_warning("could not write the history");
}

static void tell_settings(const struct rejoin *r, const char *how, const char *which)
{
	char detail[RESTORE_SETTINGS_MAX + 64];

	(void)snprintf(detail, sizeof(detail), "%s: %s", how, which);
	log_info("settings of a restore, %s", detail);
	rejoin_event(r, "settings", detail);
}

int rejoin_make_standby(struct rejoin *r, const struct cfg *cfg)
{
	char conninfo[SERVER_CONNINFO_MAX], which[RESTORE_SETTINGS_MAX] = "";
	enum fact target;
	int rc = server_conninfo_to_peer(cfg, conninfo, sizeof(conninfo));

	if (rc == 0)
		rc = pgdata_take_restore_settings(cfg, which, sizeof(which));
	if (rc < 0)
		return rc;
	if (which[0] != '\0')
		tell_settings(r, "taken out of postgresql.auto.conf", which);
	target = recovery_target_of_files(which, sizeof(which), cfg, &r->dl);
	if (target == FACT_UNKNOWN)
		return -ETIMEDOUT;
	if (target == FACT_YES)
		tell_settings(r, "overruled in postgresql.auto.conf", which);
	rc = pgdata_make_standby(cfg, conninfo, target == FACT_YES);
	if (rc < 0)
		return rc;
	r->target = FACT_NO;
	return stamp_clear(r->cfg, STAMP_STRAY);
}

bool rejoin_follow(struct rejoin *r, struct verdict *verdict)
{
	int rc = rejoin_make_standby(r, r->cfg);

	if (rc < 0)
		return rejoin_fail(verdict, OUT_SYSTEM, "make-standby",
				   "the data directory could not be made a standby's", rc);
	log_info("the data directory is a standby's of %s now", cfg_peer(r->cfg)->name);
	return true;
}
