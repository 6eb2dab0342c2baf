/* SPDX-License-Identifier: PostgreSQL */
#include "salvage/salvage_line.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Of PostgreSQL's heapam_xlog.h. */
#define INSERT_ON_TOAST_RELATION 0x10
#define DELETE_IS_SUPER          0x08

#define TIME_LENGTH 30 /* "2026-11-23 10:48:44.033962 UTC" */

/* ---- pieces ---- */

/* Each takes what it knows from *at and moves it on; false leaves the rest undefined. */
static bool take_word(const char **at, const char *word)
{
	size_t length = strlen(word);

	if (strncmp(*at, word, length) != 0)
		return false;
	*at += length;
	return true;
}

static bool take_number(const char **at, uint64_t max, uint64_t *number)
{
	const char *begin = *at;

	for (*number = 0; **at >= '0' && **at <= '9'; (*at)++) {
		*number = *number * 10 + (uint64_t)(**at - '0');
		if (*number > max)
			return false;
	}
	return *at > begin;
}

static bool take_u32(const char **at, uint32_t *number)
{
	uint64_t large;

	if (!take_number(at, UINT32_MAX, &large))
		return false;
	*number = (uint32_t)large;
	return true;
}

static bool take_hex(const char **at, uint64_t *number)
{
	static const char digits[] = "0123456789ABCDEF";
	const char *begin = *at;
	const char *digit;

	for (*number = 0; **at != '\0' && (digit = strchr(digits, **at)) != NULL; (*at)++) {
		*number = *number << 4 | (uint64_t)(digit - digits);
		if (*number > UINT32_MAX)
			return false;
	}
	return *at > begin;
}

static bool take_lsn(const char **at, uint64_t *lsn)
{
	uint64_t high, low;

	if (!take_hex(at, &high) || !take_word(at, "/") || !take_hex(at, &low))
		return false;
	*lsn = high << 32 | low;
	return true;
}

static void skip_blanks(const char **at)
{
	*at += strspn(*at, " ");
}

/* pg_waldump is run with TZ=UTC. */
static bool take_time(const char **at, char *time, size_t size)
{
	static const char form[] = "0000-00-00 00:00:00.000000 UTC";

	for (size_t i = 0; i < TIME_LENGTH; i++) {
		char c = (*at)[i];

		if (form[i] == '0' ? c < '0' || c > '9' : c != form[i])
			return false;
	}
	(void)snprintf(time, size, "%.10sT%.15sZ", *at, *at + 11);
	*at += TIME_LENGTH;
	return true;
}

/* ---- rows ---- */

/* "flags 0x08" of version 15, "flags: 0x08" since 16. */
static bool find_flags(const char *text, uint32_t *flags)
{
	const char *at = strstr(text, "flags");
	uint64_t number = 0;

	if (at == NULL)
		return false;
	at += strlen("flags");
	(void)take_word(&at, ":");
	if (!take_word(&at, " 0x"))
		return false;
	for (; (*at >= '0' && *at <= '9') || (*at >= 'A' && *at <= 'F'); at++)
		number = number << 4 | (uint64_t)(*at <= '9' ? *at - '0' : *at - 'A' + 10);
	*flags = (uint32_t)(number & 0xff);
	return true;
}

/* ", blkref #0: rel 1663/5/16384 blk 0" */
static bool find_relation(const char *text, struct wal_relation *relation)
{
	const char *at = strstr(text, ", blkref #0: rel ");

	if (at == NULL)
		return false;
	at += strlen(", blkref #0: rel ");
	return take_u32(&at, &relation->tablespace) && take_word(&at, "/") &&
	       take_u32(&at, &relation->database) && take_word(&at, "/") &&
	       take_u32(&at, &relation->node) && take_word(&at, " ");
}

/* "3 tuples" of version 15, "ntuples: 3" since 16. */
static bool find_tuples(const char *text, int64_t *count)
{
	const char *at = text;
	uint32_t number;

	if (take_word(&at, "ntuples: ")) {
		if (!take_u32(&at, &number))
			return false;
	} else if (!take_u32(&at, &number) || !take_word(&at, " tuples ")) {
		return false;
	}
	*count = number;
	return true;
}

/* The operation without "+INIT" (the first on a new page); NULL when it is none of these. */
static const char *take_operation(const char **at, const char *const *operations)
{
	size_t length = strcspn(*at, " ,+");

	for (; *operations != NULL; operations++) {
		if (strlen(*operations) != length || strncmp(*at, *operations, length) != 0)
			continue;
		*at += length;
		(void)take_word(at, "+INIT");
		return **at == ' ' || **at == ',' || **at == '\0' ? *operations : NULL;
	}
	return NULL;
}

static int parse_heap(struct wal_line *line, const char *at)
{
	static const char *const operations[] = { "INSERT",       "DELETE",  "UPDATE",
						  "HOT_UPDATE",   "LOCK",    "TRUNCATE",
						  "HEAP_CONFIRM", "INPLACE", NULL };
	const char *operation = take_operation(&at, operations);
	uint32_t flags;

	if (operation == NULL)
		return -EINVAL;
	if (strcmp(operation, "INSERT") != 0 && strcmp(operation, "DELETE") != 0 &&
	    strstr(operation, "UPDATE") == NULL)
		return 0;
	if (!find_flags(at, &flags) || !find_relation(at, &line->relation))
		return -EINVAL;
	line->op = WAL_ROWS;
	if (strcmp(operation, "INSERT") == 0) {
		line->inserted = 1;
		line->toast = (flags & INSERT_ON_TOAST_RELATION) != 0;
	} else if (strcmp(operation, "DELETE") != 0) {
		line->updated = 1;
	} else if ((flags & DELETE_IS_SUPER) != 0) {
		/* INSERT ... ON CONFLICT met another one and took its row back. */
		line->inserted = -1;
	} else {
		line->deleted = 1;
	}
	return 0;
}

