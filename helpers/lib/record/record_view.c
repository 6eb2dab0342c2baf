/* SPDX-License-Identifier: PostgreSQL */
#include "record/record_view.h"

#include <inttypes.h>
#include <string.h>

static void judge(struct record_view *view, const struct record_link *link)
{
	(void)snprintf(view->why, sizeof(view->why), "%s", link->why);
	view->trust = record_trust(&view->record, &view->memory);
}

void record_view_look(struct record_view *view, struct record_link *link, const struct deadline *dl)
{
	/* The memory first: what somebody notes after our look is newer than the row that
	 * we got. */
	*view =
	    (struct record_view){ .trust = RECORD_SILENT, .memory = record_memory_read(link->cfg) };
	if (record_look(link, &view->record, dl) < 0)
		view->record.present = FACT_UNKNOWN;
	judge(view, link);
}

void record_view_take(struct record_view *view, const struct record_link *link)
{
	judge(view, link);
}

/* There is a row, and in columns that we know. */
static bool readable(const struct record_view *view)
{
	return view->record.present == FACT_YES && view->record.schema == RECORD_SCHEMA;
}

int64_t record_view_still_ms(const struct record_view *view)
{
	const struct record *newest = &view->memory.newest;

	if (view->trust != RECORD_GOOD || newest->present != FACT_YES ||
	    newest->term != view->record.term || newest->version != view->record.version ||
	    view->record.asked_ms < view->memory.first_ms)
		return -1;
	return view->record.asked_ms - view->memory.first_ms;
}

/* ---- what it says ---- */

static const char *other_than(const char *holder, const struct cfg *cfg)
{
	const char *self = cfg_self(cfg)->name;

	return strcmp(holder, self) == 0 ? cfg_peer(cfg)->name : self;
}

const char *record_may_take(const struct record *record, const struct cfg *cfg)
{
	return record->paired ? other_than(record->holder, cfg) : NULL;
}

static void final_words(const struct record *record, char *text, size_t size)
{
	char lsn[32];

	text[0] = '\0';
	if (!record->final_known)
		return;
	lsn_format(record->final_lsn, lsn, sizeof(lsn));
	(void)snprintf(text, size, ", with all that %s wrote up to %s", record->holder, lsn);
}

void record_meaning(const struct record *record, const struct cfg *cfg, char *text, size_t size)
{
	const char *holder = record->holder;
	const char *other = other_than(holder, cfg);
	char final[96];

	final_words(record, final, sizeof(final));
	if (record->paired && record->released)
		(void)snprintf(text, size, "%s does not serve; %s may take over at once%s", holder,
			       other, final);
	else if (record->paired && record->paused)
		(void)snprintf(
		    text, size,
		    "%s was asked to go on alone; until it has done so, %s may take over", holder,
		    other);
	else if (record->paired)
		(void)snprintf(text, size,
			       "%s serves under a lease; %s may take over when that has run out or "
			       "%s is proven fenced",
			       holder, other, holder);
	else
		(void)snprintf(text, size,
			       "only %s may serve%s; %s must not be promoted, because %s", holder,
			       record->released ? ", and it does not" : "", other,
			       record->paused ? "an operator wants no takeover"
					      : "it may lack what was committed without it");
}

/* ---- for people ---- */

static const char *yes_no(bool value)
{
	return value ? "yes" : "no";
}

static void print_line(FILE *out, const char *name, const char *value)
{
	fprintf(out, "  %-13s %s\n", name, value);
}

static void print_lsn(FILE *out, const char *name, bool known, uint64_t lsn)
{
	char text[32];

	if (!known)
		return;
	lsn_format(lsn, text, sizeof(text));
	print_line(out, name, text);
}

