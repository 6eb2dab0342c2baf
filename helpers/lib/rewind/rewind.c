/* SPDX-License-Identifier: PostgreSQL */
#include "rewind/rewind.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/state.h"
#include "postgres/pg.h"
#include "postgres/pgdata_setting.h"
#include "postgres/server.h"
#include "postgres/server_log.h"

static void program_path(char *path, size_t size, const struct cfg *cfg, const char *name)
{
	(void)snprintf(path, size, "%s/%s", cfg->bin_dir, name);
}

/* The last line that is not empty, without its end. */
static void last_line(const char *text, char *line, size_t size)
{
	size_t end = strlen(text), begin;

	while (end > 0 && (text[end - 1] == '\n' || text[end - 1] == ' '))
		end--;
	for (begin = end; begin > 0 && text[begin - 1] != '\n'; begin--)
		continue;
	(void)snprintf(line, size, "%.*s", (int)(end - begin), text + begin);
}

/* ---- crash recovery ---- */

int rewind_recover(const struct cfg *cfg, const struct deadline *dl, char *why, size_t size)
{
	char program[CFG_PATH_MAX + 32], setting[CFG_PATH_MAX + 32];
	const char *argv[] = { program,     "--single", "-D", cfg->data_dir,
			       "template1", NULL,       NULL, NULL };
	const struct proc_spec spec = { .argv = argv, .as_user = cfg->os_user };
	struct proc AUTO_PROC child = PROC_NONE;
	struct pgdata_control control;
	int rc;

	program_path(program, sizeof(program), cfg, "postgres");
	if (cfg->config_file[0] != '\0') {
		(void)snprintf(setting, sizeof(setting), "config_file=%s", cfg->config_file);
		argv[4] = "-c";
		argv[5] = setting;
		argv[6] = "template1";
	}
	rc = proc_run(&child, &spec, dl);
	if (rc < 0) {
		(void)snprintf(why, size, "%s", strerror(-rc));
		return rc;
	}
	pgdata_control(&control, cfg, dl);
	if (child.exit_code == 0 && control.known && control.shut_down)
		return 0;
	log_warning("crash recovery: exit code %d, %s", child.exit_code,
		    control.known ? control.state : control.why);
	server_log_reason(child.errors, why, size);
	if (why[0] == '\0')
		(void)snprintf(why, size, "exit code %d; see the server's log", child.exit_code);
	return -EPROTO;
}

/* ---- pg_rewind ---- */

bool rewind_has_archive(const struct cfg *cfg, const struct deadline *dl)
{
	struct pgdata_setting command = { .name = "restore_command" };

	return pgdata_settings(&command, 1, cfg, dl) == 0 && command.value[0] != '\0';
}

static int source_conninfo(const struct cfg *cfg, char *conninfo, size_t size)
{
	char peer[SERVER_CONNINFO_MAX];
	const struct conninfo_item database = { "dbname", cfg->database };
	int rc = server_conninfo_to_peer(cfg, peer, sizeof(peer));

	return rc < 0 ? rc : conninfo_compose(&database, 1, peer, conninfo, size);
}

int rewind_begin(struct proc *child, const struct cfg *cfg, const struct deadline *dl)
{
	char program[CFG_PATH_MAX + 32], target[CFG_PATH_MAX + 32];
	char config[CFG_PATH_MAX + 32], source[SERVER_CONNINFO_MAX + 128] = "--source-server=";
	const char *argv[] = { program, target, source, NULL, NULL, NULL };
	const struct proc_spec spec = { .argv = argv, .as_user = cfg->os_user };
	size_t used = strlen(source);
	int rc = source_conninfo(cfg, source + used, sizeof(source) - used);

	if (rc < 0)
		return rc;
	program_path(program, sizeof(program), cfg, "pg_rewind");
	(void)snprintf(target, sizeof(target), "--target-pgdata=%s", cfg->data_dir);
	(void)snprintf(config, sizeof(config), "--config-file=%s", cfg->config_file);
	/* Before version 15 it cannot be told where the configuration is. */
	if ((cfg->config_file[0] == '\0' || cfg->version >= 15) && rewind_has_archive(cfg, dl)) {
		argv[3] = "--restore-target-wal";
		argv[4] = cfg->config_file[0] != '\0' ? config : NULL;
	}
	return proc_start(child, &spec);
}

void rewind_why(const struct proc *child, char *text, size_t size)
{
	const char *error = strstr(child->errors, "error: ");

	if (error == NULL)
		error = strstr(child->errors, "fatal: ");
	if (error == NULL)
		last_line(child->errors, text, size);
	else
		(void)snprintf(text, size, "%.*s", (int)strcspn(error, "\n"), error);
	if (text[0] == '\0')
		(void)snprintf(text, size, "exit code %d", child->exit_code);
}

/* ---- what is left of one that nobody saw end ---- */

enum fact rewind_completed(const struct cfg *cfg, const struct rewinding_mark *mark,
			   const struct pgdata_control *control)
{
	char path[CFG_PATH_MAX + 32], label[STATE_TEXT_MAX];
	int rc;

	if (mark->present != FACT_YES)
		return FACT_NO;
	if (mark->done)
		return FACT_YES;
	if (!mark->this_boot || !control->known || !control->in_recovery)
		return FACT_NO;
	(void)snprintf(path, sizeof(path), "%s/backup_label", cfg->data_dir);
	rc = state_read(path, label, sizeof(label));
	if (rc < 0)
		return rc == -ENOENT ? FACT_NO : FACT_UNKNOWN;
	return fact_of(strstr(label, "\nBACKUP METHOD: pg_rewind\n") != NULL);
}
