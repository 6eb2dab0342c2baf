/* SPDX-License-Identifier: PostgreSQL */
#include "salvage/salvage_ledger.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Transactions and subtransactions that run at the same time; some 200 bytes each. */
#define OPEN_MAX 1000000
#define BUCKETS  65536

/* A transaction that has written and not ended. */
struct open_xact {
	struct open_xact *next; /* in its bucket */
	uint32_t xid;
	struct ledger_sums sums;
	uint64_t prepared_lsn; /* 0: not prepared */
	char *gid;
	char *prepared_time;
	size_t subxacts;
};

struct ledger {
	uint64_t fork;
	ledger_told *committed;
	void *arg;
	bool has_floor; /* no transaction from `floor` on had begun before what was read */
	uint32_t floor;
	size_t count;
	struct open_xact *buckets[BUCKETS];
};

/* Numbers wrap: what is less than half the circle ahead is later. */
static bool xid_precedes(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}

/* ---- rows ---- */

static bool same_relation(const struct wal_relation *a, const struct wal_relation *b)
{
	return a->node == b->node && a->database == b->database && a->tablespace == b->tablespace;
}

/* Its place, or sums->count. */
static size_t place_of(const struct ledger_sums *sums, const struct wal_relation *relation)
{
	size_t i;

	if (sums->count > 0 && same_relation(&sums->rows[sums->last].relation, relation))
		return sums->last;
	for (i = 0; i < sums->count; i++)
		if (same_relation(&sums->rows[i].relation, relation))
			break;
	return i;
}

/* Doubled whenever the count is a power of two. */
static int make_room(struct ledger_sums *sums)
{
	size_t room = sums->count == 0 ? 1 : 2 * sums->count;
	struct ledger_rows *grown;

	if (sums->rows != NULL && (sums->count & (sums->count - 1)) != 0)
		return 0;
	grown = realloc(sums->rows, room * sizeof(*grown));
	if (grown == NULL)
		return -ENOMEM;
	sums->rows = grown;
	return 0;
}

int ledger_add(struct ledger_sums *sums, const struct ledger_rows *rows)
{
	size_t place = place_of(sums, &rows->relation);
	struct ledger_rows *sum;

	if (place >= sums->count) {
		if (make_room(sums) < 0)
			return -ENOMEM;
		sums->rows[sums->count++] = (struct ledger_rows){ .relation = rows->relation };
	}
	sums->last = place;
	sum = &sums->rows[place];
	sum->inserted += rows->inserted;
	sum->updated += rows->updated;
	sum->deleted += rows->deleted;
	sum->toast = sum->toast || rows->toast;
	return 0;
}

static int add_all(struct ledger_sums *sums, const struct ledger_sums *more)
{
	int rc = 0;

	for (size_t i = 0; i < more->count && rc == 0; i++)
		rc = ledger_add(sums, &more->rows[i]);
	return rc;
}

/* ---- open transactions ---- */

static struct open_xact **slot(struct ledger *ledger, uint32_t xid)
{
	struct open_xact **at = &ledger->buckets[xid % BUCKETS];

	while (*at != NULL && (*at)->xid != xid)
		at = &(*at)->next;
	return at;
}

static struct open_xact *find_or_make(struct ledger *ledger, uint32_t xid)
{
	struct open_xact **at = slot(ledger, xid);

	if (*at != NULL)
		return *at;
	if (ledger->count >= OPEN_MAX)
		return NULL;
	*at = calloc(1, sizeof(**at));
	if (*at == NULL)
		return NULL;
	(*at)->xid = xid;
	ledger->count++;
	return *at;
}

static void free_open(struct open_xact *xact)
{
	if (xact == NULL)
		return;
	free(xact->sums.rows);
	free(xact->gid);
	free(xact->prepared_time);
	free(xact);
}

/* Takes it out; the caller frees.  NULL: it has written nothing. */
static struct open_xact *take_out(struct ledger *ledger, uint32_t xid)
{
	struct open_xact **at = slot(ledger, xid);
	struct open_xact *found = *at;

	if (found != NULL) {
		*at = found->next;
		ledger->count--;
	}
	return found;
}

static int write_rows(struct ledger *ledger, const struct wal_line *line)
{
	const struct ledger_rows rows = { .relation = line->relation,
					  .inserted = line->inserted,
					  .updated = line->updated,
					  .deleted = line->deleted,
					  .toast = line->toast };
	struct open_xact *xact;

	if (line->xid == 0)
		return -EINVAL;
	xact = find_or_make(ledger, line->xid);
	if (xact == NULL)
		return ledger->count >= OPEN_MAX ? -E2BIG : -ENOMEM;
	return ledger_add(&xact->sums, &rows);
}

/* ---- ends ---- */

/* Takes the subtransactions of a line out, and adds what they wrote to sums unless that is NULL. */
static int end_subxacts(struct ledger *ledger, const struct wal_line *line,
			struct ledger_sums *sums, size_t *count)
{
	const char *rest = line->subxacts;
	uint32_t xid;
	int rc;

