/* SPDX-License-Identifier: PostgreSQL */
/* Connection strings: what is composed is read back as it was, and a vote is only one for us. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/outcome.h"
#include "fuzz.h"
#include "postgres/pg.h"
#include "postgres/server.h"

static void compose(const char *extra, const char *value)
{
	const struct conninfo_item items[] = { { "host", value }, { "application_name", "n1" } };
	char made[1024], back[512], of_extra[512];
	int rc = conninfo_compose(items, ARRAY_COUNT(items), extra, made, sizeof(made));

	assert(rc == 0 || rc == -EINVAL || rc == -EFBIG);
	if (rc != 0)
		return;
	rc = conninfo_get(made, "host", back, sizeof(back));
	if (value[0] != '\0')
		assert(rc == -EFBIG || (rc == 0 && strcmp(back, value) == 0));
	assert(conninfo_get(made, "application_name", back, sizeof(back)) == 0);
	assert(strcmp(back, "n1") == 0);
	if (conninfo_get(extra, "sslmode", of_extra, sizeof(of_extra)) == 0)
		assert(conninfo_get(made, "sslmode", back, sizeof(back)) == 0 &&
		       strcmp(back, of_extra) == 0);
}

static void vote(const char *conninfo)
{
	struct server peer = { .state = SERVER_STANDBY, .system_identifier = 1, .timeline = 1 };
	char host[SERVER_CONNINFO_MAX];

	if (snprintf(peer.primary_conninfo, sizeof(peer.primary_conninfo), "%s", conninfo) >=
	    (int)sizeof(peer.primary_conninfo))
		return;
	if (server_votes_for(&peer, "192.0.2.1", 1, 1) != FACT_YES)
		return;
	assert(conninfo_get(conninfo, "hostaddr", host, sizeof(host)) == 0 ||
	       conninfo_get(conninfo, "host", host, sizeof(host)) == 0);
	assert(strstr(host, "192.0.2.1") != NULL || strcasestr(host, "c000:201") != NULL);
	assert(server_votes_for(&peer, "192.0.2.3", 1, 1) == FACT_NO);
}

/* A connection string, a line feed, a value. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	char AUTO_FREE *conninfo = input_until(&in, '\n');
	char AUTO_FREE *value = input_rest(&in);

	compose(conninfo, value);
	vote(conninfo);
	return 0;
}
