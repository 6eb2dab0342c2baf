/* SPDX-License-Identifier: PostgreSQL */
#include "node/helper.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/deadline.h"
#include "base/lock.h"
#include "base/log.h"
#include "node/identity.h"

bool helper_begin(struct cfg *cfg, const struct cli *cli, enum helper_needs needs,
		  struct verdict *verdict)
{
	int rc = 0;

	if (cfg_load(cfg, cli->config_path) < 0 ||
	    (needs >= HELPER_NODE && node_identify(cfg, cli->node) < 0)) {
		*verdict = cli_config_error();
		return false;
	}
	if (needs >= HELPER_TRIES_FILES)
		rc = files_prepare(cfg);
	if (needs < HELPER_FILES)
		log_failed("make the run and state directories", rc);
	else if (rc < 0)
		*verdict = (struct verdict)SYSTEM_ERROR(
		    "files", "could not make the run and state directories", "is it run by root?");
	return needs < HELPER_FILES || rc == 0;
}

bool helper_lock(int *fd, const struct cfg *cfg, enum node_lock lock, int64_t wait_ms,
		 struct verdict *verdict)
{
	const struct file_path path = file_lock(cfg, lock);
	const struct deadline dl = deadline_in_ms(wait_ms);
	int rc = lock_take(fd, path.text, &dl);

	if (rc < 0 && rc != -ETIMEDOUT) {
		*verdict = (struct verdict)SYSTEM_ERROR(
		    "lock", "could not take the lock of this helper", "is run_dir writable?");
		(void)snprintf(verdict->detail, sizeof(verdict->detail), "%s: %s", path.text,
			       strerror(-rc));
	}
	return rc == 0;
}

bool helper_has_tried(const struct cli *cli, const struct verdict *verdict)
{
	return !cli->dry_run && verdict->id != RULE_ALREADY_RUNNING;
}

int helper_end(const struct cli *cli, const struct verdict *verdict, bool told)
{
	return told ? (int)verdict->outcome : cli_finish(cli, verdict);
}
