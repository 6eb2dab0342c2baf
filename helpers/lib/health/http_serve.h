/* SPDX-License-Identifier: PostgreSQL */
/*
 * A server of one-shot HTTP: a connection asks once, is answered, and is closed.  It holds a fixed
 * number of connections, each for a fixed time; when all places are taken, the one that has been
 * silent for longest gives way.  So whoever connects and says nothing, or reads nothing, takes a
 * place and no more: an answer goes whole into the kernel's buffer, or is given up.
 */
#ifndef PGV_HTTP_SERVE_H
#define PGV_HTTP_SERVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/auto.h"
#include "base/deadline.h"
#include "health/http_request.h"

#define HTTP_PLACES   64
#define HTTP_BODY_MAX 16384
#define HTTP_TIME_MS \
	2000 /* from the connection to the end of its head, and then again to its end */

struct http_reply {
	int code;
	const char *type; /* of the body: "application/json" */
	size_t length;
	char body[HTTP_BODY_MAX];
};

/* Appends to the body; what does not fit turns the answer into a 500. */
void http_say(struct http_reply *reply, const char *fmt, ...) PRINTF_LIKE(2, 3);

struct http_place {
	int fd;     /* -1: free */
	bool asked; /* a whole head has come, and is to be answered */
	int code;   /* of it: http_request_parse */
	bool answered;
	int64_t since_ms;
	struct http_request request;
	size_t used;
	char head[HTTP_HEAD_MAX];
};

struct http_server {
	int listener;
	/* Called once before the answers to those who have asked by then. */
	void (*look)(void *context);
	void (*answer)(void *context, const struct http_request *request, struct http_reply *reply);
	void *context;
	struct http_place places[HTTP_PLACES];
	struct http_reply reply; /* one at a time */
};

/* Listens; the address need not be there yet.  0 or -errno. */
int http_listen(struct http_server *server, const struct sockaddr_storage *at,
		socklen_t size) MUST_CHECK;

/* Serves until `until` or until `wake` is readable. */
void http_serve(struct http_server *server, int wake, const struct deadline *until);

void http_close(struct http_server *server);

#endif
