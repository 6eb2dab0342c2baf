/* SPDX-License-Identifier: PostgreSQL */
#include "guard/guard_leased.h"

#include <errno.h>
#include <string.h>

#include "base/deadline.h"
#include "base/log.h"
#include "base/state.h"
#include "node/leased.h"
#include "node/path.h"
#include "node/stamp.h"
#include "postgres/pgdata.h"

/* How often it is told that a server is spared, or that the mark cannot be written; and how often
 * the marks are looked at and written, since a disk that is ill makes each try long. */
#define TELL_MS  60000
#define WRITE_MS 10000

/*
 * Traces that a guard without marks has left: a lease or a grant of this boot, or a record that
 * names this cluster.  A vote alone is none: without a lease it gave nobody anything.
 */
static bool has_had_a_right(const struct cfg *cfg)
{
	static const enum stamp rights[] = { STAMP_LEASE, STAMP_GRANT, STAMP_RENEWED, STAMP_SOLO };
	int64_t at_ms;

	for (size_t i = 0; i < ARRAY_COUNT(rights); i++) {
		if (stamp_read(cfg, rights[i], &at_ms, NULL, 0) != -ENOENT)
			return true;
	}
	return cfg_has_record(cfg) && state_exists(file_state(cfg, "record").text) != 0;
}

/* A standby may be promoted by hand, and a server that began while we looked on needs a right. */
static bool must_be_held(const struct guard *g)
{
	if (g->server == GUARD_SERVER_STANDBY)
		return true;
	return g->server == GUARD_SERVER_PRIMARY && (g->seen_down || has_had_a_right(g->cfg));
}

/* A primary that lacks only the mark in state_dir is held to its lease, and can be taken over. */
static void tell(struct guard *g, int rc)
{
	int64_t now = now_ms();

	if (rc == g->leased_rc && now < g->leased_told_ms + TELL_MS)
		return;
	g->leased_rc = rc;
	g->leased_told_ms = now;
	log_failed(g->leased_data ? "write the leased mark in state_dir"
				  : "write " LEASED_DATA ", so that no takeover is possible",
		   rc);
}

/*
 * The directory's own first: that is the one that the other node goes by.  The other one is of help
 * where a directory is restored from a backup.
 */
static int write_marks(struct guard *g)
{
	struct leased_mark mark;
	uint64_t system = 0;
	int rc = 0;

	/* The mark counts for any system then. */
	if (pgdata_system(g->cfg, &system) < 0)
		system = 0;
	mark = leased_look(g->cfg, system);
	if (mark.data != FACT_YES)
		rc = leased_write_data(g->cfg, system);
	g->leased_data = rc == 0;
	if (rc == 0 && g->leased != FACT_YES)
		log_info("from now on this server is held to its lease");
	if (rc == 0)
		g->leased = FACT_YES;
	if (rc == 0 && mark.state != FACT_YES)
		rc = leased_write_state(g->cfg, system);
	g->leased_whole = rc == 0;
	return rc;
}

static void try_to_write(struct guard *g)
{
	int64_t now = now_ms();

	if (now < g->leased_next_ms)
		return;
	g->leased_next_ms = now + WRITE_MS;
	tell(g, write_marks(g));
}

/* A primary that was held to its lease once stays so, whoever takes its marks away; they are
 * written anew. */
static void read_marks(struct guard *g)
{
	struct leased_mark mark;
	uint64_t system = 0;

	if (pgdata_system(g->cfg, &system) < 0)
		system = 0;
	mark = leased_look(g->cfg, system);
	if (g->leased != FACT_YES)
		g->leased = leased_of(mark);
	g->leased_whole = mark.data == FACT_YES && mark.state == FACT_YES;
	if (g->leased_whole)
		g->leased_next_ms = now_ms() + WRITE_MS;
}

void guard_leased_look(struct guard *g)
{
	if (g->server != GUARD_SERVER_PRIMARY && g->server != GUARD_SERVER_STANDBY) {
		/* Whatever is started next may be another directory. */
		g->leased = FACT_UNKNOWN;
		g->leased_next_ms = 0;
		return;
	}
	if (g->leased != FACT_YES || now_ms() >= g->leased_next_ms)
		read_marks(g);
	if (!g->leased_whole && (g->leased == FACT_YES || must_be_held(g)))
		try_to_write(g);
	if (guard_leased_spares(g) && now_ms() >= g->spared_told_ms + TELL_MS) {
		g->spared_told_ms = now_ms();
		log_warning(
		    "this primary was here before the guard and was never paired: it is left "
		    "alone, without a lease; \"check_primary -v\" says what it waits for");
	}
}

bool guard_leased_begin(struct guard *g)
{
	if (g->leased == FACT_YES)
		return true;
	try_to_write(g);
	return g->leased == FACT_YES;
}

bool guard_leased_spares(const struct guard *g)
{
	return g->server == GUARD_SERVER_PRIMARY && g->leased == FACT_NO && !g->seen_down &&
	       g->lease.until_ms == 0;
}
