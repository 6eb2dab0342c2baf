/* SPDX-License-Identifier: PostgreSQL */
#include "postgres/server_leased.h"

#include "base/log.h"
#include "node/leased.h"

/* Asked before: a right that is missing would be an error in that server's log each time.  Then
 * NULL, and so false, when the file is not there. */
static const char *const questions[] = {
	"SELECT has_function_privilege('pg_catalog.pg_stat_file(text, boolean)', 'EXECUTE')",
	"SELECT (pg_stat_file('" LEASED_DATA "', true)).size IS NOT NULL",
};

static int ask(bool *yes, struct pg *pg, const char *question, const struct deadline *dl)
{
	struct pg_result AUTO_PG_RESULT *row = NULL;
	int rc = pg_query(&row, pg, question, 1, 1, dl);

	return rc < 0 ? rc : pg_get_bool(row, 0, 0, yes);
}

enum fact server_leased(const struct cfg *cfg, enum pg_where where, const struct deadline *dl)
{
	struct pg AUTO_PG *pg = NULL;
	enum pg_failure failure;
	char why[160];
	bool may = false, leased = false;
	int rc = pg_borrow(&pg, cfg, where, dl, &failure, why, sizeof(why));

	if (rc == 0)
		rc = ask(&may, pg, questions[0], dl);
	if (rc == 0 && may)
		rc = ask(&leased, pg, questions[1], dl);
	if (rc < 0) {
		log_debug("whether the primary is held to its lease could not be asked: %s",
			  pg != NULL ? pg_error(pg) : why);
		return FACT_UNKNOWN;
	}
	pg_return(&pg);
	return may ? fact_of(leased) : FACT_UNKNOWN;
}
