/* SPDX-License-Identifier: PostgreSQL */
/*
 * Which lines of a server's log say why it ended.  log_line_prefix may be anything, and so may the
 * language: a severity is found by its word, and where there is none the last lines have to do.
 */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/auto.h"
#include "base/redact.h"
#include "postgres/server_log.h"

/* A message may be followed by DETAIL, HINT and CONTEXT. */
#define PARTS_MAX 3

/* ---- lines ---- */

enum severity { SEVERITY_NONE, SEVERITY_PART, SEVERITY_LOG, SEVERITY_OTHER, SEVERITY_FATAL };

static const struct {
	const char *word;
	enum severity severity;
} severities[] = {
	{ "FATAL:  ", SEVERITY_FATAL },     { "PANIC:  ", SEVERITY_FATAL },
	{ "LOG:  ", SEVERITY_LOG },         { "DETAIL:  ", SEVERITY_PART },
	{ "HINT:  ", SEVERITY_PART },       { "CONTEXT:  ", SEVERITY_PART },
	{ "STATEMENT:  ", SEVERITY_OTHER }, { "ERROR:  ", SEVERITY_OTHER },
	{ "WARNING:  ", SEVERITY_OTHER },
};

struct line {
	enum severity severity;
	const char *begin; /* of the whole line, without its line feed */
	const char *word;  /* "FATAL:  ..." in it; begin where there is no severity */
	size_t length;     /* from word on */
};

static void classify(struct line *line, size_t length)
{
	line->severity = SEVERITY_NONE;
	line->word = line->begin;
	line->length = length;
	for (size_t i = 0; i < ARRAY_COUNT(severities); i++) {
		const char *word = severities[i].word;
		const char *at = memmem(line->begin, length, word, strlen(word));

		/* The first one in the line is its own; a message may quote another. */
		if (at == NULL || (line->severity != SEVERITY_NONE && at > line->word))
			continue;
		line->severity = severities[i].severity;
		line->word = at;
		line->length = length - (size_t)(at - line->begin);
	}
}

/* Takes the next line that is whole.  What has no line feed yet is still being written. */
static bool next(const char **at, struct line *line)
{
	const char *end = strchr(*at, '\n');

	if (end == NULL)
		return false;
	line->begin = *at;
	classify(line, (size_t)(end - *at));
	*at = end + 1;
	return true;
}

static bool says(const struct line *line, const char *words)
{
	return memmem(line->word, line->length, words, strlen(words)) != NULL;
}

static bool says_any(const struct line *line, const char *const words[], size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (says(line, words[i]))
			return true;
	return false;
}

/* ---- which one ---- */

/* Ends a connection or a walreceiver, never the server. */
static const char *const passing[] = {
	"the database system is ",
	"terminating ",
	"could not connect to the primary",
	"could not receive data from WAL stream",
	"could not start WAL streaming",
	"password authentication failed",
	"no pg_hba.conf entry",
	"connection to client lost",
	"too many clients",
	"canceling authentication",
};

/* Messages that every server logs as it comes and goes. */
static const char *const usual[] = {
	"database system is shut down",
	"database system was ",
	"shutting down",
	"aborting startup",
	"startup process (PID ",
	"terminating any other",
	"all server processes terminated",
	"received ",
	"background worker ",
	"starting PostgreSQL",
	"listening on ",
	"redirecting log output",
	"ending log output",
	"checkpoint ",
	"entering standby mode",
	"redo starts at ",
	"restartpoint ",
	"database system is ready",
};

struct choice {
	struct line line;   /* begin NULL: none */
	const char *after;  /* the lines behind it */
	struct line before; /* the last LOG line before it; begin NULL: none */
};

/* "[123]" or "123 " in the prefix: the process that wrote the line. */
static bool is_of(const struct line *line, const char *pid, size_t length)
{
	const char *at = line->begin;

	if (length == 0)
		return false;
	while ((at = memmem(at, (size_t)(line->word - at), pid, length)) != NULL) {
		if ((at == line->begin || !isdigit((unsigned char)at[-1])) &&
		    !isdigit((unsigned char)at[length]))
			return true;
		at++;
	}
	return false;
}

/* The number of the startup process that ended the server with it.  "" when none did. */
static const char *startup_pid(const char *text, size_t *length)
{
	static const char words[] = "startup process (PID ";
	const char *found = "";

	for (const char *at = text; (at = strstr(at, words)) != NULL;) {
		at += strlen(words);
		found = at;
	}
	*length = strspn(found, "0123456789");
	return found;
}

static int rank(const struct line *line, const char *pid, size_t length)
{
	if (line->severity == SEVERITY_FATAL && is_of(line, pid, length))
		return 6;
	if (line->severity == SEVERITY_FATAL && !says_any(line, passing, ARRAY_COUNT(passing)))
		return 5;
	if (line->severity == SEVERITY_LOG && says(line, " was terminated by signal "))
		return 4;
	if (line->severity == SEVERITY_LOG && !says_any(line, usual, ARRAY_COUNT(usual)))
		return 3;
	/* A language of its own, or what the loader or a shell says. */
	return line->severity == SEVERITY_NONE && line->length > 0 && line->begin[0] != '\t' ? 2
											     : 0;
}

