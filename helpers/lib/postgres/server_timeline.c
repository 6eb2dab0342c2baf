/* SPDX-License-Identifier: PostgreSQL */
#include <errno.h>

#include "base/log.h"
#include "postgres/pg.h"
#include "postgres/server.h"

int server_replay_timeline(const struct cfg *cfg, uint32_t *timeline, const struct deadline *dl)
{
	struct pg AUTO_PG *pg = NULL;
	struct pg_result AUTO_PG_RESULT *row = NULL;
	enum pg_failure failure;
	char why[160];
	int64_t number = 0;
	int rc = pg_open_walsender(&pg, cfg, PG_LOCAL, dl, &failure, why, sizeof(why));

	*timeline = 0;
	if (rc < 0) {
		log_warning("could not ask the local server which timeline it replays: %s", why);
		return rc;
	}
	/* systemid, timeline, xlogpos, dbname */
	rc = pg_query(&row, pg, "IDENTIFY_SYSTEM", 4, 1, dl);
	if (rc == 0)
		rc = pg_get_i64(row, 0, 1, &number);
	if (rc == 0 && (number <= 0 || number > UINT32_MAX))
		rc = -EPROTO;
	if (rc < 0)
		log_warning("which timeline is replayed here is not known: %s", pg_error(pg));
	else
		*timeline = (uint32_t)number;
	return rc;
}