static int parse_heap2(struct wal_line *line, const char *at)
{
	if (!take_word(&at, "MULTI_INSERT"))
		return 0;
	(void)take_word(&at, "+INIT");
	if (!take_word(&at, " ") || !find_tuples(at, &line->inserted) ||
	    !find_relation(at, &line->relation))
		return -EINVAL;
	line->op = WAL_ROWS;
	return 0;
}

/* ---- ends of transactions ---- */

/* Parses the part behind the time: "; subxacts: 735 737; inval msgs: ...". */
static int parse_tail(struct wal_line *line, const char *at)
{
	static const char word[] = "; subxacts:";
	const char *found;

	if (*at != ';' && *at != '\0' && *at != ',')
		return -EINVAL;
	found = strstr(at, word);
	line->subxacts = found != NULL ? found + strlen(word) : NULL;
	return 0;
}

/* "gid ANYTHING: 2026-...": the name may hold whatever it likes, so the time is looked for. */
static int parse_prepare(struct wal_line *line, const char *at)
{
	const char *end;

	if (!take_word(&at, " gid "))
		return -EINVAL;
	for (end = at; (end = strstr(end, ": ")) != NULL; end++) {
		const char *time = end + 2;

		if (!take_time(&time, line->time, sizeof(line->time)))
			continue;
		if ((size_t)(end - at) >= sizeof(line->gid))
			return -EINVAL;
		memcpy(line->gid, at, (size_t)(end - at));
		line->op = WAL_PREPARE;
		return parse_tail(line, time);
	}
	return -EINVAL;
}

static int parse_transaction(struct wal_line *line, const char *at)
{
	bool commit = take_word(&at, "COMMIT");

	if (!commit && take_word(&at, "PREPARE"))
		return parse_prepare(line, at);
	/* Before the versions that are supported, and in them of no interest: */
	if (!commit && (take_word(&at, "ASSIGNMENT") || take_word(&at, "INVALIDATION")))
		return 0;
	if (!commit && !take_word(&at, "ABORT"))
		return -EINVAL;
	line->was_prepared = take_word(&at, "_PREPARED");
	if (!take_word(&at, " "))
		return -EINVAL;
	if (line->was_prepared && (!take_u32(&at, &line->xid) || !take_word(&at, ": ")))
		return -EINVAL;
	if (line->xid == 0 || !take_time(&at, line->time, sizeof(line->time)))
		return -EINVAL;
	line->op = commit ? WAL_COMMIT : WAL_ABORT;
	return parse_tail(line, at);
}

static int parse_standby(struct wal_line *line, const char *at)
{
	if (!take_word(&at, "RUNNING_XACTS"))
		return 0;
	if (!take_word(&at, " nextXid ") || !take_u32(&at, &line->next_xid) ||
	    !take_word(&at, " latestCompletedXid "))
		return -EINVAL;
	line->op = WAL_RUNNING;
	return 0;
}

/* ---- the line ---- */

/* "rmgr: Heap        len (rec/tot):     59/    59, tx:        735, lsn: 0/014E7E38, prev
 * 0/014E7E00, desc: " */
static bool take_head(const char **at, struct wal_line *line)
{
	uint32_t record;

	if (!take_word(at, "len (rec/tot): "))
		return false;
	skip_blanks(at);
	if (!take_u32(at, &record) || !take_word(at, "/"))
		return false;
	skip_blanks(at);
	if (!take_u32(at, &line->bytes) || line->bytes == 0 || !take_word(at, ", tx: "))
		return false;
	skip_blanks(at);
	return take_u32(at, &line->xid) && take_word(at, ", lsn: ") && take_lsn(at, &line->lsn) &&
	       take_word(at, ", prev ") && take_lsn(at, &line->prev) && take_word(at, ", desc: ");
}

int wal_line_parse(struct wal_line *line, const char *text)
{
	static const struct {
		const char *name;
		int (*parse)(struct wal_line *line, const char *at);
	} managers[] = { { "Heap", parse_heap },
			 { "Heap2", parse_heap2 },
			 { "Transaction", parse_transaction },
			 { "Standby", parse_standby } };
	const char *at = text, *name;
	size_t length;

	*line = (struct wal_line){ 0 };
	if (!take_word(&at, "rmgr: "))
		return -EINVAL;
	name = at;
	length = strcspn(at, " ");
	at += length;
	skip_blanks(&at);
	if (length == 0 || !take_head(&at, line))
		return -EINVAL;
	for (size_t i = 0; i < ARRAY_COUNT(managers); i++)
		if (strlen(managers[i].name) == length &&
		    strncmp(managers[i].name, name, length) == 0)
			return managers[i].parse(line, at);
	return 0;
}

int wal_line_subxact(const char **rest, uint32_t *xid)
{
	if (*rest == NULL || **rest == '\0' || **rest == ';' || **rest == ',')
		return 0;
	return take_word(rest, " ") && take_u32(rest, xid) && *xid != 0 ? 1 : -EINVAL;
}
