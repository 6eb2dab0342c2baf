/* SPDX-License-Identifier: PostgreSQL */
#include "record/record_memory.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/lock.h"
#include "base/state.h"
#include "node/boot_file.h"
#include "node/path.h"
#include "record/record_trust.h"

/* Another run holds the lock for two small files and at most one fsync. */
#define LOCK_MS 100
/* Of both files, in run_dir and in state_dir. */
#define NAME "record"

/* ---- one row as lines of text ---- */

static void lsn_text(char *text, size_t size, bool known, uint64_t lsn)
{
	if (known)
		lsn_format(lsn, text, size);
	else
		(void)snprintf(text, size, "-");
}

static void row_format(char *text, size_t size, const struct record *row)
{
	char final[24], accepted[24];

	lsn_text(final, sizeof(final), row->final_known, row->final_lsn);
	lsn_text(accepted, sizeof(accepted), row->accepted_known, row->accepted_lsn);
	(void)snprintf(text, size,
		       "term=%" PRId64 "\nversion=%" PRId64 "\nholder=%s\npaired=%d\nreleased=%d\n"
		       "paused=%d\nsync=%d\nlease_ms=%" PRId64 "\nfinal_lsn=%s\naccepted_lsn=%s\n"
		       "origin=%s\n",
		       row->term, row->version, row->holder, row->paired, row->released,
		       row->paused, row->sync, row->lease_ms, final, accepted, row->origin);
}

static int get_positive(const char *text, const char *key, int64_t *value)
{
	int rc = state_get_i64(text, key, value);

	return rc == 0 && *value <= 0 ? -EINVAL : rc;
}

static int get_bool(const char *text, const char *key, bool *value)
{
	char word[2];
	int rc = state_get(text, key, word, sizeof(word));

	if (rc < 0)
		return rc;
	*value = word[0] == '1';
	return word[0] == '0' || word[0] == '1' ? 0 : -EINVAL;
}

static int get_lsn(const char *text, const char *key, bool *known, uint64_t *lsn)
{
	char word[24];
	int rc = state_get(text, key, word, sizeof(word));

	if (rc < 0)
		return rc;
	*known = strcmp(word, "-") != 0;
	return *known ? lsn_parse(word, lsn) : 0;
}

/* A file of an earlier release has none. */
static int get_origin(const char *text, struct record *row)
{
	int rc = state_get(text, "origin", row->origin, sizeof(row->origin));

	if (rc == -ENOENT)
		row->origin[0] = '\0';
	return rc == -ENOENT ? 0 : rc;
}

/* Only good rows are ever written. */
static int row_parse(const char *text, struct record *row)
{
	const struct {
		const char *key;
		bool *value;
	} truths[] = {
		{ "paired", &row->paired },
		{ "released", &row->released },
		{ "paused", &row->paused },
		{ "sync", &row->sync },
	};
	int rc;

	*row = (struct record){
		.schema = RECORD_SCHEMA, .same_system = true, .node_known = true, .sealed = true
	};
	rc = get_positive(text, "term", &row->term);
	if (rc == 0)
		rc = get_positive(text, "version", &row->version);
	if (rc == 0)
		rc = get_positive(text, "lease_ms", &row->lease_ms);
	if (rc == 0)
		rc = state_get(text, "holder", row->holder, sizeof(row->holder));
	if (rc == 0 && row->holder[0] == '\0')
		rc = -EINVAL;
	for (size_t i = 0; i < ARRAY_COUNT(truths) && rc == 0; i++)
		rc = get_bool(text, truths[i].key, truths[i].value);
	if (rc == 0)
		rc = get_lsn(text, "final_lsn", &row->final_known, &row->final_lsn);
	if (rc == 0)
		rc = get_lsn(text, "accepted_lsn", &row->accepted_known, &row->accepted_lsn);
	if (rc == 0)
		rc = get_origin(text, row);
	if (rc == 0)
		row->present = FACT_YES;
	return rc;
}

/* ---- reading ---- */

static void read_newest(const struct cfg *cfg, struct record_memory *memory)
{
	char text[STATE_TEXT_MAX];
	struct record row;
	int64_t first_ms, last_ms;

	if (boot_file_read(cfg, NAME, text, sizeof(text)) < 0 || row_parse(text, &row) < 0 ||
	    get_positive(text, "first_ms", &first_ms) < 0 ||
	    get_positive(text, "last_ms", &last_ms) < 0 || first_ms > now_ms() ||
	    last_ms > now_ms())
		return;
	memory->newest = row;
	memory->first_ms = first_ms;
	memory->last_ms = last_ms;
}

/* The row in state_dir, as it was when it last changed; its present says what is known of it. */
static struct record read_saved(const struct cfg *cfg)
{
	char text[STATE_TEXT_MAX];
	struct record row = { .present = FACT_UNKNOWN };
	int rc = state_read(file_state(cfg, NAME).text, text, sizeof(text));

