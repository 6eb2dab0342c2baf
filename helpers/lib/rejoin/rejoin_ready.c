/* SPDX-License-Identifier: PostgreSQL */
#include "rejoin/rejoin_ready.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "postgres/pg.h"
#include "postgres/pgdata.h"
#include "rejoin/rebuild.h"

/* One question to a server that is well. */
#define ASK_MS 2000

/* ---- deciding ---- */

struct ready_rule {
	size_t fact;
	struct verdict verdict;
};
#define FACT(name) offsetof(struct ready_facts, name)

static const struct ready_rule rules[] = {
	{ FACT(programs),
	  { .rule = "ready-programs",
	    .message = "programs of PostgreSQL that bring a node back are missing",
	    .hint = "set bin_dir, or install the server's package" } },
	{ FACT(hints),
	  { .rule = "ready-hints",
	    .message = "pg_rewind would be impossible: neither data checksums nor wal_log_hints",
	    .hint = "set wal_log_hints = on and restart the server, the standby first" } },
	{ FACT(full_page_writes),
	  { .rule = "ready-full-page-writes",
	    .message = "pg_rewind would be impossible: full_page_writes is off",
	    .hint = "set full_page_writes = on and reload" } },
	{ FACT(rights),
	  { .rule = "ready-rights",
	    .message = "pg_rewind would be impossible: the role lacks rights",
	    .hint = "run what \"cluster_config sql\" prints on the primary" } },
	{ FACT(wal_kept),
	  { .rule = "ready-wal",
	    .message = "a node that was away would need a new copy: no WAL is kept for it",
	    .hint = "set wal_keep_size, as \"cluster_config postgresql\" prints it" } },
};

static enum fact value(const struct ready_facts *f, size_t offset)
{
	enum fact is;

	memcpy(&is, (const char *)f + offset, sizeof(is));
	return is;
}

void ready_decide(const struct ready_facts *f, struct verdict *verdict)
{
	static const enum fact worst[] = { FACT_NO, FACT_UNKNOWN };

	for (size_t w = 0; w < ARRAY_COUNT(worst); w++) {
		for (size_t i = 0; i < ARRAY_COUNT(rules); i++) {
			if (value(f, rules[i].fact) != worst[w])
				continue;
			if (worst[w] == FACT_NO) {
				*verdict = rules[i].verdict;
				verdict->outcome = OUT_NO;
			} else {
				*verdict = (struct verdict){
					.outcome = OUT_UNKNOWN,
					.rule = "ready-unknown",
					.message = "not all is known that pg_rewind would need",
					.hint = "do both servers run?"
				};
			}
			return;
		}
	}
	*verdict = (struct verdict){ .outcome = OUT_YES,
				     .rule = "ready",
				     .message = "this node could be rewound" };
	if (f->copy != FACT_YES)
		verdict->message =
		    f->copy == FACT_NO
			? "this node could be rewound, but there would be no "
			  "place for a new copy"
			: "this node could be rewound; of a new copy it is not known";
}

/* ---- looking ---- */

static enum fact programs_there(const struct cfg *cfg, char *why, size_t size)
{
	static const char *const names[] = { "pg_rewind", "pg_basebackup", "pg_controldata",
					     "pg_ctl", "postgres" };

	for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
		char path[CFG_PATH_MAX + 32];

		(void)snprintf(path, sizeof(path), "%s/%s", cfg->bin_dir, names[i]);
		if (access(path, X_OK) == 0)
			continue;
		(void)snprintf(why, size, "%.*s: %s", CFG_PATH_MAX, path, strerror(errno));
		return FACT_NO;
	}
	return FACT_YES;
}

/* Both servers have to say yes. */
static enum fact both(enum fact a, bool b)
{
	return a == FACT_YES && b ? FACT_YES : a == FACT_UNKNOWN ? FACT_UNKNOWN : FACT_NO;
}

