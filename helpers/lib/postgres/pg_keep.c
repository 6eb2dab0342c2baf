/* SPDX-License-Identifier: PostgreSQL */
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>

#include "postgres/pg_internal.h"

/*
 * A kept session does not see what ALTER ROLE or ALTER DATABASE sets, and holds up a smart shutdown
 * of its server; both end within this time.
 */
#define SERVER_KEPT_MS 10000
/* TLS and SCRAM are what a question to the witness costs, there and here. */
#define WITNESS_KEPT_MS 60000
/*
 * A server that took so long for its last answer has no processor to spare.  A new session wants it
 * ten times as often as a question does (postmaster, fork, authentication), so that one in ten
 * seconds would be the one round that comes too late.
 */
#define BUSY_MS      100
#define BUSY_KEPT_MS 60000
/*
 * A connection that was not answered within one round is waited for in the next ones.  Who gave it
 * up and began anew would have the busy server fork and authenticate for nothing in each round, and
 * would never see an answer where connecting takes longer than a round.  After this time the other
 * end may as well have gone without a word.
 */
#define BEGUN_KEPT_MS 10000

static struct {
	pthread_mutex_t lock;
	bool keeping;
	struct pg *of[PG_PLACES];
} kept = { .lock = PTHREAD_MUTEX_INITIALIZER };

void pg_keep(void)
{
	kept.keeping = true;
}

static struct pg *take(enum pg_where where)
{
	struct pg *pg;

	(void)pthread_mutex_lock(&kept.lock);
	pg = kept.of[where];
	kept.of[where] = NULL;
	(void)pthread_mutex_unlock(&kept.lock);
	return pg;
}

int64_t pg_kept_for_ms(const struct pg *pg)
{
	if (pg->where == PG_WITNESS)
		return WITNESS_KEPT_MS;
	return pg->took_ms > BUSY_MS ? BUSY_KEPT_MS : SERVER_KEPT_MS;
}

static bool connected(const struct pg *pg)
{
	return pg->step == PGRES_POLLING_OK;
}

/* Nothing was asked since the last answer, so what can be read now is the server's farewell. */
static bool usable(const struct pg *pg)
{
	struct pollfd fd = { .fd = PQsocket(pg->conn), .events = POLLIN };
	const struct deadline passed = { .at_ms = 0 };

	return connected(pg) && PQstatus(pg->conn) == CONNECTION_OK &&
	       PQtransactionStatus(pg->conn) == PQTRANS_IDLE && fd.fd >= 0 &&
	       now_ms() - pg->opened_ms < pg_kept_for_ms(pg) && deadline_poll(&fd, 1, &passed) == 0;
}

/* Instead of what was there, unless that is further on. */
static void put(struct pg **pg)
{
	struct pg *surplus = *pg;
	struct pg **place = &kept.of[surplus->where];

	if (kept.keeping) {
		(void)pthread_mutex_lock(&kept.lock);
		if (*place == NULL || connected(*pg)) {
			surplus = *place;
			*place = *pg;
		}
		(void)pthread_mutex_unlock(&kept.lock);
	}
	*pg = NULL;
	pg_close(&surplus);
}

/* As pg_open, with one that was found half connected.  Its failure says nothing of a new one. */
static bool go_on(struct pg **pg, struct pg **found, const struct deadline *dl,
		  enum pg_failure *failure, char *why, size_t size)
{
	struct pg *begun = *found;

	if (begun == NULL || connected(begun) || now_ms() - begun->opened_ms >= BEGUN_KEPT_MS)
		return false;
	*failure = pg_connect_on(begun, dl, why, size);
	if (*failure != PG_FAIL_NONE && *failure != PG_FAIL_LATE)
		return false;
	begun->borrowed = true;
	*found = NULL;
	*pg = begun;
	return true;
}

int pg_borrow(struct pg **pg, const struct cfg *cfg, enum pg_where where, const struct deadline *dl,
	      enum pg_failure *failure, char *why, size_t size)
{
	struct pg *found = take(where);
	int rc;

	*pg = NULL;
	if (found != NULL && usable(found)) {
		found->borrowed = true;
		found->borrowed_ms = now_ms();
		*pg = found;
		*failure = PG_FAIL_NONE;
		return 0;
	}
	if (go_on(pg, &found, dl, failure, why, size)) {
		rc = pg_failure_code(*failure);
	} else {
		pg_close(&found);
		rc = kept.keeping ? pg_open_kept(pg, cfg, where, dl, failure, why, size)
				  : pg_open(pg, cfg, where, dl, failure, why, size);
	}
	/* The next round goes on with one that was begun in vain. */
	if (rc < 0 && *pg != NULL)
		put(pg);
	return rc;
}

bool pg_was_kept(const struct pg *pg)
{
	return pg != NULL && pg->borrowed;
}

void pg_return(struct pg **pg)
{
	if (*pg == NULL)
		return;
	(*pg)->took_ms = now_ms() - (*pg)->borrowed_ms;
	put(pg);
}

static void *connect_beside(void *arg)
{
	const struct pg_warm *warm = arg;
	enum pg_failure failure;
	struct pg *pg = NULL;
	char why[160];

	if (pg_borrow(&pg, warm->cfg, warm->where, &warm->dl, &failure, why, sizeof(why)) == 0)
		pg_return(&pg);
	return NULL;
}

void pg_warm_begin(struct pg_warm *warm)
{
	warm->beside = pthread_create(&warm->thread, NULL, connect_beside, warm) == 0;
}

void pg_warm_end(struct pg_warm *warm)
{
	if (warm->beside)
		(void)pthread_join(warm->thread, NULL);
	warm->beside = false;
}

void pg_keep_end(void)
{
	kept.keeping = false;
	for (int where = 0; where < PG_PLACES; where++) {
		struct pg *pg = take((enum pg_where)where);

		pg_close(&pg);
	}
}