	/* A directory that is missing (not mounted, not made yet) says nothing. */
	if (rc == -ENOENT && state_exists(cfg->state_dir) == 1)
		row.present = FACT_NO;
	if (rc == 0 && row_parse(text, &row) < 0)
		row.present = FACT_UNKNOWN;
	return row;
}

static void know(struct record_memory *memory, const struct record *row)
{
	memory->known = row->present;
	if (row->present != FACT_YES)
		return;
	memory->term = row->term;
	memory->version = row->version;
	(void)snprintf(memory->holder, sizeof(memory->holder), "%s", row->holder);
	(void)snprintf(memory->origin, sizeof(memory->origin), "%s", row->origin);
}

static void read_both(const struct cfg *cfg, struct record_memory *memory, struct record *saved)
{
	*memory = (struct record_memory){ .known = FACT_UNKNOWN };
	*saved = read_saved(cfg);
	read_newest(cfg, memory);
	/* A row seen in this boot counts as much as one that was kept. */
	if (saved->present != FACT_YES && memory->newest.present == FACT_YES)
		know(memory, &memory->newest);
	else
		know(memory, saved);
}

struct record_memory record_memory_read(const struct cfg *cfg)
{
	struct record_memory memory;
	struct record saved;

	read_both(cfg, &memory, &saved);
	return memory;
}

/* ---- noting ---- */

static bool older(const struct record *row, const struct record *than)
{
	return than->present == FACT_YES &&
	       (row->term < than->term ||
		(row->term == than->term && row->version < than->version));
}

static int save(const struct cfg *cfg, const struct record *row)
{
	char text[STATE_TEXT_MAX];

	row_format(text, sizeof(text), row);
	return state_write(file_state(cfg, NAME).text, text, 0644, true);
}

static int write_newest(const struct cfg *cfg, const struct record_memory *memory)
{
	char text[STATE_TEXT_MAX];
	size_t used;

	row_format(text, sizeof(text), &memory->newest);
	used = strlen(text);
	(void)snprintf(text + used, sizeof(text) - used,
		       "first_ms=%" PRId64 "\nlast_ms=%" PRId64 "\n", memory->first_ms,
		       memory->last_ms);
	return boot_file_write(cfg, NAME, text);
}

/* The row becomes the newest of *memory; `there` is what the file has. */
static void take(struct record_memory *memory, const struct record *row,
		 const struct record_memory *there)
{
	const bool stands = there->newest.present == FACT_YES && there->newest.term == row->term &&
			    there->newest.version == row->version;

	memory->newest = *row;
	memory->newest.refused[0] = '\0';
	memory->first_ms = row->answered_ms;
	memory->last_ms = row->asked_ms;
	/* The same version at two times: it has not changed in between. */
	if (stands && there->first_ms < memory->first_ms)
		memory->first_ms = there->first_ms;
	if (stands && there->last_ms > memory->last_ms)
		memory->last_ms = there->last_ms;
}

/* Both files, under the lock. */
static int note_locked(const struct cfg *cfg, struct record_memory *memory,
		       const struct record *row)
{
	struct record_memory there;
	struct record saved;
	int rc = 0;
	int run_rc;

	read_both(cfg, &there, &saved);
	take(memory, row, &there);
	/* Another run has seen a newer one meanwhile. */
	if (older(row, &saved) || older(row, &there.newest))
		return 0;
	if (saved.present != FACT_YES || !record_says_same(row, &saved) ||
	    strcmp(row->origin, saved.origin) != 0) {
		rc = save(cfg, row);
		saved = *row;
	}
	if (rc == 0)
		know(memory, &saved);
	run_rc = write_newest(cfg, memory);
	return rc < 0 ? rc : run_rc;
}

int record_memory_note(const struct cfg *cfg, struct record_memory *memory,
		       const struct record *record)
{
	const struct deadline dl = deadline_in_ms(LOCK_MS);
	struct record_memory before;
	int AUTO_FD lock = -1;
	int rc;

	if (record->present != FACT_YES || record->schema != RECORD_SCHEMA || !record->sealed ||
	    !record->same_system || !record->node_known || record->asked_ms <= 0)
		return -EINVAL;
	rc = lock_take(&lock, file_lock(cfg, LOCK_MEMORY).text, &dl);
	if (rc == 0)
		return note_locked(cfg, memory, record);
	before = *memory;
	take(memory, record, &before);
	return rc;
}

int64_t record_memory_still_ms(const struct record_memory *memory)
{
	const int64_t still = memory->last_ms - memory->first_ms;

	return memory->newest.present == FACT_YES && still > 0 ? still : 0;
}