static int ask(struct ready_facts *f, const struct cfg *cfg, enum pg_where where,
	       const struct deadline *dl)
{
	static const char sql[] =
	    "SELECT current_setting('full_page_writes')::bool,"
	    " (SELECT setting::bigint > 0 FROM pg_settings WHERE name = 'wal_keep_size')"
	    "  OR EXISTS (SELECT FROM pg_replication_slots"
	    "   WHERE slot_type = 'physical' AND NOT temporary),"
	    " (SELECT rolreplication OR rolsuper FROM pg_roles WHERE rolname = current_user)"
	    "  AND has_function_privilege('pg_ls_dir(text, boolean, boolean)', 'execute')"
	    "  AND has_function_privilege('pg_stat_file(text, boolean)', 'execute')"
	    "  AND has_function_privilege('pg_read_binary_file(text)', 'execute')"
	    "  AND has_function_privilege('pg_read_binary_file(text, bigint, bigint, boolean)',"
	    " 'execute')";
	struct deadline soon = deadline_sooner(dl, ASK_MS);
	struct pg_result AUTO_PG_RESULT *row = NULL;
	struct pg AUTO_PG *pg = NULL;
	enum pg_failure failure;
	bool says[3] = { false };
	char why[160];
	int rc = pg_open(&pg, cfg, where, &soon, &failure, why, sizeof(why));

	if (rc == 0)
		rc = pg_query(&row, pg, sql, ARRAY_COUNT(says), 1, &soon);
	for (size_t i = 0; i < ARRAY_COUNT(says) && rc == 0; i++)
		rc = pg_get_bool(row, 0, i, &says[i]);
	if (rc < 0)
		return rc;
	f->full_page_writes = both(f->full_page_writes, says[0]);
	f->wal_kept = both(f->wal_kept, says[1]);
	f->rights = both(f->rights, says[2]);
	return 0;
}

/* As for a copy that is about to be taken, but for what is in its tablespaces' directories. */
static enum fact copy_possible(const struct cfg *cfg, const struct deadline *dl, char *why,
			       size_t size)
{
	struct rebuild_place place;
	struct rebuild_source AUTO_FREE *source = malloc(sizeof(*source));
	int rc;

	if (source == NULL)
		return FACT_UNKNOWN;
	rc = rebuild_place_find(&place, cfg);
	if (rc < 0) {
		(void)snprintf(why, size, "%s: %s", cfg->data_dir,
			       rc == -EBUSY ? "a mount point" : strerror(-rc));
		return FACT_NO;
	}
	if (rebuild_source_ask(source, cfg, dl, why, size) < 0)
		return FACT_UNKNOWN;
	rc = rebuild_place_spaces(&place, cfg, source, why, size);
	if (rc == 0)
		rc = rebuild_place_room(&place, source, why, size);
	return fact_of(rc == 0);
}

struct verdict rejoin_ready(const struct cfg *cfg, const struct deadline *dl)
{
	struct ready_facts f = { .full_page_writes = FACT_YES,
				 .wal_kept = FACT_YES,
				 .rights = FACT_YES };
	struct pgdata_control control;
	struct verdict verdict;
	char programs[CFG_PATH_MAX + 96] = "", copy[CFG_PATH_MAX + 96] = "";

	f.programs = programs_there(cfg, programs, sizeof(programs));
	pgdata_control(&control, cfg, dl);
	if (control.known)
		f.hints = fact_of(control.checksums || control.wal_log_hints);
	if (ask(&f, cfg, PG_LOCAL, dl) < 0 || ask(&f, cfg, PG_PEER, dl) < 0)
		f.full_page_writes = f.wal_kept = f.rights = FACT_UNKNOWN;
	ready_decide(&f, &verdict);
	/* Only then: the sizes make the primary look at every file. */
	if (verdict.outcome == OUT_YES) {
		f.copy = copy_possible(cfg, dl, copy, sizeof(copy));
		ready_decide(&f, &verdict);
	}
	(void)snprintf(verdict.detail, sizeof(verdict.detail), "%.*s",
		       (int)sizeof(verdict.detail) - 1,
		       f.programs == FACT_NO        ? programs
		       : verdict.outcome == OUT_YES ? copy
						    : "");
	return verdict;
}
