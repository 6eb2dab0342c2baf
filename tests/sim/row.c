/* SPDX-License-Identifier: PostgreSQL */
/* The functions of scripts/setup/witness.sql: one compare-and-set after the other. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "postgres/pg.h"
#include "sim.h"

struct row the_row;
bool witness_up;

#define WORDS_MAX 12

struct call {
	char words[WORDS_MAX][40]; /* arguments: cluster, system, node, ... */
	int count;
};

void row_begin(void)
{
	witness_up = true;
	the_row = (struct row){
		.present = true, .term = 1, .version = 1, .lease_ms = 3000, .paired = true
	};
	the_row.sync = nodes[0].cfg.mode == MODE_SYNC;
	(void)snprintf(the_row.holder, sizeof(the_row.holder), "n1");
}

static void take_words(struct call *call, const char *sql, const char *arguments)
{
	/* A write: CASE WHEN origin = '...' THEN 'cluster' END, ... */
	const char *end = strstr(sql, " END, ");
	const char *at = end != NULL ? end + 6 : arguments;

	call->count = 0;
	if (end != NULL)
		call->words[call->count++][0] = '\0';
	while (*at != '\0' && *at != ')' && call->count < WORDS_MAX) {
		size_t length;

		at += strspn(at, " ,'");
		length = strcspn(at, ",')");
		(void)snprintf(call->words[call->count++], sizeof(call->words[0]), "%.*s",
			       (int)length, at);
		at += length;
		at += strspn(at, "'");
	}
}

static int64_t number(const struct call *call, int at)
{
	return strtoll(call->words[at], NULL, 10);
}

static const char *refusal(const struct call *call, bool holds)
{
	if (!the_row.present)
		return "absent";
	if (number(call, 3) != the_row.term || number(call, 4) != the_row.version)
		return "stale";
	return holds && strcmp(the_row.holder, call->words[2]) != 0 ? "holder" : NULL;
}

static void lsn_of(const char *text, bool *known, uint64_t *lsn)
{
	*known = lsn_parse(text, lsn) == 0;
}

static const char *renew(const struct call *call)
{
	const char *why = refusal(call, true);

	if (why == NULL && the_row.released && strcmp(call->words[6], "true") != 0)
		why = "released";
	if (why != NULL)
		return why;
	the_row.released = false;
	the_row.final_known = false;
	the_row.lease_ms = number(call, 5);
	the_row.version++;
	return NULL;
}

static const char *go_solo(const struct call *call)
{
	const char *why = refusal(call, true);

	if (why == NULL && the_row.released)
		why = "released";
	if (why != NULL)
		return why;
	the_row.paired = the_row.sync = false;
	the_row.version++;
	return NULL;
}

static const char *pair(const struct call *call)
{
	const char *why = refusal(call, true);

	if (why == NULL && the_row.released)
		why = "released";
	else if (why == NULL && the_row.paused)
		why = "paused";
	if (why != NULL)
		return why;
	the_row.paired = true;
	the_row.lease_ms = number(call, 5);
	the_row.sync = strcmp(call->words[6], "true") == 0;
	the_row.accepted_known = false;
	the_row.version++;
	return NULL;
}

static const char *release(const struct call *call)
{
	const char *why = refusal(call, true);

	if (why != NULL)
		return why;
	the_row.released = true;
	lsn_of(call->words[5], &the_row.final_known, &the_row.final_lsn);
	the_row.version++;
	return NULL;
}

static void give_to(const struct call *call)
{
	the_row.term++;
	(void)snprintf(the_row.holder, sizeof(the_row.holder), "%.30s", call->words[2]);
	the_row.paired = the_row.sync = the_row.released = the_row.final_known =
	    the_row.accepted_known = false;
	the_row.lease_ms = number(call, 5);
	the_row.version++;
}

static const char *take(const struct call *call)
{
	const char *why = refusal(call, false);

	if (why == NULL && strcmp(the_row.holder, call->words[2]) != 0)
		why = !the_row.paired ? "solo" : the_row.paused ? "paused" : NULL;
	if (why == NULL)
		give_to(call);
	return why;
}

