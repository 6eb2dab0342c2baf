/* SPDX-License-Identifier: PostgreSQL */
#include "postgres/pgdata_setting.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/proc.h"

/* postgres -C only reads the configuration. */
#define ASK_MS 5000

static int begin(struct proc *child, const char *name, const struct cfg *cfg)
{
	char program[CFG_PATH_MAX + 32], file[CFG_PATH_MAX + 32];
	const char *argv[] = { program, "-D", cfg->data_dir, "-C", name, NULL, NULL, NULL };
	const struct proc_spec spec = { .argv = argv, .as_user = cfg->os_user };

	(void)snprintf(program, sizeof(program), "%s/postgres", cfg->bin_dir);
	if (cfg->config_file[0] != '\0') {
		(void)snprintf(file, sizeof(file), "config_file=%s", cfg->config_file);
		argv[5] = "-c";
		argv[6] = file;
	}
	return proc_start(child, &spec);
}

static int take(struct pgdata_setting *setting, struct proc *child, const struct deadline *dl)
{
	int rc = proc_wait(child, dl);

	if (rc < 0)
		return rc;
	if (child->exit_code != 0)
		return -EPROTO;
	(void)snprintf(setting->value, sizeof(setting->value), "%.*s",
		       (int)strcspn(child->output, "\n"), child->output);
	return 0;
}

/* "2026-11-30 11:44:15.123 UTC [42] LOG:  syntax error ..." without what stands before
 * the words. */
static void first_words(char *why, size_t size, const char *errors)
{
	size_t length = strcspn(errors, "\n");
	const char *colon = strstr(errors, ":  ");

	if (colon != NULL && colon < errors + length) {
		colon += strspn(colon, ": ");
		length -= (size_t)(colon - errors);
		errors = colon;
	}
	(void)snprintf(why, size, "%.*s", (int)length, errors);
}

int pgdata_settings_usable(const struct cfg *cfg, char *why, size_t size, const struct deadline *dl)
{
	struct proc AUTO_PROC child = PROC_NONE;
	struct deadline soon = deadline_sooner(dl, ASK_MS);
	int rc = begin(&child, "data_directory", cfg);

	if (rc == 0)
		rc = proc_wait(&child, &soon);
	if (rc < 0 || child.exit_code == 0)
		return rc;
	first_words(why, size, child.errors);
	/* 127 and more: it did not run, or was ended. */
	return child.exit_code < 127 ? -EPROTO : -ENOEXEC;
}

int pgdata_settings(struct pgdata_setting *settings, size_t count, const struct cfg *cfg,
		    const struct deadline *dl)
{
	struct proc AUTO_FREE *children = calloc(PGDATA_SETTINGS_MAX, sizeof(*children));
	struct deadline soon = deadline_sooner(dl, ASK_MS);
	size_t begun = 0;
	int rc = 0;

	if (children == NULL || count > PGDATA_SETTINGS_MAX)
		return children == NULL ? -ENOMEM : -EINVAL;
	while (rc == 0 && begun < count) {
		rc = begin(&children[begun], settings[begun].name, cfg);
		begun += rc == 0;
	}
	for (size_t i = 0; i < begun; i++) {
		if (rc == 0)
			rc = take(&settings[i], &children[i], &soon);
		proc_end(&children[i]);
	}
	return rc;
}