static void print_good(const struct record_view *view, const struct cfg *cfg, FILE *out)
{
	const struct record *record = &view->record;
	const int64_t still_ms = record_view_still_ms(view);
	char words[320];

	record_words(record, cfg, words, sizeof(words));
	print_line(out, "says", words);
	record_meaning(record, cfg, words, sizeof(words));
	print_line(out, "meaning", words);
	print_line(out, "trust", record_trust_word(view->trust));
	fprintf(out, "  %-13s %" PRId64 ", held by %s\n", "term", record->term, record->holder);
	print_line(out, "takeover",
		   record->paired
		       ? record->sync ? "possible: paired in sync mode" : "possible: paired"
		       : "not possible: solo");
	print_line(out, "released", yes_no(record->released));
	print_lsn(out, "final LSN", record->final_known, record->final_lsn);
	print_lsn(out, "accepted LSN", record->accepted_known, record->accepted_lsn);
	print_line(out, "paused", yes_no(record->paused));
	fprintf(out, "  %-13s %" PRId64 ", ", "version", record->version);
	if (still_ms < 0)
		fprintf(out, "new to this node\n");
	else
		fprintf(out, "unchanged for %.1f s\n", (double)still_ms / 1000);
}

void record_print(const struct record_view *view, const struct cfg *cfg, FILE *out)
{
	if (view->trust == RECORD_GOOD) {
		print_good(view, cfg, out);
		return;
	}
	print_line(out, "meaning", "nothing: it permits no takeover");
	fprintf(out, "  %-13s %s%s%s\n", "trust", record_trust_word(view->trust),
		view->why[0] != '\0' ? ": " : "", view->why);
	print_line(out, "what to do", record_trust_hint(view->trust));
	if (readable(view))
		fprintf(out, "  %-13s term %" PRId64 ", version %" PRId64 ", holder %s\n",
			"would say", view->record.term, view->record.version, view->record.holder);
}

/* ---- for scripts ---- */

static void put_lsn(struct json *json, const char *key, bool known, uint64_t lsn)
{
	char text[32];

	lsn_format(lsn, text, sizeof(text));
	json_text(json, key, known ? text : NULL);
}

/* Prints the row also when it cannot be trusted: a script that looks at it has to look at
 * "trust". */
static void put_row(struct json *json, const struct record *record)
{
	json_number(json, "term", record->term);
	json_number(json, "version", record->version);
	json_text(json, "holder", record->holder);
	json_bool(json, "paired", record->paired);
	json_bool(json, "sync", record->sync);
	json_bool(json, "released", record->released);
	json_bool(json, "paused", record->paused);
	json_number(json, "lease_ms", record->lease_ms);
	put_lsn(json, "final_lsn", record->final_known, record->final_lsn);
	put_lsn(json, "accepted_lsn", record->accepted_known, record->accepted_lsn);
}

static void put_nothing(struct json *json)
{
	static const char *const keys[] = { "term",      "version",     "holder", "paired",
					    "sync",      "released",    "paused", "lease_ms",
					    "final_lsn", "accepted_lsn" };

	for (size_t i = 0; i < ARRAY_COUNT(keys); i++)
		json_null(json, keys[i]);
}

void record_print_json(struct json *json, const struct record_view *view, const struct cfg *cfg)
{
	const bool good = view->trust == RECORD_GOOD;
	const int64_t still_ms = record_view_still_ms(view);
	char meaning[320] = "";

	json_object(json, "record");
	json_text(json, "trust", record_trust_word(view->trust));
	json_text(json, "why", view->why[0] != '\0' ? view->why : NULL);
	if (readable(view))
		put_row(json, &view->record);
	else
		put_nothing(json);
	if (still_ms >= 0)
		json_number(json, "unchanged_ms", still_ms);
	else
		json_null(json, "unchanged_ms");
	json_text(json, "may_take_over", good ? record_may_take(&view->record, cfg) : NULL);
	if (good)
		record_meaning(&view->record, cfg, meaning, sizeof(meaning));
	json_text(json, "meaning", good ? meaning : NULL);
	json_close_object(json);
}
