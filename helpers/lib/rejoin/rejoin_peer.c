/* SPDX-License-Identifier: PostgreSQL */
#include "rejoin/rejoin_peer.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/state.h"
#include "postgres/pg.h"
#include "postgres/wal_segment.h"

/* A history file is small; this bounds a server that is busy to death. */
#define ASK_MS 2000
/* A checkpoint that is asked for writes all that is dirty; then the question is repeated. */
#define CHECKPOINT_MS 120000
#define LOOK_AGAIN_MS 500

static int open_peer(struct pg **pg, const struct cfg *cfg, const struct deadline *dl)
{
	enum pg_failure failure;
	char why[160];
	int rc = pg_open(pg, cfg, PG_PEER, dl, &failure, why, sizeof(why));

	if (rc < 0)
		log_warning("could not ask %s: %s", cfg_peer(cfg)->name, why);
	return rc;
}

int peer_history(struct history_file *history, const struct cfg *cfg, uint32_t timeline,
		 const struct deadline *dl)
{
	struct deadline soon = deadline_sooner(dl, ASK_MS);
	struct pg AUTO_PG *pg = NULL;
	struct pg_result AUTO_PG_RESULT *row = NULL;
	char AUTO_FREE *text = malloc(HISTORY_FILE_MAX);
	char sql[128];
	int rc;

	history->count = 0;
	if (text == NULL)
		return -ENOMEM;
	if (timeline == 1)
		return history_file_parse(history, 1, "");
	/* The right to this function is one that pg_rewind needs anyway. */
	(void)snprintf(sql, sizeof(sql),
		       "SELECT encode(pg_read_binary_file('pg_wal/%s'), 'escape')",
		       wal_history_name(timeline).text);
	rc = open_peer(&pg, cfg, &soon);
	if (rc == 0) {
		rc = pg_query(&row, pg, sql, 1, 1, &soon);
		if (rc < 0)
			log_warning("could not read the timeline history of %s: %s",
				    cfg_peer(cfg)->name, pg_error(pg));
	}
	if (rc == 0)
		rc = pg_get_text(row, 0, 0, text, HISTORY_FILE_MAX);
	return rc < 0 ? rc : history_file_parse(history, timeline, text);
}

int our_history(struct history_file *history, const struct cfg *cfg, uint32_t timeline)
{
	char AUTO_FREE *text = malloc(HISTORY_FILE_MAX);
	char path[CFG_PATH_MAX + 64];
	int rc;

	history->count = 0;
	if (text == NULL)
		return -ENOMEM;
	if (timeline == 1)
		return history_file_parse(history, 1, "");
	(void)snprintf(path, sizeof(path), "%s/pg_wal/%s", cfg->data_dir,
		       wal_history_name(timeline).text);
	rc = state_read(path, text, HISTORY_FILE_MAX);
	if (rc == 0)
		rc = history_file_parse(history, timeline, text);
	if (rc < 0)
		log_warning("could not read %s: %s", path, strerror(-rc));
	return rc;
}

/* Names of segments sort as their numbers do; the one that lsn lies in is the first that
 * is needed. */
enum fact peer_wal_gone(const struct cfg *cfg, uint64_t lsn, const struct deadline *dl)
{
	struct deadline soon = deadline_sooner(dl, ASK_MS);
	struct pg_result AUTO_PG_RESULT *row = NULL;
	struct pg AUTO_PG *pg = NULL;
	char at[32], sql[320];
	bool gone = false;
	int rc = open_peer(&pg, cfg, &soon);

	lsn_format(lsn + 1, at, sizeof(at));
	(void)snprintf(sql, sizeof(sql),
		       "SELECT coalesce(min(substr(name, 9) COLLATE \"C\") >"
		       " substr(pg_walfile_name('%s'), 9) COLLATE \"C\", false)"
		       " FROM pg_ls_dir('pg_wal', false, false) AS name"
		       " WHERE name ~ '^[0-9A-F]{24}$'",
		       at);
	if (rc == 0)
		rc = pg_query(&row, pg, sql, 1, 1, &soon);
	if (rc == 0)
		rc = pg_get_bool(row, 0, 0, &gone);
	return rc < 0 ? FACT_UNKNOWN : fact_of(gone);
}

/* Does its control file know the timeline?  When not, asks for a checkpoint. */
static enum fact checkpointed(const struct cfg *cfg, uint32_t timeline, bool *asked,
			      const struct deadline *dl)
{
	struct deadline soon = deadline_sooner(dl, CHECKPOINT_MS);
	struct pg AUTO_PG *pg = NULL;
	struct pg_result AUTO_PG_RESULT *row = NULL;
	int64_t is = 0;
	int rc = open_peer(&pg, cfg, &soon);

	if (rc == 0)
		rc = pg_query(&row, pg, "SELECT timeline_id FROM pg_control_checkpoint()", 1, 1,
			      &soon);
	if (rc == 0)
		rc = pg_get_i64(row, 0, 0, &is);
	if (rc < 0)
		return FACT_UNKNOWN;
	if (is >= timeline)
		return FACT_YES;
	if (!*asked && pg_command(pg, "CHECKPOINT", &soon) < 0)
		log_info("%s has not written a checkpoint on its timeline yet, and did not on "
			 "request: %s",
			 cfg_peer(cfg)->name, pg_error(pg));
	*asked = true;
	return FACT_NO;
}

int peer_checkpoint(const struct cfg *cfg, uint32_t timeline, const struct deadline *dl)
{
	bool asked = false;

	for (;;) {
		struct deadline pause;
		bool first = !asked;
		enum fact done = checkpointed(cfg, timeline, &asked, dl);

		if (done == FACT_YES)
			return 0;
		if (done == FACT_UNKNOWN)
			return -EPROTO;
		if (deadline_passed(dl))
			return -ETIMEDOUT;
		pause = deadline_sooner(dl, first ? 0 : LOOK_AGAIN_MS);
		deadline_sleep(&pause);
	}
}
