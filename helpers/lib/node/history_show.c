/* SPDX-License-Identifier: PostgreSQL */
/* Reads the history back.  Its lines were written by history.c: quotes inside a text are escaped,
 * so a key in quotes with a colon behind it stands for that key alone. */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/report.h"
#include "base/text.h"
#include "node/history.h"
#include "node/path.h"

#define LINE_WIDTH   78
#define DETAIL_START 22 /* below the event */

/* The character behind a backslash; what steers a terminal was written as a number, and shown as a
 * question mark here. */
static size_t unescape_one(const char *from, char *to)
{
	size_t length = 2;

	*to = from[1];
	if (from[1] == 'u') {
		*to = '?';
		length = 2 + strspn(from + 2, "0123456789abcdef");
	}
	return length < strlen(from) ? length : strlen(from);
}

/* The text of a key; false when the line has none, or it does not end. */
static bool member(const char *line, const char *key, char *out, size_t size)
{
	char quoted[40];
	const char *from;
	size_t used = 0;

	(void)snprintf(quoted, sizeof(quoted), "\"%s\":\"", key);
	from = strstr(line, quoted);
	out[0] = '\0';
	if (from == NULL)
		return false;
	from += strlen(quoted);
	while (*from != '"' && *from != '\0' && used + 1 < size) {
		if (*from == '\\') {
			from += unescape_one(from, out + used++);
			continue;
		}
		out[used++] = *from++;
	}
	out[used] = '\0';
	text_make_harmless(out);
	return *from == '"';
}

/* "2026-11-29T02:10:11Z  promoted" and the detail below; as it stands where it is no such line. */
static void print_event(char *line, FILE *out)
{
	char at[32], event[64], detail[2048];

	if (!member(line, "at", at, sizeof(at)) || !member(line, "event", event, sizeof(event)) ||
	    !member(line, "detail", detail, sizeof(detail))) {
		text_make_harmless(line);
		(void)fprintf(out, "unreadable line:\n");
		report_wrapped(out, line, DETAIL_START, LINE_WIDTH);
		return;
	}
	(void)fprintf(out, "%-*s%s\n", DETAIL_START, at[0] != '\0' ? at : "time unknown", event);
	report_wrapped(out, detail, DETAIL_START, LINE_WIDTH);
}

/* Does something with one line, which it may change. */
typedef void each_fn(char *line, void *data);

static void copy(char *line, void *out)
{
	(void)fputs(line, out);
}

static void in_words(char *line, void *out)
{
	line[strcspn(line, "\n")] = '\0';
	print_event(line, out);
}

/* A file that is missing is empty. */
static int each_line(const struct cfg *cfg, const char *name, each_fn *each, void *data)
{
	FILE AUTO_FILE *in = fopen(file_state(cfg, name).text, "re");
	char AUTO_FREE *line = NULL;
	size_t size = 0;

	if (in == NULL)
		return errno == ENOENT ? 0 : -errno;
	while (getline(&line, &size, in) > 0)
		each(line, data);
	return ferror(in) != 0 ? -EIO : 0;
}

static int both_files(const struct cfg *cfg, each_fn *each, void *data)
{
	int rc = each_line(cfg, "history.1", each, data);

	return rc == 0 ? each_line(cfg, "history", each, data) : rc;
}

int history_copy(const struct cfg *cfg, FILE *out)
{
	return both_files(cfg, copy, out);
}

int history_print(const struct cfg *cfg, FILE *out)
{
	return both_files(cfg, in_words, out);
}

/* ---- the last one of a kind ---- */

struct search {
	const char *event;
	struct history_event *last;
};

static void note(char *line, void *data)
{
	const struct search *search = data;
	struct history_event found = { .at = "" };
	char event[64];

	/* A detail that does not fit is cut, and told all the same. */
	if (!member(line, "event", event, sizeof(event)) || strcmp(event, search->event) != 0 ||
	    !member(line, "at", found.at, sizeof(found.at)))
		return;
	(void)member(line, "detail", found.detail, sizeof(found.detail));
	*search->last = found;
}

void history_last(const struct cfg *cfg, const char *event, struct history_event *last)
{
	struct search search = { event, last };

	*last = (struct history_event){ .at = "" };
	(void)both_files(cfg, note, &search);
}