/* The last one of the highest rank. */
static struct choice choose(const char *text)
{
	struct choice choice = { .after = text };
	struct line line = { .begin = NULL }, before = { .begin = NULL };
	size_t length;
	const char *pid = startup_pid(text, &length);
	int best = 0;

	for (const char *at = text; next(&at, &line);) {
		int now = rank(&line, pid, length);

		if (now > 0 && now >= best) {
			best = now;
			choice = (struct choice){ .line = line, .after = at, .before = before };
		}
		if (line.severity == SEVERITY_LOG)
			before = line;
	}
	return choice;
}

/* ---- in one line ---- */

/* Length of the character of UTF-8 at text, or 0: it is none. */
static size_t character(const char *text, size_t left)
{
	unsigned char first = (unsigned char)text[0];
	size_t length = first < 0x80   ? 1
			: first < 0xc2 ? 0
			: first < 0xe0 ? 2
			: first < 0xf0 ? 3
			: first < 0xf5 ? 4
				       : 0;

	if (length > left)
		return 0;
	for (size_t i = 1; i < length; i++)
		if (((unsigned char)text[i] & 0xc0U) != 0x80U)
			return 0;
	return length;
}

/* Appends the text, in valid UTF-8 and without control characters; what does not fit ends in "...".
 * `whole`: appends all of it or nothing. */
static void append(char *out, size_t size, const char *text, size_t length, bool whole)
{
	static const char more[] = "...";
	size_t begin = strlen(out), used = begin, fits = begin;

	for (size_t i = 0; i < length;) {
		size_t bytes = character(text + i, length - i);

		if (used + (bytes > 0 ? bytes : 1) >= size) {
			if (whole)
				out[begin] = '\0';
			else if (size > sizeof(more))
				(void)snprintf(out + fits, size - fits, "%s", more);
			return;
		}
		if (bytes == 0 || (unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			out[used++] = bytes == 0 ? '?' : ' ';
		else
			memcpy(out + used, text + i, bytes), used += bytes;
		out[used] = '\0';
		if (used + sizeof(more) <= size)
			fits = used;
		i += bytes > 0 ? bytes : 1;
	}
}

/* "FATAL:  text" as "FATAL: text", behind a semicolon. */
static void append_line(char *out, size_t size, const struct line *line, bool whole)
{
	char AUTO_FREE *words = malloc(line->length + 3);
	const char *colon = memmem(line->word, line->length, ":  ", 3);
	size_t head =
	    line->severity != SEVERITY_NONE && colon != NULL ? (size_t)(colon - line->word) + 2 : 0;
	int length;

	if (words == NULL)
		return;
	length = snprintf(words, line->length + 3, "%s%.*s%.*s", out[0] != '\0' ? "; " : "",
			  (int)head, line->word, (int)(line->length - head - (head > 0 ? 1 : 0)),
			  line->word + head + (head > 0 ? 1 : 0));
	if (length > 0)
		append(out, size, words, strlen(words), whole);
}

/* ---- secrets ---- */

/* The value behind "password" and an equals sign: in quotes, or as far as it goes. */
static size_t password_at(const char *at, const char **value)
{
	size_t quotes, length = 0;

	at += strspn(at, " \t");
	if (*at != '=')
		return 0;
	at += 1 + strspn(at + 1, " \t");
	quotes = strspn(at, "'\"\\");
	*value = at + quotes;
	if (quotes == 0)
		return strcspn(*value, " \t\n'\"&");
	while (strchr("'\"\n", (*value)[length]) == NULL)
		length += (*value)[length] == '\\' && (*value)[length + 1] != '\0' ? 2 : 1;
	return length;
}

/* postgresql://user:secret@host */
static size_t password_in_address(const char *at, const char **value)
{
	size_t end = strcspn(at, "@/ \n'\""), colon = strcspn(at, ":@/ \n'\"");

	*value = at + colon + 1;
	return at[end] == '@' && colon < end ? end - colon - 1 : 0;
}

/* Wherever else the same word stands it is hidden, too. */
static void hide_passwords(char *text)
{
	static const struct {
		const char *word;
		size_t (*find)(const char *at, const char **value);
	} forms[] = { { "password", password_at }, { "://", password_in_address } };
	char AUTO_FREE *seen = strdup(text);

	if (seen == NULL) {
		memset(text, '*', strlen(text));
		return;
	}
	for (size_t i = 0; i < ARRAY_COUNT(forms); i++) {
		for (const char *at = seen; (at = strcasestr(at, forms[i].word)) != NULL;) {
			struct secret secret;

			at += strlen(forms[i].word);
			secret.length = forms[i].find(at, &secret.text);
			redact(text, &secret, 1);
		}
	}
}

void server_log_reason(char *text, char *why, size_t size)
{
	struct choice choice;
	struct line line;
	const char *at;

	why[0] = '\0';
	hide_passwords(text);
	choice = choose(text);
	if (choice.line.begin == NULL)
		return;
	/* "contains errors", "could not create any": which ones stands in the line before. */
	if (choice.before.begin != NULL &&
	    (says(&choice.line, "contains errors") || says(&choice.line, "could not create any ")))
		append_line(why, size, &choice.before, false);
	append_line(why, size, &choice.line, why[0] != '\0');
	at = choice.after;
	for (int i = 0; i < PARTS_MAX && next(&at, &line) && line.severity == SEVERITY_PART; i++)
		append_line(why, size, &line, true);
}
