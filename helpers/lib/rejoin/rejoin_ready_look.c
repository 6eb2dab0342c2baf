/* SPDX-License-Identifier: PostgreSQL */
/* The subjects of rejoin --check: this node's files, and both servers, each in one connection. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "postgres/pg.h"
#include "postgres/pgdata.h"
#include "postgres/recovery_target.h"
#include "postgres/server_limits.h"
#include "postgres/server_replay.h"
#include "rebuild/rebuild.h"
#include "rejoin/rejoin_host.h"
#include "rejoin/rejoin_ready.h"
#include "rewind/rewind_files.h"

/* The questions to a server that is well. */
#define ASK_MS 2000
/* Some million files that the kernel does not know yet. */
#define FILES_MS 30000

struct look {
	const struct cfg *cfg;
	struct ready_facts facts;
	struct rewind_files files;
	struct rejoin_host host;
	struct server_limits limits[CFG_NODES]; /* of this node, of the other one */
	char programs[CFG_PATH_MAX + 96];
	char settings[REJOIN_HOST_WHY_MAX];
	char target[RECOVERY_TARGET_MAX];
	char copy[CFG_PATH_MAX + 96];
};

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

/* Looks at the rights of the role, and at both servers. */
static int ask_settings(struct ready_facts *f, struct pg *pg, const struct deadline *dl)
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
	struct pg_result AUTO_PG_RESULT *row = NULL;
	bool says[3] = { false };
	int rc = pg_query(&row, pg, sql, ARRAY_COUNT(says), 1, dl);

	for (size_t i = 0; i < ARRAY_COUNT(says) && rc == 0; i++)
		rc = pg_get_bool(row, 0, i, &says[i]);
	if (rc < 0)
		return rc;
	f->full_page_writes = both(f->full_page_writes, says[0]);
	f->wal_kept = both(f->wal_kept, says[1]);
	f->rights = both(f->rights, says[2]);
	return 0;
}

/* For a primary a target means nothing, and what it would be as a standby is taken away then. */
static int ask_target(struct look *l, struct pg *pg, const struct deadline *dl)
{
	struct pg_result AUTO_PG_RESULT *row = NULL;
	bool recovering = false;
	int rc = pg_query(&row, pg, "SELECT pg_is_in_recovery()", 1, 1, dl);

	if (rc == 0)
		rc = pg_get_bool(row, 0, 0, &recovering);
	if (rc < 0)
		return rc;
	l->facts.target = FACT_YES;
	if (!recovering)
		return 0;
	switch (recovery_target_of_server(l->target, sizeof(l->target), pg, dl)) {
	case FACT_YES:
		l->facts.target = FACT_NO;
		return 0;
	case FACT_NO:
		return 0;
	case FACT_UNKNOWN:
		break;
	}
	l->facts.target = FACT_UNKNOWN;
	return -EPROTO;
}

/* All questions to one server, in one connection. */
static int ask(struct look *l, enum pg_where where, const struct deadline *dl)
{
	struct deadline soon = deadline_sooner(dl, ASK_MS);
	struct pg AUTO_PG *pg = NULL;
	enum pg_failure failure;
	char why[160];
	int rc = pg_open(&pg, l->cfg, where, &soon, &failure, why, sizeof(why));

	if (rc == 0)
		rc = ask_settings(&l->facts, pg, &soon);
	if (rc == 0)
		rc = server_limits_ask(&l->limits[where == PG_PEER], pg, &soon);
	if (rc == 0 && where == PG_LOCAL)
		rc = ask_target(l, pg, &soon);
	if (rc == 0)
		rc = rejoin_host_look(&l->host, l->cfg, where, pg, &soon);
	return rc;
}

static void unless_no(enum fact *fact, enum fact value)
{
	if (*fact != FACT_NO)
		*fact = value;
}

/* restore_command is tried where PostgreSQL would run it, too: on a standby. */
static enum fact restore_ends(const struct cfg *cfg, const struct deadline *dl)
{
	struct deadline soon = deadline_sooner(dl, SERVER_RESTORE_MS);
	struct server_replay replay;
	int rc;

