/* SPDX-License-Identifier: PostgreSQL */
#include "health/http_request.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

static const char *const methods[] = {
	[HTTP_GET] = "GET",
	[HTTP_HEAD] = "HEAD",
	[HTTP_OPTIONS] = "OPTIONS",
};

/* Part of a line that was read; it is not ended by a zero. */
struct span {
	const char *at;
	size_t length;
};

static bool span_is(struct span span, const char *word)
{
	return strlen(word) == span.length && memcmp(span.at, word, span.length) == 0;
}

/* The part before the next `end`, which is taken away with it; all of it where there is none. */
static struct span span_until(struct span *rest, char end)
{
	const char *found = memchr(rest->at, end, rest->length);
	struct span part = { rest->at, found != NULL ? (size_t)(found - rest->at) : rest->length };
	size_t taken = part.length + (found != NULL);

	rest->at += taken;
	rest->length -= taken;
	return part;
}

/* Visible ASCII: a space ends the target, and everything else would have to be encoded. */
static bool span_visible(struct span span)
{
	for (size_t i = 0; i < span.length; i++) {
		if (span.at[i] <= ' ' || span.at[i] > '~')
			return false;
	}
	return true;
}

static int span_copy(struct span span, char *text, size_t size)
{
	if (span.length >= size)
		return 414;
	memcpy(text, span.at, span.length);
	text[span.length] = '\0';
	return 0;
}

static int method_parse(struct http_request *request, struct span word)
{
	for (size_t i = 0; i < ARRAY_COUNT(methods); i++) {
		if (span_is(word, methods[i])) {
			request->method = (enum http_method)i;
			return 0;
		}
	}
	for (size_t i = 0; i < word.length; i++) {
		if (word.at[i] < 'A' || word.at[i] > 'Z')
			return 400;
	}
	return word.length == 0 ? 400 : 405;
}

/* METHOD /PATH?QUERY HTTP/1.x */
static int line_parse(struct http_request *request, struct span line)
{
	struct span method = span_until(&line, ' ');
	struct span target = span_until(&line, ' ');
	struct span path;
	int code = method_parse(request, method);

	if (code == 400 || target.length == 0 || target.at[0] != '/' || !span_visible(target))
		return 400;
	if (!span_is(line, "HTTP/1.0") && !span_is(line, "HTTP/1.1"))
		return line.length == 8 && memcmp(line.at, "HTTP/", 5) == 0 ? 505 : 400;
	if (code != 0)
		return code;
	path = span_until(&target, '?');
	code = span_copy(path, request->path, sizeof(request->path));
	return code != 0 ? code : span_copy(target, request->query, sizeof(request->query));
}

/* Where the head ends, behind its empty line; 0: not yet.  A bare line feed ends a line too. */
static size_t head_end(const char *text, size_t length)
{
	for (size_t i = 0; i + 1 < length; i++) {
		if (text[i] != '\n')
			continue;
		if (text[i + 1] == '\n')
			return i + 2;
		if (text[i + 1] == '\r' && i + 2 < length && text[i + 2] == '\n')
			return i + 3;
	}
	return 0;
}

int http_request_parse(struct http_request *request, const char *text, size_t length)
{
	size_t end = head_end(text, length);
	struct span head = { text, end };
	struct span line;

	*request = (struct http_request){ .method = HTTP_GET };
	if (end == 0)
		return length >= HTTP_HEAD_MAX ? 431 : -EAGAIN;
	line = span_until(&head, '\n');
	if (line.length > 0 && line.at[line.length - 1] == '\r')
		line.length--;
	return line_parse(request, line);
}
