/* SPDX-License-Identifier: PostgreSQL */
/* Of what keepalived/role.sql.in grants: that which a takeover cannot do without. */
#include "base/log.h"
#include "postgres/server.h"

/*
 * The rights for the functions that a takeover calls; for those that commits need that must not
 * wait for the node which is gone; and whether CONNECT is the role's own.  Everybody has it by
 * default, until somebody takes it from PUBLIC.
 */
static const char question[] =
    "SELECT has_function_privilege('pg_catalog.pg_promote(boolean, integer)', 'EXECUTE')"
    " AND has_function_privilege('pg_catalog.pg_reload_conf()', 'EXECUTE')"
    " AND has_parameter_privilege('primary_conninfo', 'ALTER SYSTEM'),"
    " has_parameter_privilege('synchronous_standby_names', 'ALTER SYSTEM'),"
    " current_setting('is_superuser')::bool OR EXISTS (SELECT FROM pg_database AS d"
    "  CROSS JOIN LATERAL aclexplode(d.datacl) AS a"
    "  WHERE d.datname = current_database() AND a.privilege_type = 'CONNECT'"
    "  AND a.grantee <> 0 AND pg_has_role(a.grantee, 'USAGE'))";

void server_rights_ask(struct server_rights *rights, const struct cfg *cfg, enum pg_where where,
		       const struct deadline *dl)
{
	const bool sets_sync = cfg_has_record(cfg) && cfg->mode == MODE_SYNC;
	struct pg AUTO_PG *pg = NULL;
	struct pg_result AUTO_PG_RESULT *row = NULL;
	enum pg_failure failure;
	char why[160];
	bool has[3] = { false };
	int rc = pg_borrow(&pg, cfg, where, dl, &failure, why, sizeof(why));

	*rights = (struct server_rights){ .take_over = FACT_UNKNOWN };
	if (rc == 0)
		rc = pg_query(&row, pg, question, ARRAY_COUNT(has), 1, dl);
	for (size_t i = 0; i < ARRAY_COUNT(has) && rc == 0; i++)
		rc = pg_get_bool(row, 0, i, &has[i]);
	if (rc < 0) {
		log_warning("which rights the role has could not be asked: %s",
			    pg != NULL ? pg_error(pg) : why);
		return;
	}
	pg_return(&pg);
	rights->take_over = fact_of(has[0] && (has[1] || !sets_sync));
	rights->own_connect = fact_of(has[2]);
}
