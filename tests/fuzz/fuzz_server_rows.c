/* SPDX-License-Identifier: PostgreSQL */
/* Answers of a server to the questions that are asked of one: an answer that cannot be used
 * leaves nothing behind, and of a usable one a report can be made. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/deadline.h"
#include "base/outcome.h"
#include "postgres/server.h"
#include "postgres/server_slots.h"
#include "rebuild/rebuild.h"
#include "rejoin/rejoin_peer.h"
#include "rows.h"
#include "status/status.h"

static const struct deadline *soon(void)
{
	static struct deadline dl;

	dl = deadline_in_ms(1000);
	return &dl;
}

/* ---- one server ---- */

static void ask_server(struct server *server, enum pg_where where)
{
	struct server rest;

	server_ask(server, fuzz_cfg(), where, soon());
	if (server->state == SERVER_PRIMARY || server->state == SERVER_STANDBY) {
		assert(server->state == SERVER_STANDBY || !server->withdrawn);
		assert(server->received_lsn >= server->replayed_lsn);
		assert(!server->withdrawn || server->primary_conninfo[0] == '\0');
		return;
	}
	assert(server->state == SERVER_UNKNOWN && server->why[0] != '\0');
	assert(server_votes_for(server, "192.0.2.1", 1, 1) == FACT_UNKNOWN);
	memcpy(&rest, server, sizeof(rest));
	rest.failure = PG_FAIL_NONE;
	rest.asked_ms = 0;
	memset(rest.why, 0, sizeof(rest.why));
	assert(fuzz_is_zero(&rest, sizeof(rest)));
}

static void ask_slots(struct server_slots *slots, enum pg_where where)
{
	server_slots_ask(slots, fuzz_cfg(), where, soon());
	assert(slots->count <= SERVER_SLOTS_MAX);
	assert(slots->known || (slots->why[0] != '\0' && slots->count == 0));
}

/* One line of JSON: no control character, and brackets that close. */
static void look_at_json(const char *text)
{
	int depth = 0;
	bool quoted = false;

	for (; *text != '\0' && *text != '\n'; text++) {
		assert((unsigned char)*text >= 0x20);
		if (quoted && *text == '\\') {
			text++;
			assert(*text != '\0');
		} else if (*text == '"') {
			quoted = !quoted;
		}
		if (!quoted)
			depth += (*text == '{' || *text == '[') - (*text == '}' || *text == ']');
		assert(depth >= 0);
	}
	assert(depth == 0 && !quoted && strcmp(text, "\n") == 0);
}

static void look_at_flow(struct status_flow *flow)
{
	char text[192] = "";

	for (size_t i = 0; i < CFG_NODES; i++) {
		struct server_flow *one = &flow->first[i];

		server_flow_ask(one, fuzz_cfg(), i == 0 ? PG_LOCAL : PG_PEER, soon());
		assert(one->known || fuzz_is_zero(one, sizeof(*one)));
		flow->last[i] = *one;
	}
	flow->vanishes = status_flow_decide(flow);
	status_flow_words(flow, text, sizeof(text));
	assert(text[0] != '\0');
}

static void look_at_status(void)
{
	const struct cfg *cfg = fuzz_cfg();
	static struct status status;
	char AUTO_FREE *table = NULL;
	char AUTO_FREE *json = NULL;
	size_t table_size, json_size;
	FILE *to_table = open_memstream(&table, &table_size);
	FILE *to_json = open_memstream(&json, &json_size);
	struct status_facts facts;
	struct verdict verdict;

	assert(to_table != NULL && to_json != NULL);
	status = (struct status){ .serving = -1, .election = -1, .priority = -1 };
	for (size_t i = 0; i < CFG_NODES; i++) {
		ask_server(&status.servers[i], i == 0 ? PG_LOCAL : PG_PEER);
		ask_slots(&status.slots[i], i == 0 ? PG_LOCAL : PG_PEER);
	}
	look_at_flow(&status.flow);
	facts = status_facts_of(&status, cfg);
	verdict = status_decide(&facts);
	assert(verdict.outcome != OUT_YES);
	(void)status_forecast(&status, cfg);
	status_print(&status, cfg, &verdict, to_table);
	status_print_json(&status, cfg, &verdict, to_json);
	assert(fclose(to_table) == 0 && fclose(to_json) == 0);
	look_at_json(json);
}

/* ---- the questions of rejoin ---- */

static void look_at_source(void)
{
	static struct rebuild_source source;
	struct rebuild_progress progress;
	char text[200], why[200] = "";

	if (rebuild_source_ask(&source, fuzz_cfg(), soon(), why, sizeof(why)) < 0)
		assert(why[0] != '\0');
	assert(source.count <= REBUILD_SPACES_MAX);
	if (rebuild_progress_ask(&progress, fuzz_cfg(), soon()) == 0) {
		rebuild_progress_words(&progress, 1500, text, sizeof(text));
		assert(text[0] != '\0');
	}
}

static void look_at_history(void)
{
	static struct history_file history;
	int rc = peer_history(&history, fuzz_cfg(), 3, soon());

	assert((rc == 0) == (history.count > 0));
	if (rc == 0)
		assert(history.entries[history.count - 1].timeline == 3);
	(void)peer_wal_gone(fuzz_cfg(), 0x3000000, soon());
	(void)peer_checkpoint(fuzz_cfg(), 1, soon());
}

/* The first byte chooses what is asked. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const questions[])(void) = { look_at_status, look_at_source,
						   look_at_history };
	struct input in = { data, size };
	const size_t which = input_byte(&in) % ARRAY_COUNT(questions);

	rows_begin(in);
	questions[which]();
	return 0;
}