	while ((rc = wal_line_subxact(&rest, &xid)) == 1) {
		struct open_xact *sub = take_out(ledger, xid);

		(*count)++;
		if (sub != NULL && sums != NULL)
			rc = add_all(sums, &sub->sums);
		free_open(sub);
		if (rc < 0)
			break;
	}
	return rc < 0 ? rc : 0;
}

static int prepare(struct ledger *ledger, const struct wal_line *line)
{
	struct open_xact *xact = find_or_make(ledger, line->xid);

	if (xact == NULL)
		return ledger->count >= OPEN_MAX ? -E2BIG : -ENOMEM;
	free(xact->gid);
	free(xact->prepared_time);
	xact->gid = strdup(line->gid);
	xact->prepared_time = strdup(line->time);
	if (xact->gid == NULL || xact->prepared_time == NULL)
		return -ENOMEM;
	xact->prepared_lsn = line->lsn;
	return end_subxacts(ledger, line, &xact->sums, &xact->subxacts);
}

static bool is_whole(const struct ledger *ledger, uint32_t xid)
{
	return ledger->has_floor && !xid_precedes(xid, ledger->floor);
}

static int commit(struct ledger *ledger, const struct wal_line *line)
{
	struct open_xact none = { .xid = line->xid };
	struct open_xact *out = take_out(ledger, line->xid);
	struct open_xact *xact = out != NULL ? out : &none;
	struct ledger_xact told = { .xid = line->xid,
				    .lsn = line->lsn,
				    .time = line->time,
				    .gid = xact->gid != NULL ? xact->gid : "",
				    .prepared = line->was_prepared,
				    .whole = is_whole(ledger, line->xid) };
	int rc;

	told.prepared_before = line->was_prepared && xact->prepared_lsn < ledger->fork;
	rc = end_subxacts(ledger, line, &xact->sums, &told.subxacts);
	told.sums = xact->sums;
	if (rc == 0 && line->lsn >= ledger->fork)
		rc = ledger->committed(ledger->arg, &told);
	free(none.sums.rows);
	free_open(out);
	return rc;
}

static int roll_back(struct ledger *ledger, const struct wal_line *line)
{
	size_t count = 0;

	free_open(take_out(ledger, line->xid));
	return end_subxacts(ledger, line, NULL, &count);
}

int ledger_take(struct ledger *ledger, const struct wal_line *line)
{
	switch (line->op) {
	case WAL_ROWS:
		return write_rows(ledger, line);
	case WAL_COMMIT:
		return commit(ledger, line);
	case WAL_ABORT:
		return roll_back(ledger, line);
	case WAL_PREPARE:
		return prepare(ledger, line);
	case WAL_RUNNING:
		if (!ledger->has_floor)
			ledger->floor = line->next_xid;
		ledger->has_floor = true;
		return 0;
	case WAL_OTHER:
		break;
	}
	return 0;
}

/* ---- the whole ---- */

struct undecided {
	uint64_t lsn;
	const struct open_xact *xact;
};

static int by_lsn(const void *a, const void *b)
{
	const struct undecided *x = a, *y = b;

	return (x->lsn > y->lsn) - (x->lsn < y->lsn);
}

int ledger_prepared(struct ledger *ledger, ledger_told *prepared, void *arg)
{
	struct undecided AUTO_FREE *all = calloc(ledger->count + 1, sizeof(*all));
	size_t count = 0;
	int rc = 0;

	if (all == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < BUCKETS; i++)
		for (const struct open_xact *at = ledger->buckets[i]; at != NULL; at = at->next)
			if (at->prepared_lsn != 0 && at->prepared_lsn >= ledger->fork)
				all[count++] =
				    (struct undecided){ .lsn = at->prepared_lsn, .xact = at };
	qsort(all, count, sizeof(*all), by_lsn);
	for (size_t i = 0; i < count && rc == 0; i++) {
		const struct open_xact *xact = all[i].xact;
		const struct ledger_xact told = { .xid = xact->xid,
						  .lsn = xact->prepared_lsn,
						  .time = xact->prepared_time,
						  .gid = xact->gid,
						  .prepared = true,
						  .whole = is_whole(ledger, xact->xid),
						  .subxacts = xact->subxacts,
						  .sums = xact->sums };

		rc = prepared(arg, &told);
	}
	return rc;
}

struct ledger *ledger_new(uint64_t fork, ledger_told *committed, void *arg)
{
	struct ledger *ledger = calloc(1, sizeof(*ledger));

	if (ledger == NULL)
		return NULL;
	ledger->fork = fork;
	ledger->committed = committed;
	ledger->arg = arg;
	return ledger;
}

void ledger_free(struct ledger *ledger)
{
	if (ledger == NULL)
		return;
	for (size_t i = 0; i < BUCKETS; i++)
		while (ledger->buckets[i] != NULL)
			free_open(take_out(ledger, ledger->buckets[i]->xid));
	free(ledger);
}
