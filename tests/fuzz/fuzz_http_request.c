/* SPDX-License-Identifier: PostgreSQL */
/* The head of an HTTP request, and what it asks: only a whole head of the three methods is one, it
 * is read the same however it came in pieces, and its words are of the input. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "health/health_rules.h"
#include "health/http_request.h"

static bool is_code(int rc)
{
	static const int codes[] = { 400, 405, 414, 431, 505 };

	for (size_t i = 0; i < ARRAY_COUNT(codes); i++) {
		if (rc == codes[i])
			return true;
	}
	return rc == 0 || rc == -EAGAIN;
}

static void ask_it(const struct http_request *request)
{
	struct health_ask ask;
	/* Nothing is known of this node: whatever was asked, that is no yes. */
	const struct health nothing = { .answer_age_ms = HEALTH_NEVER,
					.streaming_age_ms = HEALTH_NEVER,
					.lag_bytes = HEALTH_NEVER,
					.unsent_bytes = HEALTH_NEVER,
					.lag_ms = HEALTH_NEVER };
	int rc = health_ask_parse(&ask, request->path, request->query);

	assert(rc == 0 || rc == -ENOENT || rc == -EINVAL);
	if (rc < 0)
		return;
	assert(ask.lag_bytes >= HEALTH_NEVER && ask.lag_ms >= HEALTH_NEVER);
	assert(health_code(&nothing, &ask) == 503 || ask.page == HEALTH_PAGE_STATUS ||
	       ask.page == HEALTH_PAGE_CLUSTER || ask.page == HEALTH_PAGE_METRICS);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const words[] = { "GET", "HEAD", "OPTIONS" };
	char line[HTTP_PATH_MAX + HTTP_QUERY_MAX + 16];
	struct http_request request, early;
	char AUTO_FREE *text = malloc(size + 1);
	int rc;

	assert(text != NULL);
	memcpy(text, data, size);
	rc = http_request_parse(&request, text, size);
	assert(is_code(rc));
	/* A request that is decided early stays decided. */
	for (size_t part = 0; part < size && part < 64; part++) {
		int at = http_request_parse(&early, text, part);

		assert(at == -EAGAIN || at == rc);
	}
	if (rc != 0)
		return 0;
	assert(request.path[0] == '/' && fuzz_is_clean(request.path) &&
	       fuzz_is_clean(request.query));
	(void)snprintf(line, sizeof(line), "%s %s%s", words[request.method], request.path,
		       request.query[0] != '\0' ? "?" : "");
	assert(strlen(line) <= size && memcmp(text, line, strlen(line)) == 0);
	ask_it(&request);
	return 0;
}
