/* SPDX-License-Identifier: PostgreSQL */
#include "salvage/salvage_dump.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/proc.h"
#include "postgres/pg.h"

/* Of one read(2). */
#define PART_BYTES 65536
/* A commit line names all its subtransactions: this is more than a million of them. */
#define LINE_MAX_BYTES (16 * 1024 * 1024)

struct reader {
	struct dump *dump;
	char *text; /* a line that has not ended yet */
	size_t used, room;
	bool too_long; /* the rest of it is skipped */
};

static void strange(struct dump *dump, const char *line)
{
	if (dump->strange++ == 0)
		(void)snprintf(dump->strange_line, sizeof(dump->strange_line), "%s", line);
}

/*
 * Each record names the one before it, so that a line that is missing, or one that somebody wrote
 * into the name of a prepared transaction, is told from pg_waldump's own.
 */
static int take_line(struct dump *dump, const char *text)
{
	struct wal_line line;

	if (strncmp(text, "first record is after ", 22) == 0)
		return 0;
	if (wal_line_parse(&line, text) < 0 || line.lsn <= dump->last ||
	    (dump->last != 0 && line.prev != dump->last)) {
		strange(dump, text);
		return 0;
	}
	dump->records++;
	dump->last = line.lsn;
	dump->last_bytes = line.bytes;
	return dump->take(dump->arg, &line);
}

static int end_line(struct reader *reader)
{
	int rc = 0;

	reader->text[reader->used] = '\0';
	if (reader->too_long || strlen(reader->text) != reader->used)
		strange(reader->dump, "a line of enormous length, or with a zero byte");
	else
		rc = take_line(reader->dump, reader->text);
	reader->used = 0;
	reader->too_long = false;
	return rc;
}

static int grow(struct reader *reader)
{
	size_t room = reader->room == 0 ? 4096 : 2 * reader->room;
	char *text = realloc(reader->text, room);

	if (text == NULL)
		return -ENOMEM;
	reader->text = text;
	reader->room = room;
	return 0;
}

static int take_part(struct reader *reader, const char *part, size_t length)
{
	const char *const end = part + length;
	int rc = 0;

	while (part < end && rc == 0) {
		const char *newline = memchr(part, '\n', (size_t)(end - part));
		size_t more = (size_t)((newline != NULL ? newline : end) - part);

		if (reader->used + more >= LINE_MAX_BYTES)
			reader->too_long = true;
		while (!reader->too_long && reader->used + more + 1 > reader->room && rc == 0)
			rc = grow(reader);
		if (rc < 0)
			return rc;
		if (!reader->too_long) {
			memcpy(reader->text + reader->used, part, more);
			reader->used += more;
		}
		part += more;
		if (newline != NULL) {
			rc = end_line(reader);
			part++;
		}
	}
	return rc;
}

/* Until it closes its output. */
static int read_all(struct reader *reader, int fd, const struct deadline *dl)
{
	char AUTO_FREE *part = malloc(PART_BYTES);
	int rc = part == NULL ? -ENOMEM : grow(reader);

	while (rc == 0) {
		struct pollfd ready = { .fd = fd, .events = POLLIN };
		ssize_t got;

		rc = deadline_poll(&ready, 1, dl);
		if (rc <= 0)
			return rc == 0 ? -ETIMEDOUT : rc;
		got = read(fd, part, PART_BYTES);
		if (got == 0)
			return reader->used > 0 || reader->too_long ? end_line(reader) : 0;
		if (got < 0 && errno != EAGAIN && errno != EINTR)
			return -errno;
		rc = got > 0 ? take_part(reader, part, (size_t)got) : 0;
	}
	return rc;
}

/* "error in WAL record at 0/2000028: invalid record length at 0/2000050: wanted 24, got 0" */
static void keep_why(struct dump *dump, const char *errors)
{
	const char *error = strstr(errors, "error: ");

	if (error == NULL)
		error = errors;
	else
		error += strlen("error: ");
	(void)snprintf(dump->why, sizeof(dump->why), "%.*s", (int)strcspn(error, "\n"), error);
}

int dump_range(struct dump *dump, const struct dump_range *range)
{
	const struct cfg *cfg = dump->cfg;
	char program[CFG_PATH_MAX + 32], path[CFG_PATH_MAX + 32], lsn[32];
	char timeline[32], begin[48], end[48];
	const char *argv[] = { program, path, timeline, begin, NULL, NULL };
	/* Times in UTC: a local one has an hour twice each autumn. */
	const struct proc_spec spec = { .argv = argv,
					.as_user = cfg->os_user,
					.setting = "TZ=UTC" };
	struct proc AUTO_PROC child = PROC_NONE;
	struct reader reader = { .dump = dump };
	AUTO_FD int out = -1;
	struct stat there;
	int rc;

	(void)snprintf(program, sizeof(program), "%s/pg_waldump", cfg->bin_dir);
	(void)snprintf(path, sizeof(path), "--path=%s/pg_wal", cfg->data_dir);
	(void)snprintf(timeline, sizeof(timeline), "--timeline=%" PRIu32, range->timeline);
	lsn_format(range->begin, lsn, sizeof(lsn));
	(void)snprintf(begin, sizeof(begin), "--start=%s", lsn);
	lsn_format(range->end, lsn, sizeof(lsn));
	(void)snprintf(end, sizeof(end), "--end=%s", lsn);
	if (range->end != 0)
		argv[4] = end;
	if (stat(program, &there) < 0)
		return -errno;
	rc = proc_start(&child, &spec);
	if (rc < 0)
		return rc;
	out = child.out;
	child.out = -1;
	rc = read_all(&reader, out, dump->dl);
	free(reader.text);
	if (rc == 0)
		rc = proc_wait(&child, dump->dl);
	if (rc < 0)
		return rc;
	keep_why(dump, child.errors);
	return child.exit_code > 1 ? -EPROTO : 0;
}
