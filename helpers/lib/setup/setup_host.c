/* SPDX-License-Identifier: PostgreSQL */
#include "setup/setup_host.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/lock.h"
#include "base/proc.h"
#include "base/state.h"
#include "net/nftlease.h"
#include "node/answer.h"
#include "node/attempt.h"
#include "node/election.h"
#include "node/path.h"
#include "postgres/pgdata_room.h"
#include "setup/setup_generated.h"
#include "setup/setup_pooler.h"

/* keepalived only prints its version. */
#define VERSION_MS 2000

static void look_at_version(struct setup_host *host, const struct deadline *dl)
{
	static const char *const places[] = { "/usr/sbin/keepalived", "/usr/local/sbin/keepalived",
					      "/sbin/keepalived" };
	struct deadline soon = deadline_sooner(dl, VERSION_MS);

	for (size_t i = 0; i < ARRAY_COUNT(places); i++) {
		const char *const argv[] = { places[i], "--version", NULL };
		const struct proc_spec spec = { .argv = argv };
		struct proc AUTO_PROC child = PROC_NONE;
		const char *at;

		if (state_exists(places[i]) != 1 || proc_run(&child, &spec, &soon) < 0)
			continue;
		/* "Keepalived v2.2.7 (01/16,2022)" */
		at = strstr(child.errors, "Keepalived v");
		if (at == NULL)
			at = strstr(child.output, "Keepalived v");
		if (at == NULL)
			continue;
		at += strlen("Keepalived v");
		(void)snprintf(host->keepalived, sizeof(host->keepalived), "%.*s",
			       (int)strcspn(at, " \n"), at);
		return;
	}
}

/* Why keepalived would not run it with enable_script_security, or somebody else than root could
 * change what root runs; "" : nothing. */
static const char *fault_of(const char *path, bool program)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return strerror(errno);
	if (st.st_uid != 0)
		return "is not root's";
	if (S_ISLNK(st.st_mode))
		return "";
	if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0 && (program || (st.st_mode & S_ISVTX) == 0))
		return "others than root may write it";
	return program && (st.st_mode & S_IXUSR) == 0 ? "cannot be executed" : "";
}

/* The file, and each directory above it. */
static enum fact is_safe(const char *path, char *why, size_t size)
{
	char at[PATH_MAX];
	const char *fault = fault_of(path, true);

	(void)snprintf(at, sizeof(at), "%s", path);
	while (fault[0] == '\0') {
		char *slash = strrchr(at, '/');

		if (slash == NULL || at[1] == '\0')
			return FACT_YES;
		slash[slash == at ? 1 : 0] = '\0';
		fault = fault_of(at, false);
	}
	(void)snprintf(why, size, "%.120s: %.60s", at, fault);
	return FACT_NO;
}

static void look_at_scripts(struct setup_host *host, const struct cfg *cfg)
{
	static const char *const names[] = { "check_answer", "promote_safe", "check_primary",
					     "fence_self",   "fence_old",    "rejoin" };

	host->scripts = FACT_YES;
	for (size_t i = 0; i < ARRAY_COUNT(names) && host->scripts == FACT_YES; i++) {
		char path[CFG_PATH_MAX + CFG_NAME_MAX];

		(void)snprintf(path, sizeof(path), "%s/%s", cfg->libexec_dir, names[i]);
		host->scripts = is_safe(path, host->scripts_why, sizeof(host->scripts_why));
	}
}

static enum fact gate_of(const struct cfg *cfg)
{
	struct nftlease is;
	int rc;

	if (!cfg->kernel_lease)
		return FACT_YES;
	rc = nftlease_look(cfg, &is);
	if (rc == -ENOENT || rc == -EOPNOTSUPP)
		return FACT_NO;
	return rc == 0 ? FACT_YES : FACT_UNKNOWN;
}

static void look_at_attempts(struct setup_host *host, const struct cfg *cfg)
{
	struct attempt_last last;

	host->could_fence = attempt_said(cfg, ATTEMPT_FENCE_TEST);
	if (attempt_read(cfg, ATTEMPT_REJOIN_CHECK, &last) < 0)
		return;
	host->could_return = last.answer;
	if (last.answer == FACT_NO)
		(void)snprintf(host->return_why, sizeof(host->return_why), "%.*s",
			       SETUP_WHY_MAX - 1, last.text);
}

void setup_host_look(struct setup_host *host, const struct cfg *cfg, const struct deadline *dl)
{
	int held = lock_held(file_lock(cfg, LOCK_GUARD).text);

	*host = (struct setup_host){ .known = true, .version = PGV_VERSION };
	setup_digest_of(cfg, host->digest, sizeof(host->digest));
	look_at_version(host, dl);
	host->generated = setup_generated(cfg, host->generated_why, sizeof(host->generated_why));
	look_at_scripts(host, cfg);
	host->guard = held < 0 ? FACT_UNKNOWN : fact_of(held);
	/* Without a guard it is of an earlier boot. */
	host->one_boot = host->guard == FACT_YES ? answer_is_of_this_boot(cfg) : FACT_YES;
	host->called = election_alive(cfg);
	host->gate = gate_of(cfg);
	host->no_pooler = setup_no_pooler(host->pooler_why, sizeof(host->pooler_why));
	host->free_bytes = pgdata_room(cfg).free_bytes;
	look_at_attempts(host, cfg);
}
