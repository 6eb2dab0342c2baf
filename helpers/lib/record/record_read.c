/* SPDX-License-Identifier: PostgreSQL */
/* Reads the answer of the witness, strictly: what cannot be a record is an error and never a
 * default. */
#include <errno.h>
#include <string.h>

#include "record/record_internal.h"

/* Of pgvrrp.answer (scripts/setup/witness.sql), in its order, and what stands behind it in
 * record.c. */
enum column {
	AT_SCHEMA,
	AT_REFUSED,
	AT_PRESENT,
	AT_SAME_SYSTEM,
	AT_NODE_KNOWN,
	AT_SEALED,
	AT_TERM,
	AT_HOLDER,
	AT_PAIRED,
	AT_RELEASED,
	AT_PAUSED,
	AT_VERSION,
	AT_FINAL_LSN,
	AT_SYNC,
	AT_LEASE_MS,
	AT_ACCEPTED_LSN,
	AT_ORIGIN,
	AT_END
};

_Static_assert(AT_END == RECORD_COLUMNS, "every column is read");

static int nullable_lsn(const struct pg_result *row, enum column at, bool *known, uint64_t *lsn)
{
	int rc = pg_get_lsn(row, 0, at, lsn);

	*known = rc == 0;
	return rc == -ENODATA ? 0 : rc;
}

static int read_refused(struct record *record, const struct pg_result *row)
{
	static const char *const words[] = { "absent", "system", "node",     "seal",   "stale",
					     "holder", "solo",   "released", "paused", "exists" };
	int rc = pg_get_text(row, 0, AT_REFUSED, record->refused, sizeof(record->refused));

	if (rc == -ENODATA) {
		record->refused[0] = '\0';
		return 0;
	}
	for (size_t i = 0; i < ARRAY_COUNT(words) && rc == 0; i++) {
		if (strcmp(record->refused, words[i]) == 0)
			return 0;
	}
	return -EPROTO;
}

/* The origin goes into a file of ours, so no other characters are taken. */
static int read_origin(struct record *record, const struct pg_result *row)
{
	int rc = pg_get_text(row, 0, AT_ORIGIN, record->origin, sizeof(record->origin));

	if (rc == 0 && (record->origin[0] == '\0' ||
			record->origin[strspn(record->origin, "-0123456789ABCDEF/")] != '\0'))
		rc = -EPROTO;
	return rc < 0 ? -EPROTO : 0;
}

/* Where there is no row, it has no columns either. */
static int read_absent(const struct pg_result *row)
{
	char text[2];

	for (size_t at = AT_SAME_SYSTEM; at < AT_ORIGIN; at++) {
		if (pg_get_text(row, 0, at, text, sizeof(text)) != -ENODATA)
			return -EPROTO;
	}
	return 0;
}

static int read_present(struct record *record, const struct pg_result *row, const struct cfg *cfg)
{
	const struct {
		enum column at;
		bool *value;
	} truths[] = {
		{ AT_SAME_SYSTEM, &record->same_system },
		{ AT_NODE_KNOWN, &record->node_known },
		{ AT_SEALED, &record->sealed },
		{ AT_PAIRED, &record->paired },
		{ AT_RELEASED, &record->released },
		{ AT_PAUSED, &record->paused },
		{ AT_SYNC, &record->sync },
	};
	const struct {
		enum column at;
		int64_t *value;
	} numbers[] = {
		{ AT_TERM, &record->term },
		{ AT_VERSION, &record->version },
		{ AT_LEASE_MS, &record->lease_ms },
	};
	int rc = pg_get_text(row, 0, AT_HOLDER, record->holder, sizeof(record->holder));

	for (size_t i = 0; i < ARRAY_COUNT(truths) && rc == 0; i++)
		rc = pg_get_bool(row, 0, truths[i].at, truths[i].value);
	for (size_t i = 0; i < ARRAY_COUNT(numbers) && rc == 0; i++) {
		rc = pg_get_i64(row, 0, numbers[i].at, numbers[i].value);
		if (rc == 0 && *numbers[i].value <= 0)
			rc = -EPROTO;
	}
	if (rc == 0)
		rc = nullable_lsn(row, AT_FINAL_LSN, &record->final_known, &record->final_lsn);
	if (rc == 0)
		rc = nullable_lsn(row, AT_ACCEPTED_LSN, &record->accepted_known,
				  &record->accepted_lsn);
	if (rc == 0 && record->sync && !record->paired)
		rc = -EPROTO;
	if (cfg_node(cfg, record->holder) == NULL)
		record->node_known = false;
	return rc;
}

int record_read(struct record *record, const struct pg_result *row, const struct cfg *cfg)
{
	bool present = false;
	int rc = pg_rows(row) == 1 ? 0 : -EPROTO;

	if (rc == 0)
		rc = pg_get_i64(row, 0, AT_SCHEMA, &record->schema);
	if (rc < 0 || record->schema != RECORD_SCHEMA)
		return rc;
	rc = read_refused(record, row);
	if (rc == 0)
		rc = read_origin(record, row);
	if (rc == 0)
		rc = pg_get_bool(row, 0, AT_PRESENT, &present);
	if (rc == 0)
		rc = present ? read_present(record, row, cfg) : read_absent(row);
	record->present = fact_of(present);
	return rc;
}
