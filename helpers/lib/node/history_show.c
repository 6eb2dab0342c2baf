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

/* A file that is missing is empty. */
static int each_line(const struct cfg *cfg, const char *name, bool in_words, FILE *out)
{
	FILE AUTO_FILE *in = fopen(file_state(cfg, name).text, "re");
	char AUTO_FREE *line = NULL;
	size_t size = 0;
	ssize_t length;

	if (in == NULL)
		return errno == ENOENT ? 0 : -errno;
	while ((length = getline(&line, &size, in)) > 0) {
		if (!in_words) {
			(void)fwrite(line, 1, (size_t)length, out);
			continue;
		}
		line[strcspn(line, "\n")] = '\0';
		print_event(line, out);
	}
	return ferror(in) != 0 ? -EIO : 0;
}

static int both_files(const struct cfg *cfg, bool in_words, FILE *out)
{
	int rc = each_line(cfg, "history.1", in_words, out);

	return rc == 0 ? each_line(cfg, "history", in_words, out) : rc;
}

int history_copy(const struct cfg *cfg, FILE *out)
{
	return both_files(cfg, false, out);
}

int history_print(const struct cfg *cfg, FILE *out)
{
	return both_files(cfg, true, out);
}
