/* SPDX-License-Identifier: PostgreSQL */
#include "record/record_trust.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* More changes of primary than there will ever be. */
#define TERM_PLAUSIBLE (INT64_MAX / 2)

static bool older(const struct record *record, int64_t term, int64_t version)
{
	return record->term < term || (record->term == term && record->version < version);
}

bool record_says_same(const struct record *a, const struct record *b)
{
	return a->term == b->term && strcmp(a->holder, b->holder) == 0 && a->paired == b->paired &&
	       a->released == b->released && a->paused == b->paused && a->sync == b->sync &&
	       a->lease_ms == b->lease_ms && a->final_known == b->final_known &&
	       a->final_lsn == b->final_lsn && a->accepted_known == b->accepted_known &&
	       a->accepted_lsn == b->accepted_lsn;
}

/* A restored witness that was written to since may have caught up; but a term has one holder, and a
 * version one content. */
static bool at_odds(const struct record *record, const struct record_memory *memory)
{
	const struct record *newest = &memory->newest;

	if (memory->known == FACT_YES && record->term == memory->term &&
	    strcmp(record->holder, memory->holder) != 0)
		return true;
	if (newest->present != FACT_YES || record->term != newest->term)
		return false;
	return strcmp(record->holder, newest->holder) != 0 ||
	       (record->version == newest->version && !record_says_same(record, newest));
}

static bool elsewhere(const char *origin, const char *seen)
{
	return origin[0] != '\0' && seen[0] != '\0' && strcmp(origin, seen) != 0;
}

/*
 * A copy of the witness, promoted or restored, shows what was, and the other one may go on.  It
 * counts from the first row that was written there for a term that nobody had seen before.
 */
static bool copied(const struct record *record, const struct record_memory *memory)
{
	const struct record *newest = &memory->newest;

	return (memory->known == FACT_YES && record->term <= memory->term &&
		elsewhere(record->origin, memory->origin)) ||
	       (newest->present == FACT_YES && record->term <= newest->term &&
		elsewhere(record->origin, newest->origin));
}

static bool went_backwards(const struct record *record, const struct record_memory *memory)
{
	const struct record *newest = &memory->newest;

	if (memory->known == FACT_YES && older(record, memory->term, memory->version))
		return true;
	if (newest->present == FACT_YES && older(record, newest->term, newest->version))
		return true;
	return at_odds(record, memory) || copied(record, memory);
}

enum record_trust record_trust(const struct record *record, const struct record_memory *memory)
{
	if (record->present == FACT_UNKNOWN)
		return RECORD_SILENT;
	if (record->schema != RECORD_SCHEMA)
		return RECORD_OTHER_SCHEMA;
	if (record->present == FACT_YES && !record->same_system)
		return RECORD_OTHER_SYSTEM;
	if (record->present == FACT_YES && !record->node_known)
		return RECORD_OTHER_NODES;
	if (record->present != FACT_YES)
		return RECORD_ABSENT;
	if (!record->sealed)
		return RECORD_EDITED;
	if (memory->known == FACT_UNKNOWN)
		return RECORD_UNPROVEN;
	return went_backwards(record, memory) ? RECORD_BACKWARDS : RECORD_GOOD;
}

bool record_replaceable(enum record_trust trust)
{
	return trust == RECORD_ABSENT || trust == RECORD_EDITED || trust == RECORD_BACKWARDS;
}

static int64_t higher(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

int64_t record_next_term(const struct record *record, const struct record_memory *memory)
{
	int64_t term = memory->known == FACT_YES ? memory->term : 0;

	if (memory->newest.present == FACT_YES)
		term = higher(term, memory->newest.term);
	if (record->present == FACT_YES && record->term < TERM_PLAUSIBLE)
		term = higher(term, record->term);
	return term + 1;
}

/* ---- words ---- */

static const struct {
	const char *word;
	const char *message;
	const char *hint;
} words[RECORD_TRUSTS] = {
	[RECORD_SILENT] = { "no answer", "the witness gave no answer that can be used",
			    "See whether its PostgreSQL runs, and what this node's log says about "
			    "it." },
	[RECORD_OTHER_SCHEMA] = { "another schema",
				  "the witness has another version of the record's schema",
				  "Run witness-setup of the newest pg_vrrp that any of your nodes "
				  "has, then bring the older nodes up to date." },
	[RECORD_OTHER_SYSTEM] = { "another cluster's",
				  "the record belongs to another PostgreSQL cluster of this name",
				  "Give one of the two another [cluster] name.  If the data "
				  "directories were made anew, delete the row from "
				  "pgvrrp.record." },
	[RECORD_OTHER_NODES] = { "of other nodes", "the record is of nodes with other names",
				 "Give one of the two clusters another [cluster] name.  If nodes "
				 "were renamed, delete the row from pgvrrp.record." },
	[RECORD_ABSENT] = { "absent", "the witness keeps no record of this cluster",
			    "A primary that serves by right writes one.  Nobody takes over before "
			    "it has." },
	[RECORD_EDITED] = { "edited by hand", "the record was changed by hand",
			    "A primary that serves by right writes a new one.  Nobody takes over "
			    "before it has." },
	[RECORD_UNPROVEN] = { "not comparable",
			      "what this node has seen of the record cannot be read",
			      "Repair state_dir.  When the witness was not restored from a backup, "
			      "the file record in it may be removed." },
	[RECORD_BACKWARDS] = { "older than seen",
			       "the record is older than what this node has seen, or contradicts "
			       "it",
			       "The witness was restored from a backup, or is a copy of it that "
			       "was "
			       "promoted.  A primary that serves by right writes a new record." },
	[RECORD_GOOD] = { "good", NULL, NULL },
};

const char *record_trust_word(enum record_trust trust)
{
	return words[trust].word;
}

const char *record_trust_message(enum record_trust trust)
{
	return words[trust].message;
}

const char *record_trust_hint(enum record_trust trust)
{
	return words[trust].hint;
}

static const char *other_than(const struct cfg *cfg, const char *holder)
{
	const bool own = strcmp(cfg_self(cfg)->name, holder) == 0;

	return own ? cfg_peer(cfg)->name : cfg_self(cfg)->name;
}

PRINTF_LIKE(3, 4) static void add(char *text, size_t size, const char *format, ...)
{
	const size_t used = strlen(text);
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text + used, size - used, format, args);
	va_end(args);
}

void record_words(const struct record *record, const struct cfg *cfg, char *text, size_t size)
{
	char lsn[24];

	(void)snprintf(text, size, "%s holds term %" PRId64, record->holder, record->term);
	if (record->paired)
		add(text, size, " and %s may take over (%s)", other_than(cfg, record->holder),
		    record->sync ? "sync" : "async");
	else
		add(text, size, " alone");
	if (record->released)
		add(text, size, "; it is down");
	if (record->released && record->final_known) {
		lsn_format(record->final_lsn, lsn, sizeof(lsn));
		add(text, size, ", its WAL ends at %s", lsn);
	}
	if (record->paused)
		add(text, size, "; failover is paused");
	if (record->accepted_known) {
		lsn_format(record->accepted_lsn, lsn, sizeof(lsn));
		add(text, size, "; an operator accepted what there was up to %s", lsn);
	}
}
