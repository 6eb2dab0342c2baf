/* SPDX-License-Identifier: PostgreSQL */
#include "health/http_serve.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The kernel keeps what comes without a byte of a request; many may come at once. */
#define BACKLOG 1024
/* A body and its head fit, whoever reads. */
#define SEND_BUFFER (4 * HTTP_BODY_MAX)
/* The kernel hands over a connection when its first byte is there, or after some seconds. */
#define DEFER_S 3

void http_say(struct http_reply *reply, const char *fmt, ...)
{
	const size_t left = sizeof(reply->body) - reply->length;
	va_list args;
	int length;

	va_start(args, fmt);
	length = vsnprintf(reply->body + reply->length, left, fmt, args);
	va_end(args);
	if (length < 0 || (size_t)length >= left)
		reply->code = 500;
	else
		reply->length += (size_t)length;
}

/* ---- one connection ---- */

static void place_free(struct http_place *place)
{
	if (place->fd >= 0)
		(void)close(place->fd);
	place->fd = -1;
}

static const char *code_word(int code)
{
	switch (code) {
	case 200:
		return "OK";
	case 404:
		return "Not Found";
	case 405:
		return "Method Not Allowed";
	case 414:
		return "URI Too Long";
	case 431:
		return "Request Header Fields Too Large";
	case 500:
		return "Internal Server Error";
	case 503:
		return "Service Unavailable";
	case 505:
		return "HTTP Version Not Supported";
	default:
		return "Bad Request";
	}
}

/* Whole or not at all: a connection that does not take it is one that nobody reads. */
static void send_reply(struct http_place *place, const struct http_reply *reply, bool with_body)
{
	char head[256];
	int length = snprintf(head, sizeof(head),
			      "HTTP/1.1 %d %s\r\nServer: pg_vrrp\r\nContent-Type: %s\r\n"
			      "Content-Length: %zu\r\nCache-Control: no-store\r\n%s"
			      "Connection: close\r\n\r\n",
			      reply->code, code_word(reply->code), reply->type, reply->length,
			      reply->code == 405 ? "Allow: GET, HEAD, OPTIONS\r\n" : "");
	const struct iovec parts[] = {
		{ .iov_base = head, .iov_len = (size_t)length },
		{ .iov_base = (void *)(uintptr_t)reply->body, .iov_len = reply->length },
	};
	const struct msghdr message = { .msg_iov = (struct iovec *)(uintptr_t)parts,
					.msg_iovlen = with_body ? 2 : 1 };

	if (sendmsg(place->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
		place_free(place);
		return;
	}
	/* Were it closed now, bytes of the client's that were not read would turn the answer into a
	 * reset.  So its end is waited for, as long as a request is. */
	(void)shutdown(place->fd, SHUT_WR);
	place->answered = true;
	place->since_ms = now_ms();
}

static void answer(struct http_server *server, struct http_place *place)
{
	struct http_reply *reply = &server->reply;

	place->asked = false;
	reply->code = place->code == 0 ? 200 : place->code;
	reply->type = "text/plain";
	reply->length = 0;
	reply->body[0] = '\0';
	if (place->code == 0)
		server->answer(server->context, &place->request, reply);
	if (reply->code == 500)
		reply->length = 0;
	/* OPTIONS is for who reads the code and nothing else. */
	send_reply(place, reply, place->code == 0 && place->request.method == HTTP_GET);
}

static void take_bytes(struct http_place *place)
{
	char rest[4096];
	char *at = place->answered ? rest : place->head + place->used;
	size_t room = place->answered ? sizeof(rest) : sizeof(place->head) - place->used;
	ssize_t got = recv(place->fd, at, room, MSG_DONTWAIT);

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0) {
		place_free(place);
		return;
	}
	if (place->answered)
		return;
	place->used += (size_t)got;
	place->code = http_request_parse(&place->request, place->head, place->used);
	place->asked = place->code != -EAGAIN;
}

/* ---- all of them ---- */

/* A free place; else the oldest one is made free. */
static struct http_place *find_place(struct http_server *server)
{
	struct http_place *oldest = &server->places[0];

