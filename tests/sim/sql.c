/* SPDX-License-Identifier: PostgreSQL */
/*
 * libpq's part (postgres/pg.h): questions on their way, answers on their way back.  A question that
 * was sent arrives, however late, though its sender has given up or is dead.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "postgres/pg.h"
#include "sim.h"

FAKES(pg_open);
FAKES(pg_open_walsender);
FAKES(pg_close);
FAKES(pg_keep);
FAKES(pg_keep_end);
FAKES(pg_borrow);
FAKES(pg_was_kept);
FAKES(pg_return);
FAKES(pg_query);
FAKES(pg_command);
FAKES(pg_error);
FAKES(pg_sqlstate);
FAKES(pg_failure_of);

#define SESSIONS_MAX 256
#define REQUESTS_MAX 256

struct pg {
	bool used;
	int id; /* of the session */
	int host, from;
	int incarnation;
	int process;
	int pending; /* statements that are under way to it */
	bool closed;
	char sqlstate[6];
};

enum end { END_NONE, END_ANSWER, END_REFUSED, END_STARTING, END_RESET };

struct request {
	bool used;
	bool abandoned;
	bool done;
	enum end end;
	struct pg *pg;
	int process;
	char sql[1200];
	struct answer answer;
};

static struct pg sessions[SESSIONS_MAX];
static struct request requests[REQUESTS_MAX];
static int session_ids;

void sql_begin(void)
{
	memset(sessions, 0, sizeof(sessions));
	for (size_t i = 0; i < REQUESTS_MAX; i++)
		requests[i].used = false;
	session_ids = 0;
}

/* ---- sessions ---- */

static void end_session(struct pg *pg)
{
	if (pg->host < NODES && servers[pg->host].settings_locked == pg->id)
		servers[pg->host].settings_locked = 0;
	pg->used = false;
}

static void close_session(struct pg *pg)
{
	pg->closed = true;
	if (pg->pending == 0)
		end_session(pg);
}

void sql_of_the_dead(int process)
{
	for (size_t i = 0; i < REQUESTS_MAX; i++) {
		if (requests[i].used && requests[i].process == process)
			requests[i].abandoned = true;
	}
	for (size_t i = 0; i < SESSIONS_MAX; i++) {
		if (sessions[i].used && !sessions[i].closed && sessions[i].process == process)
			close_session(&sessions[i]);
	}
}

void sql_server_ended(int host)
{
	for (size_t i = 0; i < SESSIONS_MAX; i++) {
		if (sessions[i].used && sessions[i].host == host)
			sessions[i].incarnation = -1;
	}
}

/* ---- on the way ---- */

static int64_t packet(int from, int to)
{
	return from == to ? chance_between(20, 200) : faults_packet(from, to);
}

static void forget(struct request *r)
{
	struct pg *pg = r->pg;

	r->used = false;
	pg->pending--;
	if (pg->closed && pg->pending == 0 && pg->used)
		end_session(pg);
}

static void deliver(int64_t number, int64_t unused, void *nothing)
{
	struct request *r = &requests[number];

	(void)unused;
	(void)nothing;
	if (r->abandoned) {
		forget(r);
		return;
	}
	r->done = true;
}

static void reply(struct request *r, enum end end)
{
	const int64_t us = packet(r->pg->host, r->pg->from);

	r->end = end;
	if (us >= 0)
		sim_at(sim_now_us + us, deliver, r - requests, 0, NULL);
	else if (r->abandoned)
		forget(r);
}

static bool is_new(const struct request *r)
{
	return r->sql[0] == '\0';
}

static enum end run(struct request *r)
{
	struct pg *pg = r->pg;
	const bool node = pg->host < NODES;

	if (node ? servers[pg->host].phase == SERVER_IS_DOWN : !witness_up)
		return is_new(r) ? END_REFUSED : END_RESET;
	if (node && servers[pg->host].phase == SERVER_BEGINS)
		return is_new(r) ? END_STARTING : END_RESET;
	if (is_new(r)) {
		pg->incarnation = node ? servers[pg->host].incarnation : 0;
		return END_ANSWER;
	}
	if (node && pg->incarnation != servers[pg->host].incarnation)
		return END_RESET;
	if (!node) {
		row_answer(r->sql, &r->answer);
		return END_ANSWER;
	}
	return server_answer(pg->host, pg->id, pg->from, r->sql, &r->answer) ? END_ANSWER
									     : END_NONE;
}

static void arrive(int64_t number, int64_t tries, void *nothing)
{
	struct request *r = &requests[number];
	const int host = r->pg->host;
	enum end end;

	(void)nothing;
	if (host < NODES && !nodes[host].on)
		return;
	if (host < NODES && sim_now_us < nodes[host].frozen_until_us) {
		sim_at(nodes[host].frozen_until_us, arrive, number, tries, NULL);
		return;
	}
	end = run(r);
	if (end == END_NONE) /* a lock */
		sim_at(sim_now_us + MS(5), arrive, number, tries + 1, NULL);
	else
		reply(r, end);
}

static int ask(struct pg *pg, const char *sql, const struct deadline *dl, struct answer *answer,
	       enum end *end)
{
	struct request *r = requests;
	const int64_t until_us = dl->at_ms * 1000 + nodes[sim_node()].booted_us;
	const char *what = sql[0] != '\0' ? sql : "connect";
	int64_t us;

