/* SPDX-License-Identifier: PostgreSQL */
/*
 * The head of one HTTP/1.x request (RFC 9112), as far as a health check needs it: the method, the
 * path, what stands behind its question mark.  Headers are passed over.
 */
#ifndef PGV_HTTP_REQUEST_H
#define PGV_HTTP_REQUEST_H

#include <stddef.h>

#include "base/auto.h"

#define HTTP_HEAD_MAX  4096 /* bytes, the empty line included */
#define HTTP_PATH_MAX  64
#define HTTP_QUERY_MAX 256

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_OPTIONS };

struct http_request {
	enum http_method method;
	char path[HTTP_PATH_MAX];   /* begins with / */
	char query[HTTP_QUERY_MAX]; /* "" : none */
};

/*
 * Reads what has come so far.  0: a whole head was read.  -EAGAIN: more has to come.  Else the
 * code to answer with: 400, 405 (another method), 414 (the path is too long), 431 (the head is),
 * 505 (not HTTP/1.x).
 */
int http_request_parse(struct http_request *request, const char *text, size_t length) MUST_CHECK;

#endif
