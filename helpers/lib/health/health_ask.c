/* SPDX-License-Identifier: PostgreSQL */
/* The paths, and what stands behind their question marks. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "health/health_rules.h"

static const struct {
	const char *path;
	enum health_page page;
} pages[] = {
	{ "/", HEALTH_PAGE_PRIMARY },
	{ "/primary", HEALTH_PAGE_PRIMARY },
	{ "/read-write", HEALTH_PAGE_PRIMARY },
	{ "/leader", HEALTH_PAGE_PRIMARY },
	{ "/master", HEALTH_PAGE_PRIMARY },
	{ "/replica", HEALTH_PAGE_REPLICA },
	{ "/read-only", HEALTH_PAGE_READ_ONLY },
	{ "/sync", HEALTH_PAGE_SYNC },
	{ "/synchronous", HEALTH_PAGE_SYNC },
	{ "/async", HEALTH_PAGE_ASYNC },
	{ "/asynchronous", HEALTH_PAGE_ASYNC },
	{ "/read-only-sync", HEALTH_PAGE_READ_ONLY_SYNC },
	{ "/read-only-synchronous", HEALTH_PAGE_READ_ONLY_SYNC },
	{ "/read-only-quorum", HEALTH_PAGE_PRIMARY }, /* no standby of ours is one of a quorum */
	{ "/quorum", HEALTH_PAGE_NEVER },
	{ "/standby-leader", HEALTH_PAGE_NEVER },
	{ "/standby_leader", HEALTH_PAGE_NEVER },
	{ "/health", HEALTH_PAGE_HEALTH },
	{ "/liveness", HEALTH_PAGE_LIVENESS },
	{ "/readiness", HEALTH_PAGE_READINESS },
	{ "/patroni", HEALTH_PAGE_STATUS },
	{ "/cluster", HEALTH_PAGE_CLUSTER },
	{ "/metrics", HEALTH_PAGE_METRICS },
};

static const struct unit {
	const char *word;
	int64_t factor;
	bool of_time;
} units[] = {
	{ "", 1, false },
	{ "B", 1, false },
	{ "kB", INT64_C(1) << 10, false },
	{ "MB", INT64_C(1) << 20, false },
	{ "GB", INT64_C(1) << 30, false },
	{ "TB", INT64_C(1) << 40, false },
	{ "ms", 1, true },
	{ "s", 1000, true },
	{ "min", 60000, true },
	{ "h", 3600000, true },
};

int health_lag_parse(struct health_ask *ask, const char *text)
{
	size_t digits = strspn(text, "0123456789");
	int64_t number = 0;

	if (digits == 0 || digits > 15)
		return -EINVAL;
	for (size_t i = 0; i < digits; i++)
		number = number * 10 + (text[i] - '0');
	for (size_t i = 0; i < ARRAY_COUNT(units); i++) {
		if (strcmp(text + digits, units[i].word) != 0)
			continue;
		if (number > INT64_MAX / units[i].factor)
			return -EINVAL;
		if (units[i].of_time)
			ask->lag_ms = number * units[i].factor;
		else
			ask->lag_bytes = number * units[i].factor;
		return 0;
	}
	return -EINVAL;
}

static int word_parse(bool *truth, const char *value, const char *yes, const char *no)
{
	*truth = strcmp(value, yes) == 0;
	return *truth || strcmp(value, no) == 0 ? 0 : -EINVAL;
}

/* One NAME=VALUE.  What nobody knows changes nothing, as with Patroni; a value of what is known
 * has to be understood. */
static int pair_parse(struct health_ask *ask, const char *pair)
{
	if (strncmp(pair, "lag=", 4) == 0)
		return health_lag_parse(ask, pair + 4);
	if (strncmp(pair, "mode=", 5) == 0)
		return word_parse(&ask->received, pair + 5, "write", "apply");
	if (strncmp(pair, "replication_state=", 18) == 0) {
		/* Of the other states no standby of ours is known to be in one. */
		ask->streaming = true;
		return strcmp(pair + 18, "streaming") == 0 ? 0 : -EINVAL;
	}
	if (strncmp(pair, "tag_", 4) == 0)
		ask->tagged = true;
	return 0;
}

int health_ask_parse(struct health_ask *ask, const char *path, const char *query)
{
	*ask = (struct health_ask){ .lag_bytes = HEALTH_NEVER, .lag_ms = HEALTH_NEVER };
	for (size_t i = 0; i < ARRAY_COUNT(pages); i++) {
		if (strcmp(pages[i].path, path) == 0)
			ask->page = pages[i].page;
	}
	if (ask->page == HEALTH_PAGE_NONE)
		return -ENOENT;
	while (*query != '\0') {
		char pair[64];
		size_t length = strcspn(query, "&");

		if (length >= sizeof(pair))
			return -EINVAL;
		(void)snprintf(pair, sizeof(pair), "%.*s", (int)length, query);
		if (pair_parse(ask, pair) < 0)
			return -EINVAL;
		query += length;
		query += *query == '&';
	}
	return 0;
}