	sim_effect(what);
	while (r < requests + REQUESTS_MAX && r->used)
		r++;
	if (r == requests + REQUESTS_MAX)
		return -ENOMEM;
	r->used = true;
	r->abandoned = r->done = false;
	r->end = END_NONE;
	r->pg = pg;
	r->process = sim_self()->id;
	r->answer.columns = r->answer.rows = 0;
	r->answer.refused = false;
	r->answer.sqlstate[0] = '\0';
	(void)snprintf(r->sql, sizeof(r->sql), "%s", sql);
	pg->pending++;
	us = packet(pg->from, pg->host);
	if (us >= 0)
		sim_at(sim_now_us + us, arrive, r - requests, 0, NULL);
	sim_wait(&r->done, until_us);
	if (!r->done) {
		r->abandoned = true;
		if (us < 0)
			forget(r);
		return -ETIMEDOUT;
	}
	*end = r->end;
	if (answer != NULL)
		memcpy(answer, &r->answer, sizeof(*answer));
	forget(r);
	/* The answer is not yet used. */
	sim_effect(what);
	return 0;
}

/* ---- connections ---- */

static struct pg *new_session(int host)
{
	for (size_t i = 0; i < SESSIONS_MAX; i++) {
		struct pg *pg = &sessions[i];

		if (pg->used)
			continue;
		*pg = (struct pg){ .used = true,
				   .id = ++session_ids,
				   .host = host,
				   .from = sim_node(),
				   .process = sim_self()->id };
		return pg;
	}
	abort();
}

int FAKE(pg_open)(struct pg **pg, const struct cfg *cfg, enum pg_where where,
		  const struct deadline *dl, enum pg_failure *failure, char *why, size_t size)
{
	const int self = node_of(cfg);
	struct pg *new = new_session(where == PG_LOCAL  ? self
				     : where == PG_PEER ? 1 - self
							: WITNESS);
	enum end end = END_NONE;
	int rc = ask(new, "", dl, NULL, &end);

	*pg = NULL;
	*failure = PG_FAIL_NONE;
	if (rc == -ETIMEDOUT)
		*failure = PG_FAIL_SILENT;
	else if (end == END_REFUSED)
		*failure = PG_FAIL_REFUSED;
	else if (end == END_STARTING)
		*failure = PG_FAIL_STARTING;
	else if (end != END_ANSWER)
		*failure = PG_FAIL_OTHER;
	if (*failure == PG_FAIL_NONE) {
		*pg = new;
		return 0;
	}
	close_session(new);
	(void)snprintf(why, size, "%s",
		       *failure == PG_FAIL_REFUSED    ? "nobody listens there"
		       : *failure == PG_FAIL_STARTING ? "the database system is starting up"
						      : "no answer in time");
	return rc < 0 ? rc : -ECONNREFUSED;
}

int FAKE(pg_borrow)(struct pg **pg, const struct cfg *cfg, enum pg_where where,
		    const struct deadline *dl, enum pg_failure *failure, char *why, size_t size)
{
	return FAKE(pg_open)(pg, cfg, where, dl, failure, why, size);
}

int FAKE(pg_open_walsender)(struct pg **pg, const struct cfg *cfg, enum pg_where where,
			    const struct deadline *dl, enum pg_failure *failure, char *why,
			    size_t size)
{
	return FAKE(pg_open)(pg, cfg, where, dl, failure, why, size);
}

void FAKE(pg_close)(struct pg **pg)
{
	if (*pg != NULL && (*pg)->used && !(*pg)->closed)
		close_session(*pg);
	*pg = NULL;
}

void FAKE(pg_return)(struct pg **pg)
{
	FAKE(pg_close)(pg);
}

void FAKE(pg_keep)(void)
{
}

void FAKE(pg_keep_end)(void)
{
}

bool FAKE(pg_was_kept)(const struct pg *pg)
{
	(void)pg;
	return false;
}

/* ---- statements ---- */

int FAKE(pg_query)(struct pg_result **result, struct pg *pg, const char *sql, size_t columns,
		   size_t min_rows, const struct deadline *dl)
{
	struct pg_result *rows = malloc(sizeof(*rows));
	enum end end = END_NONE;
	int rc;

	*result = NULL;
	if (rows == NULL)
		return -ENOMEM;
	rc = ask(pg, sql, dl, &rows->answer, &end);
	pg->sqlstate[0] = '\0';
	if (rc == 0 && end != END_ANSWER)
		rc = -ECONNRESET;
	if (rc == 0 && (rows->answer.refused || rows->answer.columns != columns ||
			rows->answer.rows < min_rows)) {
		memcpy(pg->sqlstate, rows->answer.sqlstate, sizeof(pg->sqlstate));
		rc = -EPROTO;
	}
	if (rc < 0)
		free(rows);
	else
		*result = rows;
	return rc;
}

int FAKE(pg_command)(struct pg *pg, const char *sql, const struct deadline *dl)
{
	enum end end = END_NONE;
	int rc = ask(pg, sql, dl, NULL, &end);

	return rc == 0 && end != END_ANSWER ? -ECONNRESET : rc;
}

const char *FAKE(pg_error)(const struct pg *pg)
{
	(void)pg;
	return "no answer in time";
}

const char *FAKE(pg_sqlstate)(const struct pg *pg)
{
	return pg->sqlstate;
}

enum pg_failure FAKE(pg_failure_of)(int rc, const struct pg *pg)
{
	(void)pg;
	return rc == -ETIMEDOUT ? PG_FAIL_LATE : PG_FAIL_OTHER;
}