	server_replay_ask(&replay, cfg, PG_LOCAL, &soon);
	if (!replay.known)
		return FACT_UNKNOWN;
	if (!replay.has_restore)
		return FACT_YES;
	rc = server_replay_try_restore(cfg, &soon);
	return rc == 0 ? FACT_YES : rc == -ETIMEDOUT ? FACT_NO : FACT_UNKNOWN;
}

/* A thing that one server did not tell is unknown; one that this host lacks is known to be
 * missing. */
static void ask_both(struct look *l, const struct deadline *dl)
{
	struct ready_facts *f = &l->facts;
	int local = ask(l, PG_LOCAL, dl);
	int peer = ask(l, PG_PEER, dl);
	bool all = local == 0 && peer == 0;

	if (!all)
		f->full_page_writes = f->wal_kept = f->rights = FACT_UNKNOWN;
	if (l->limits[0].known && l->limits[1].known)
		f->limits = fact_of(!server_limits_lower(&l->limits[0], &l->limits[1], l->settings,
							 sizeof(l->settings)));
	f->spaces = l->host.spaces;
	f->libraries = l->host.libraries;
	f->locales = l->host.locales;
	f->certificates = l->host.certificates;
	unless_no(&f->spaces, peer == 0 ? FACT_YES : FACT_UNKNOWN);
	unless_no(&f->libraries, all ? FACT_YES : FACT_UNKNOWN);
	unless_no(&f->locales, all ? FACT_YES : FACT_UNKNOWN);
	unless_no(&f->certificates, local == 0 ? FACT_YES : FACT_UNKNOWN);
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

/* The words that were noted about the fact that decided. */
static const char *detail_of(const struct look *l, const enum fact *decided)
{
	const struct ready_facts *f = &l->facts;
	const struct {
		const enum fact *fact;
		const char *text;
	} details[] = {
		{ &f->programs, l->programs },
		{ &f->files, l->files.access_why },
		{ &f->links, l->files.links_why },
		{ &f->room, l->files.room_why },
		{ &f->limits, l->settings },
		{ &f->target, l->target },
		{ &f->spaces, l->host.spaces_why },
		{ &f->libraries, l->host.libraries_why },
		{ &f->locales, l->host.locales_why },
		{ &f->certificates, l->host.certificates_why },
		{ &f->copy, l->copy },
	};

	for (size_t i = 0; i < ARRAY_COUNT(details); i++)
		if (details[i].fact == decided)
			return details[i].text;
	return "";
}

static struct verdict look(struct look *l, const struct deadline *dl)
{
	struct deadline files = deadline_sooner(dl, FILES_MS);
	struct ready_facts *f = &l->facts;
	struct pgdata_control control;
	const enum fact *decided;
	struct verdict verdict;

	f->full_page_writes = f->wal_kept = f->rights = FACT_YES;
	f->programs = programs_there(l->cfg, l->programs, sizeof(l->programs));
	pgdata_control(&control, l->cfg, dl);
	if (control.known)
		f->hints = fact_of(control.checksums || control.wal_log_hints);
	rewind_files_look(&l->files, l->cfg, &files);
	f->files = l->files.access;
	f->links = l->files.links;
	f->room = l->files.room;
	ask_both(l, dl);
	f->restore = restore_ends(l->cfg, dl);
	decided = ready_decide(f, &verdict);
	/* Only then: the sizes make the primary look at every file. */
	if (verdict.outcome == OUT_YES) {
		f->copy = copy_possible(l->cfg, dl, l->copy, sizeof(l->copy));
		decided = ready_decide(f, &verdict);
	}
	/* Of what is not known, only the files say why. */
	if (verdict.outcome == OUT_UNKNOWN)
		decided = f->files == FACT_UNKNOWN ? &f->files : NULL;
	(void)snprintf(verdict.detail, sizeof(verdict.detail), "%.*s",
		       (int)sizeof(verdict.detail) - 1, detail_of(l, decided));
	return verdict;
}

struct verdict rejoin_ready(const struct cfg *cfg, const struct deadline *dl)
{
	struct look AUTO_FREE *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return (struct verdict)SYSTEM_ERROR("memory", "out of memory", NULL);
	l->cfg = cfg;
	return look(l, dl);
}
