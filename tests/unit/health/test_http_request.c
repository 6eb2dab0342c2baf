/* SPDX-License-Identifier: PostgreSQL */
/* The head of an HTTP request: what is one, and the code for what is none. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "health/http_request.h"

static int parse(struct http_request *request, const char *text)
{
	return http_request_parse(request, text, strlen(text));
}

static void a_request_of_haproxy_is_read(void **state)
{
	struct http_request request;

	(void)state;
	assert_int_equal(parse(&request, "OPTIONS /primary HTTP/1.0\r\n\r\n"), 0);
	assert_int_equal(request.method, HTTP_OPTIONS);
	assert_string_equal(request.path, "/primary");
	assert_string_equal(request.query, "");
	assert_int_equal(parse(&request, "GET /replica?lag=1MB HTTP/1.1\r\nHost: n1\r\n\r\n"), 0);
	assert_int_equal(request.method, HTTP_GET);
	assert_string_equal(request.path, "/replica");
	assert_string_equal(request.query, "lag=1MB");
	assert_int_equal(parse(&request, "HEAD / HTTP/1.1\nHost: n1\n\n"), 0);
	assert_int_equal(request.method, HTTP_HEAD);
}

static void a_part_waits_for_the_rest(void **state)
{
	static const char whole[] = "GET / HTTP/1.1\r\nHost: n1\r\n\r\n";
	struct http_request request;

	(void)state;
	for (size_t part = 0; part < strlen(whole); part++)
		assert_int_equal(http_request_parse(&request, whole, part), -EAGAIN);
	assert_int_equal(parse(&request, whole), 0);
}

static void what_is_no_request_has_its_code(void **state)
{
	static const struct {
		const char *text;
		int code;
	} cases[] = {
		{ "POST /switchover HTTP/1.1\r\n\r\n", 405 },
		{ "DELETE / HTTP/1.1\r\n\r\n", 405 },
		{ "PATCH /config HTTP/1.0\r\n\r\n", 405 },
		{ "GET / HTTP/2.0\r\n\r\n", 505 },
		{ "GET / HTTP/1.1 \r\n\r\n", 400 },
		{ "GET /\r\n\r\n", 400 },
		{ "GET  / HTTP/1.1\r\n\r\n", 400 },
		{ "get / HTTP/1.1\r\n\r\n", 400 },
		{ "GET http://n1/ HTTP/1.1\r\n\r\n", 400 },
		{ "GET /a\tb HTTP/1.1\r\n\r\n", 400 },
		{ "\r\n\r\n", 400 },
		{ "\n\n", 400 },
		{ "GET /0123456789012345678901234567890123456789012345678901234567890123 "
		  "HTTP/1.1\r\n\r\n",
		  414 },
	};
	struct http_request request;

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
		assert_int_equal(parse(&request, cases[i].text), cases[i].code);
}

static void a_head_has_an_end(void **state)
{
	char head[HTTP_HEAD_MAX];
	struct http_request request;

	(void)state;
	memset(head, 'x', sizeof(head));
	assert_int_equal(http_request_parse(&request, head, sizeof(head) - 1), -EAGAIN);
	assert_int_equal(http_request_parse(&request, head, sizeof(head)), 431);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_of_haproxy_is_read),
		cmocka_unit_test(a_part_waits_for_the_rest),
		cmocka_unit_test(what_is_no_request_has_its_code),
		cmocka_unit_test(a_head_has_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
