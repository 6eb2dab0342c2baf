/* SPDX-License-Identifier: PostgreSQL */
/* Which kind of failure it was, and one line of it for people. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/redact.h"
#include "base/text.h"
#include "postgres/pg_internal.h"

/* Drops what may not be shown: a hostile server can ask for the password in clear and quote it. */
static void hide_password(const PGconn *conn, char *text)
{
	const char *password = PQpass(conn);
	const struct secret secret = { password, password != NULL ? strlen(password) : 0 };

	redact(text, &secret, 1);
}

/* The first line of text, without control characters, cut between characters of UTF-8. */
void pg_first_line(const PGconn *conn, const char *text, char *out, size_t size)
{
	char AUTO_FREE *line = strndup(text, strcspn(text, "\r\n"));
	size_t length;

	if (size == 0)
		return;
	out[0] = '\0';
	if (line == NULL)
		return;
	/* Before it is cut: the end of a password that was cut off hides its beginning. */
	hide_password(conn, line);
	length = strlen(line);
	if (length >= size) {
		length = size - 1;
		while (length > 0 && ((unsigned char)line[length] & 0xc0U) == 0x80U)
			length--;
	}
	memcpy(out, line, length);
	out[length] = '\0';
	text_make_harmless(out);
}

/*
 * libpq 15 tells an error of the connection only as text.  Verbose, it has the form
 * "connection to server ... failed: SEVERITY:  SQLSTATE: message", the severity in any language.
 */
static const char *split_error(const char *text, char *sqlstate)
{
	const char *end = text + strcspn(text, "\n");
	const char *at = strstr(text, " failed: ");
	const char *code;

	sqlstate[0] = '\0';
	if (strncmp(text, "connection to server", strlen("connection to server")) == 0 &&
	    at != NULL && at < end)
		text = at + strlen(" failed: ");
	at = strstr(text, ":  ");
	if (at == NULL || at >= end)
		return text;
	code = at + strlen(":  ");
	if (strspn(code, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") != 5 ||
	    strncmp(code + 5, ": ", 2) != 0)
		return text;
	(void)snprintf(sqlstate, 6, "%s", code);
	return code + 7;
}

/* The operating system refused the connection: libpq gives strerror(3), so that is compared. */
static enum pg_failure failed_network(const char *text)
{
	static const struct {
		int code;
		enum pg_failure failure;
	} known[] = {
		{ ECONNREFUSED, PG_FAIL_REFUSED }, { ENOENT, PG_FAIL_REFUSED }, /* no socket */
		{ EAGAIN, PG_FAIL_LATE }, /* a unix socket whose queue nobody empties */
		{ ETIMEDOUT, PG_FAIL_SILENT },     { EHOSTUNREACH, PG_FAIL_SILENT },
		{ EHOSTDOWN, PG_FAIL_SILENT },     { ENETUNREACH, PG_FAIL_SILENT },
	};

	for (size_t i = 0; i < ARRAY_COUNT(known); i++) {
		const char *word = strerror(known[i].code);

		if (strncmp(text, word, strlen(word)) == 0)
			return known[i].failure;
	}
	return PG_FAIL_OTHER;
}

/*
 * Of which a server says that it lives and does not want us (errcodes in the manual's appendix A).
 * The first that fits counts.  Its own trouble, a broken disk or no memory (58, XX, 53100, 53200),
 * is none: such a server is not fit to go on.
 */
static const struct {
	const char *sqlstate;
	enum pg_failure failure;
} refusals[] = {
	{ "28P01", PG_FAIL_PASSWORD }, { "28", PG_FAIL_AUTH },        { "42501", PG_FAIL_RIGHT },
	{ "3D000", PG_FAIL_DATABASE }, { "55000", PG_FAIL_DATABASE }, { "53300", PG_FAIL_BUSY },
};

enum pg_failure pg_failed_sqlstate(const char *sqlstate)
{
	/* Shutting down; another backend crashed, so it starts anew; starting up or
	 * shutting down. */
	if (strcmp(sqlstate, "57P01") == 0 || strcmp(sqlstate, "57P02") == 0 ||
	    strcmp(sqlstate, "57P03") == 0)
		return PG_FAIL_STARTING;
	for (size_t i = 0; i < ARRAY_COUNT(refusals); i++) {
		if (strncmp(sqlstate, refusals[i].sqlstate, strlen(refusals[i].sqlstate)) == 0)
			return refusals[i].failure;
	}
	return PG_FAIL_OTHER;
}

bool pg_lives(enum pg_failure failure)
{
	return failure >= PG_FAIL_AUTH && failure <= PG_FAIL_BUSY;
}

/* "No such file or directory" leaves open of what: a server that is down has removed its socket. */
static void name_socket(const char *message, char *why, size_t size)
{
	static const char begin[] = "connection to server on socket \"";
	const char *path = message + strlen(begin);

	if (strncmp(message, begin, strlen(begin)) == 0)
		(void)snprintf(why, size, "no server socket %.*s", (int)strcspn(path, "\"\n"),
			       path);
}

/* at: the status of the connection when the step began that failed. */
enum pg_failure pg_failed_connect(const PGconn *conn, ConnStatusType at, char *why, size_t size)
{
	char sqlstate[6];
	const char *text = split_error(PQerrorMessage(conn), sqlstate);

	pg_first_line(conn, text, why, size);
	if (sqlstate[0] != '\0')
		return pg_failed_sqlstate(sqlstate);
	if (at == CONNECTION_NEEDED || at == CONNECTION_STARTED) {
		if (strncmp(text, strerror(ENOENT), strlen(strerror(ENOENT))) == 0)
			name_socket(PQerrorMessage(conn), why, size);
		return failed_network(text);
	}
	if (PQconnectionNeedsPassword(conn))
		return PG_FAIL_PASSWORD;
	if (at == CONNECTION_SSL_STARTUP || at == CONNECTION_GSS_STARTUP)
		return PG_FAIL_AUTH;
	return PG_FAIL_OTHER;
}

int pg_failure_code(enum pg_failure failure)
{
	static const int codes[] = {
		[PG_FAIL_NONE] = 0,
		[PG_FAIL_REFUSED] = -ECONNREFUSED,
		[PG_FAIL_SILENT] = -ETIMEDOUT,
		[PG_FAIL_LATE] = -ETIMEDOUT,
		[PG_FAIL_STARTING] = -EAGAIN,
		[PG_FAIL_AUTH] = -EACCES,
		[PG_FAIL_PASSWORD] = -EACCES,
		[PG_FAIL_RIGHT] = -EACCES,
		[PG_FAIL_DATABASE] = -EACCES,
		[PG_FAIL_BUSY] = -EBUSY,
		[PG_FAIL_OTHER] = -EPROTO,
	};

	return codes[failure];
}
