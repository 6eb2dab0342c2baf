/* SPDX-License-Identifier: PostgreSQL */
#include "postgres/recovery_target.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "postgres/pgdata.h"
#include "postgres/pgdata_setting.h"

enum fact recovery_target_of_files(char *what, size_t size, const struct cfg *cfg,
				   const struct deadline *dl)
{
	struct pgdata_setting settings[RECOVERY_TARGETS];
	int rc;

	for (size_t i = 0; i < RECOVERY_TARGETS; i++)
		settings[i] = (struct pgdata_setting){ .name = recovery_targets[i] };
	rc = pgdata_settings(settings, RECOVERY_TARGETS, cfg, dl);
	if (rc < 0)
		log_warning("could not read the server's configuration: %s", strerror(-rc));
	if (rc < 0)
		return rc == -EPROTO ? FACT_NO : FACT_UNKNOWN;
	for (size_t i = 0; i < RECOVERY_TARGETS; i++) {
		const char *file =
		    cfg->config_file[0] != '\0' ? cfg->config_file : "postgresql.conf";

		if (settings[i].value[0] == '\0')
			continue;
		if (pgdata_auto_conf_sets(cfg, settings[i].name))
			(void)snprintf(what, size, "%s = '%.100s' in postgresql.auto.conf",
				       settings[i].name, settings[i].value);
		else
			(void)snprintf(what, size,
				       "%s = '%.100s' in %.120s or a file that it includes",
				       settings[i].name, settings[i].value, file);
		return FACT_YES;
	}
	return FACT_NO;
}

enum fact recovery_target_of_server(char *what, size_t size, struct pg *pg,
				    const struct deadline *dl)
{
	static const char sql[] =
	    "SELECT format('%s = ''%s'' in %s', name, left(setting, 100),"
	    " coalesce(sourcefile, 'its configuration')) FROM pg_settings"
	    " WHERE name IN ('recovery_target', 'recovery_target_time', 'recovery_target_xid',"
	    " 'recovery_target_name', 'recovery_target_lsn') AND setting <> '' LIMIT 1";
	struct pg_result AUTO_PG_RESULT *rows = NULL;
	int rc = pg_query(&rows, pg, sql, 1, 0, dl);

	if (rc < 0)
		return FACT_UNKNOWN;
	if (pg_rows(rows) == 0)
		return FACT_NO;
	/* A name too long for the buffer is still a target that is set. */
	if (pg_get_text(rows, 0, 0, what, size) < 0)
		(void)snprintf(what, size, "recovery_target");
	return FACT_YES;
}

enum fact recovery_target_of_local(char *what, size_t size, const struct cfg *cfg,
				   const struct deadline *dl)
{
	struct pg AUTO_PG *pg = NULL;
	enum pg_failure failure;
	char why[160];

	if (pg_open(&pg, cfg, PG_LOCAL, dl, &failure, why, sizeof(why)) < 0)
		return FACT_UNKNOWN;
	return recovery_target_of_server(what, size, pg, dl);
}
