/* SPDX-License-Identifier: PostgreSQL */
/* Of what keepalived/role.sql.in grants: that which a takeover cannot do without. */
#include "base/log.h"
#include "postgres/server.h"

enum fact server_lets_take_over(const struct cfg *cfg, enum pg_where where,
				const struct deadline *dl)
{
	/* The second one is for commits that must not wait for the node which is gone. */
	static const char question[] =
	    "SELECT has_function_privilege('pg_catalog.pg_promote(boolean, integer)', 'EXECUTE')"
	    " AND has_function_privilege('pg_catalog.pg_reload_conf()', 'EXECUTE')"
	    " AND has_parameter_privilege('primary_conninfo', 'ALTER SYSTEM'),"
	    " has_parameter_privilege('synchronous_standby_names', 'ALTER SYSTEM')";
	const bool sets_sync = cfg_has_record(cfg) && cfg->mode == MODE_SYNC;
	struct pg AUTO_PG *pg = NULL;
	struct pg_result AUTO_PG_RESULT *row = NULL;
	enum pg_failure failure;
	char why[160];
	bool promotes = false;
	bool syncs = false;
	int rc = pg_open(&pg, cfg, where, dl, &failure, why, sizeof(why));

	if (rc == 0)
		rc = pg_query(&row, pg, question, 2, 1, dl);
	if (rc == 0)
		rc = pg_get_bool(row, 0, 0, &promotes);
	if (rc == 0)
		rc = pg_get_bool(row, 0, 1, &syncs);
	if (rc < 0) {
		log_warning("which rights the role has could not be asked: %s",
			    pg != NULL ? pg_error(pg) : why);
		return FACT_UNKNOWN;
	}
	return fact_of(promotes && (syncs || !sets_sync));
}