	for (size_t i = 0; i < HTTP_PLACES; i++) {
		struct http_place *place = &server->places[i];

		if (place->fd < 0)
			return place;
		if (place->since_ms < oldest->since_ms)
			oldest = place;
	}
	place_free(oldest);
	return oldest;
}

/* So many at a time that those which are there are answered in between. */
static void accept_some(struct http_server *server)
{
	for (size_t i = 0; i < HTTP_PLACES / 2; i++) {
		int fd = accept4(server->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		struct http_place *place;

		if (fd < 0)
			return;
		place = find_place(server);
		place->fd = fd;
		place->asked = place->answered = false;
		place->since_ms = now_ms();
		place->used = 0;
		/* Its first bytes are there as a rule. */
		take_bytes(place);
	}
}

/* Whoever has asked is answered by a look that was taken afterwards; one is enough for all who have
 * asked by then. */
static void answer_all(struct http_server *server)
{
	bool looked = false;

	for (size_t i = 0; i < HTTP_PLACES; i++) {
		struct http_place *place = &server->places[i];

		if (place->fd < 0 || !place->asked)
			continue;
		if (!looked)
			server->look(server->context);
		looked = true;
		answer(server, place);
	}
}

static void drop_late(struct http_server *server)
{
	const int64_t now = now_ms();

	for (size_t i = 0; i < HTTP_PLACES; i++) {
		struct http_place *place = &server->places[i];

		if (place->fd >= 0 && now - place->since_ms > HTTP_TIME_MS)
			place_free(place);
	}
}

void http_serve(struct http_server *server, int wake, const struct deadline *until)
{
	struct pollfd fds[HTTP_PLACES + 2];
	int ready;

	for (size_t i = 0; i < HTTP_PLACES; i++)
		fds[i] = (struct pollfd){ .fd = server->places[i].fd, .events = POLLIN };
	fds[HTTP_PLACES] = (struct pollfd){ .fd = server->listener, .events = POLLIN };
	fds[HTTP_PLACES + 1] = (struct pollfd){ .fd = wake, .events = POLLIN };
	ready = deadline_poll(fds, ARRAY_COUNT(fds), until);
	for (size_t i = 0; ready > 0 && i < HTTP_PLACES; i++) {
		if (fds[i].revents != 0)
			take_bytes(&server->places[i]);
	}
	if (ready > 0 && fds[HTTP_PLACES].revents != 0)
		accept_some(server);
	answer_all(server);
	drop_late(server);
}

/* The node's address may come later than this program. */
static int free_bind(int fd, int family)
{
	const int yes = 1;

	if (family == AF_INET6)
		return setsockopt(fd, IPPROTO_IPV6, IPV6_FREEBIND, &yes, sizeof(yes));
	return setsockopt(fd, IPPROTO_IP, IP_FREEBIND, &yes, sizeof(yes));
}

static int listen_at(int fd, const struct sockaddr_storage *at, socklen_t size)
{
	const int yes = 1, buffer = SEND_BUFFER, defer = DEFER_S;

	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof(buffer)) < 0 ||
	    setsockopt(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, &defer, sizeof(defer)) < 0 ||
	    free_bind(fd, at->ss_family) < 0)
		return -errno;
	if (bind(fd, (const struct sockaddr *)at, size) < 0 || listen(fd, BACKLOG) < 0)
		return -errno;
	return 0;
}

int http_listen(struct http_server *server, const struct sockaddr_storage *at, socklen_t size)
{
	int rc;

	for (size_t i = 0; i < HTTP_PLACES; i++)
		server->places[i].fd = -1;
	server->listener = socket(at->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (server->listener < 0)
		return -errno;
	rc = listen_at(server->listener, at, size);
	if (rc < 0)
		http_close(server);
	return rc;
}

void http_close(struct http_server *server)
{
	for (size_t i = 0; i < HTTP_PLACES; i++)
		place_free(&server->places[i]);
	if (server->listener >= 0)
		(void)close(server->listener);
	server->listener = -1;
}
