/* SPDX-License-Identifier: PostgreSQL */
#include "check/duty_sync.h"

#include "base/log.h"
#include "postgres/server_config.h"
#include "postgres/server_sync.h"

/*
 * A run that is killed may leave names behind that are written and not taken yet, or a statement
 * that is still at it.  So the follower file says first that they are not known to be ours any
 * more; the next run writes them again, behind that statement, before it pairs.
 */
static int disown(struct follower *follower, const struct cfg *cfg)
{
	follower->target_lsn = 0;
	follower->loaded_us = 0;
	return follower_write(cfg, follower);
}

bool duty_sync_set(struct duty_facts *f, struct follower *follower, const struct cfg *cfg,
		   const char *names, const struct deadline *dl)
{
	int rc = disown(follower, cfg);

	if (rc == 0)
		rc = server_set_sync(cfg, names, dl);
	if (rc == 0 && names[0] != '\0')
		rc = server_config_loaded(&follower->loaded_us, cfg, dl);
	log_failed("set synchronous_standby_names", rc);
	if (rc == 0)
		log_info("synchronous_standby_names is now: %s",
			 names[0] != '\0' ? names : "empty");
	f->targeted = false;
	f->sync_on = rc < 0 ? FACT_UNKNOWN : fact_of(names[0] != '\0');
	return rc == 0;
}

bool duty_sync_off(struct duty_facts *f, struct follower *follower, const struct cfg *cfg,
		   struct server_config *config, const struct deadline *dl)
{
	int rc;

	server_config_ask(config, cfg, PG_LOCAL, dl);
	if (config->ignored != FACT_YES)
		return duty_sync_set(f, follower, cfg, "", dl);
	f->targeted = false;
	rc = disown(follower, cfg);
	if (rc == 0)
		rc = server_write_sync(cfg, "", dl);
	log_failed("set synchronous_standby_names", rc);
	return false;
}

/*
 * The files are looked at last: commits did not wait, perhaps, between two reads of them that put
 * other names there and ours back, and what they wrote may lie behind the target.
 */
void duty_sync_look(struct duty_facts *f, const struct follower *follower, const struct cfg *cfg,
		    const char *names, const struct deadline *dl)
{
	int64_t loaded_us;

	f->sync_settled = FACT_UNKNOWN;
	if (f->trust != RECORD_GOOD || !f->holder || f->paired || !f->mode_sync || f->paused ||
	    f->sync_on != FACT_YES || f->follows != FACT_YES)
		return;
	f->sync_settled = server_sync_settled(cfg, names, dl);
	if (server_config_loaded(&loaded_us, cfg, dl) < 0)
		f->sync_settled = FACT_UNKNOWN;
	else if (follower->loaded_us == 0 || loaded_us != follower->loaded_us)
		f->sync_on = FACT_UNKNOWN;
}
