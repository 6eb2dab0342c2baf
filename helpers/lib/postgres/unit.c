/* SPDX-License-Identifier: PostgreSQL */
#include "postgres/unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/proc.h"
#include "node/stamp.h"
#include "postgres/pgdata.h"

/* Until a postmaster is there: an end of the server that systemd is still busy with comes before,
 * and the gate. */
#define START_MS 30000
/* systemd answers each question within milliseconds, or hangs. */
#define ANSWER_MS 5000
/* Between two looks at the unit. */
#define LOOK_AGAIN_MS 50

struct unit_systemd unit_systemd = {
	.systemctl = "/usr/bin/systemctl",
	.booted = "/run/systemd/system",
};

bool unit_is_used(const struct cfg *cfg)
{
	return cfg->unit[0] != '\0' && access(unit_systemd.booted, F_OK) == 0;
}

enum unit_state unit_state_of(const char *shown)
{
	static const struct {
		const char *word;
		enum unit_state state;
	} states[] = {
		{ "ActiveState=active\n", UNIT_UP },
		{ "ActiveState=reloading\n", UNIT_UP },
		{ "ActiveState=inactive\n", UNIT_DOWN },
		{ "ActiveState=failed\n", UNIT_DOWN },
		{ "ActiveState=activating\n", UNIT_CHANGING },
		{ "ActiveState=deactivating\n", UNIT_CHANGING },
	};
	const char *job = strstr(shown, "Job=");

	if (job != NULL && job[4] >= '1' && job[4] <= '9')
		return UNIT_CHANGING;
	for (size_t i = 0; i < ARRAY_COUNT(states); i++) {
		if (strstr(shown, states[i].word) != NULL)
			return states[i].state;
	}
	return UNIT_UNKNOWN;
}

static enum unit_state look(const struct cfg *cfg, const struct deadline *dl)
{
	const char *const argv[] = {
		unit_systemd.systemctl, "show", "--property=ActiveState,Job", "--", cfg->unit, NULL
	};
	const struct proc_spec spec = { .argv = argv };
	struct deadline soon = deadline_sooner(dl, ANSWER_MS);
	struct proc AUTO_PROC child = PROC_NONE;

	if (proc_run(&child, &spec, &soon) < 0 || child.exit_code != 0)
		return UNIT_UNKNOWN;
	return unit_state_of(child.output);
}

/* Puts the job into systemd's queue.  -EAGAIN: another one that is in the way is about to end. */
static int ask(const struct cfg *cfg, const struct deadline *dl)
{
	/* Whoever stops the unit this moment is left alone until his stop is done. */
	const char *const argv[] = { unit_systemd.systemctl,
				     "--no-block",
				     "--no-ask-password",
				     "--job-mode=fail",
				     "start",
				     "--",
				     cfg->unit,
				     NULL };
	const struct proc_spec spec = { .argv = argv };
	struct deadline soon = deadline_sooner(dl, ANSWER_MS);
	struct proc AUTO_PROC child = PROC_NONE;
	int rc = stamp_write(cfg, STAMP_STARTING, now_ms() + cfg->lease_ms, cfg->unit);

	if (rc == 0)
		rc = proc_run(&child, &spec, &soon);
	if (rc < 0 || child.exit_code == 0)
		return rc;
	if (look(cfg, dl) == UNIT_CHANGING)
		return -EAGAIN;
	log_warning("systemctl start %s: exit code %d: %s", cfg->unit, child.exit_code,
		    child.errors);
	return -ECHILD;
}

enum fact unit_host_is_leaving(const struct deadline *dl)
{
	const char *const argv[] = { unit_systemd.systemctl, "is-system-running", NULL };
	const struct proc_spec spec = { .argv = argv };
	struct deadline soon = deadline_sooner(dl, ANSWER_MS);
	struct proc AUTO_PROC child = PROC_NONE;

	/* The exit code is 1 for every state but "running". */
	if (proc_run(&child, &spec, &soon) < 0 || child.output[0] == '\0')
		return FACT_UNKNOWN;
	return fact_of(strcmp(child.output, "stopping\n") == 0);
}

static bool postmaster_runs(const struct cfg *cfg)
{
	pid_t pid;
	AUTO_FD int fd = pgdata_postmaster(cfg, &pid);

	return fd >= 0;
}

/*
 * A unit that is up without a server has not seen the end of the last one yet: a start would do
 * nothing.  One that is down again behind our start was refused by its gate, or its server ended.
 */
static int ask_and_wait(const struct cfg *cfg, const struct deadline *dl)
{
	bool asked = false;
	int rc = -EAGAIN;

	while (!deadline_passed(dl)) {
		struct deadline pause = deadline_sooner(dl, LOOK_AGAIN_MS);
		const enum unit_state state = look(cfg, dl);

		if (postmaster_runs(cfg))
			return 0;
		if (asked && state == UNIT_DOWN)
			return -ECHILD;
		if (!asked && state != UNIT_UP) {
			rc = ask(cfg, dl);
			if (rc < 0 && rc != -EAGAIN)
				return rc;
			asked = rc == 0;
		}
		deadline_sleep(&pause);
	}
	return -ETIMEDOUT;
}

int unit_start(const struct cfg *cfg, const struct deadline *dl)
{
	struct deadline limit = deadline_sooner(dl, START_MS);
	int rc = ask_and_wait(cfg, &limit);

	if (rc == -ETIMEDOUT)
		log_warning("systemd has not started %s in %d s", cfg->unit, START_MS / 1000);
	log_failed("remove the stamp of the start", stamp_clear(cfg, STAMP_STARTING));
	return rc;
}
