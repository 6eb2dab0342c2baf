/* SPDX-License-Identifier: PostgreSQL */
/* The answer of a node's server to each statement of the helpers. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/leased.h"
#include "node/mark.h"
#include "node/path.h"
#include "postgres/pg.h"
#include "sim.h"

static void add_lsn(struct answer *answer, uint64_t lsn)
{
	char text[24];

	lsn_format(lsn, text, sizeof(text));
	answer_add(answer, "%s", text);
}

struct asked {
	int node;
	int session;
	const char *sql;
};

/* server.c's one question: its columns, in order. */
static void what_it_is(const struct asked *q, struct answer *a)
{
	const struct fake_server *s = &servers[q->node], *other = &servers[1 - q->node];
	const struct line *last = &s->wal.lines[s->wal.count - 1];
	const struct cfg *cfg = &nodes[q->node].cfg;
	const bool standby = !s->primary;
	const bool sends = s->primary && other->streams;

	answer_bool(a, standby);
	answer_add(a, "%" PRIu64, SYSTEM);
	answer_add(a, "150013");
	answer_add(a, "%s", cfg->data_dir);
	answer_bool(a, false);
	answer_add(a, "%s", s->names);
	answer_add(a, "on");
	answer_add(a, "0");
	standby ? answer_null(a) : add_lsn(a, last->end);
	standby ? answer_null(a) : answer_add(a, "%08X0000000000000003", last->number);
	answer_add(a, "%u", last->number);
	standby ? answer_add(a, "%u", last->number) : answer_null(a);
	s->streams ? answer_add(a, "%u", last->number) : answer_null(a);
	standby ? add_lsn(a, last->end) : answer_null(a);
	standby ? add_lsn(a, last->end) : answer_null(a);
	standby ? answer_bool(a, false) : answer_null(a);
	s->streams ? answer_add(a, "streaming") : answer_null(a);
	answer_add(a, "%s", standby ? s->conninfo : "");
	answer_bool(a, file_there(file_data(cfg, WITHDRAWN_DATA).text));
	if (!sends) {
		for (int i = 0; i < 5; i++)
			answer_null(a);
		return;
	}
	answer_add(a, "%s", node_name(1 - q->node));
	answer_add(a, "streaming");
	answer_add(a, "%s", s->names[0] != '\0' ? "sync" : "async");
	s->flushed > 0 ? add_lsn(a, s->flushed) : answer_null(a);
	answer_add(a, "%" PRId64, s->sender);
}

static void whom_it_follows(const struct asked *q, struct answer *a)
{
	answer_add(a, "%s", servers[q->node].conninfo);
	answer_bool(a, servers[q->node].streams);
}

static void what_sync_is(const struct asked *q, struct answer *a)
{
	answer_add(a, "%s", servers[q->node].names);
	answer_add(a, "4711");
	answer_add(a, "CheckpointerMain");
}

static void alter_system(const struct asked *q, struct answer *a)
{
	struct fake_server *s = &servers[q->node];
	const char *from = strchr(q->sql, '\'');
	char value[256] = "";

	(void)a;
	if (from != NULL)
		(void)snprintf(value, sizeof(value), "%.*s", (int)strlen(from + 1) - 1, from + 1);
	told(q->node, "server", "%s", q->sql);
	if (strstr(q->sql, "primary_conninfo") != NULL)
		(void)snprintf(s->conninfo_file, sizeof(s->conninfo_file), "%s", value);
	else
		(void)snprintf(s->names_file, sizeof(s->names_file), "%.63s", value);
}

static void reload(const struct asked *q, struct answer *a)
{
	server_reload(q->node);
	answer_bool(a, true);
}

static void promote(const struct asked *q, struct answer *a)
{
	server_ask_promotion(q->node);
	answer_bool(a, true);
}

static void lock_settings(const struct asked *q, struct answer *a)
{
	servers[q->node].settings_locked = q->session;
	answer_bool(a, false);
}

static void yes(const struct asked *q, struct answer *a)
{
	(void)q;
	answer_bool(a, true);
}

static void no(const struct asked *q, struct answer *a)
{
	(void)q;
	answer_bool(a, false);
}

static void is_leased(const struct asked *q, struct answer *a)
{
	answer_bool(a, file_there(file_data(&nodes[q->node].cfg, LEASED_DATA).text));
}

static void rights(const struct asked *q, struct answer *a)
{
	for (int i = 0; i < 3; i++)
		yes(q, a);
}

static void replay(const struct asked *q, struct answer *a)
{
	answer_bool(a, !servers[q->node].primary);
	answer_add(a, "0");
	answer_bool(a, false);
	answer_bool(a, false);
	answer_bool(a, false);
	answer_bool(a, true);
}

static void restore(const struct asked *q, struct answer *a)
{
	(void)q;
	answer_add(a, "%s", "");
	answer_add(a, "00000002.history");
}

static void configuration(const struct asked *q, struct answer *a)
{
	(void)q;
	answer_bool(a, false);
	answer_add(a, "%s", "");
	answer_add(a, "%s", "");
}

static void loaded(const struct asked *q, struct answer *a)
{
	answer_add(a, "%" PRId64, servers[q->node].loaded_us);
}

static void identify(const struct asked *q, struct answer *a)
{
	const struct line *last = &servers[q->node].wal.lines[servers[q->node].wal.count - 1];

	answer_add(a, "%" PRIu64, SYSTEM);
	answer_add(a, "%u", last->number);
	add_lsn(a, last->end);
	answer_null(a);
}

static void no_rows(const struct asked *q, struct answer *a)
{
	(void)q;
	a->columns = 2;
	a->rows = 0;
}

static const struct {
	const char *part;
	void (*answer)(const struct asked *q, struct answer *a);
} statements[] = {
	{ "WITH me AS MATERIALIZED", what_it_is },
	{ "EXISTS (SELECT FROM pg_stat_get_wal_receiver()", whom_it_follows },
	{ "a.pid, a.wait_event", what_sync_is },
	{ "ALTER SYSTEM SET", alter_system },
	{ "SELECT pg_reload_conf()", reload },
	{ "SELECT pg_promote", promote },
	{ "pg_advisory_lock", lock_settings },
	{ "has_function_privilege('pg_catalog.pg_stat_file", yes },
	{ "SELECT (pg_stat_file('" LEASED_DATA, is_leased },
	{ "has_function_privilege('pg_catalog.pg_promote", rights },
	{ "recovery_min_apply_delay", replay },
	{ "current_setting('restore_command'), lpad", restore },
	{ "pg_show_all_file_settings", configuration },
	{ "pg_conf_load_time", loaded },
	{ "IDENTIFY_SYSTEM", identify },
	{ "a.backend_type = 'client backend'", no_rows },
	{ "coalesce(min(substr(name, 9)", no },
};

bool server_answer(int node, int session, int from, const char *sql, struct answer *answer)
{
	const struct asked q = { node, session, sql };
	const int locked = servers[node].settings_locked;

	(void)from;
	if (locked != 0 && locked != session && strstr(sql, "pg_advisory_lock") != NULL)
		return false;
	for (size_t i = 0; i < ARRAY_COUNT(statements); i++) {
		if (strstr(sql, statements[i].part) == NULL)
			continue;
		statements[i].answer(&q, answer);
		return true;
	}
	(void)fprintf(stderr, "no answer to: %s\n", sql);
	abort();
}