static const char *take_by_word(const struct call *call)
{
	const char *why = refusal(call, false);

	if (why != NULL)
		return why;
	give_to(call);
	lsn_of(call->words[6], &the_row.accepted_known, &the_row.accepted_lsn);
	return NULL;
}

static const char *set_pause(const struct call *call)
{
	const char *why = refusal(call, false);

	if (why != NULL)
		return why;
	the_row.paused = strcmp(call->words[5], "true") == 0;
	the_row.version++;
	return NULL;
}

/* Arguments: cluster, system, node, peer, term, seen term, seen version, lease. */
static const char *create(const struct call *call)
{
	const int64_t seen_version = number(call, 6);

	if (seen_version == 0 && the_row.present)
		return "exists";
	if (seen_version != 0 && !the_row.present)
		return "absent";
	if (seen_version != 0 &&
	    (the_row.term != number(call, 5) || the_row.version != seen_version))
		return "stale";
	if (seen_version != 0 && the_row.term >= number(call, 4))
		return "exists";
	the_row = (struct row){ .present = true,
				.term = number(call, 4),
				.version = seen_version == 0 ? 1 : the_row.version + 1,
				.lease_ms = number(call, 7) };
	(void)snprintf(the_row.holder, sizeof(the_row.holder), "%.30s", call->words[2]);
	return NULL;
}

static const char *look(const struct call *call)
{
	(void)call;
	return NULL;
}

static const struct {
	const char *name;
	const char *(*run)(const struct call *call);
} functions[] = {
	{ "look", look },
	{ "renew", renew },
	{ "go_solo", go_solo },
	{ "pair", pair },
	{ "release", release },
	{ "take", take },
	{ "pause", set_pause },
	{ "take_by_word", take_by_word },
	{ "create_record", create },
};

static void add_lsn(struct answer *a, bool known, uint64_t lsn)
{
	char text[24];

	lsn_format(lsn, text, sizeof(text));
	if (known)
		answer_add(a, "%s", text);
	else
		answer_null(a);
}

static void show(struct answer *a, const char *why)
{
	answer_add(a, "1");
	why != NULL ? answer_add(a, "%s", why) : answer_null(a);
	answer_bool(a, the_row.present);
	for (int i = 0; i < 13 && !the_row.present; i++)
		answer_null(a);
	if (the_row.present) {
		for (int i = 0; i < 3; i++)
			answer_bool(a, true);
		answer_add(a, "%" PRId64, the_row.term);
		answer_add(a, "%s", the_row.holder);
		answer_bool(a, the_row.paired);
		answer_bool(a, the_row.released);
		answer_bool(a, the_row.paused);
		answer_add(a, "%" PRId64, the_row.version);
		add_lsn(a, the_row.final_known, the_row.final_lsn);
		answer_bool(a, the_row.sync);
		answer_add(a, "%" PRId64, the_row.lease_ms);
		add_lsn(a, the_row.accepted_known, the_row.accepted_lsn);
	}
	answer_add(a, "7000000000000000001/00000001");
}

void row_answer(const char *sql, struct answer *answer)
{
	const char *name = strstr(sql, "pgvrrp.") + strlen("pgvrrp.");
	const size_t length = strcspn(name, "(");
	struct call call = { .count = 0 };

	/* Nobody pauses here. */
	if (length == strlen("pause_of") && strncmp(name, "pause_of", length) == 0) {
		answer_add(answer, "0");
		answer_add(answer, "%s", "");
		answer_add(answer, "%s", "");
		return;
	}
	take_words(&call, sql, name + length + 1);
	for (size_t i = 0; i < ARRAY_COUNT(functions); i++) {
		const char *why;

		if (strlen(functions[i].name) != length ||
		    strncmp(functions[i].name, name, length) != 0)
			continue;
		why = functions[i].run(&call);
		if (functions[i].run != look)
			told(-1, "row",
			     "%s by %s: %s; term %" PRId64 " of %s, version %" PRId64 "%s%s",
			     functions[i].name, call.words[2], why != NULL ? why : "done",
			     the_row.term, the_row.holder, the_row.version,
			     the_row.paired ? ", paired" : ", solo",
			     the_row.released ? ", released" : "");
		show(answer, why);
		return;
	}
	abort();
}
