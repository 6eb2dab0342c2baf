/* SPDX-License-Identifier: PostgreSQL */
/* Whom a standby follows: what it says, and what it ought to say. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "net/addr.h"
#include "postgres/server.h"

/* Is every element of the list this address?  A standby that may also follow somebody else has not
 * given us its word; a name could mean anybody. */
static bool only(char *list, const struct addr *ours)
{
	char *rest = list;

	while (rest != NULL) {
		const char *one = strsep(&rest, ",");
		struct addr theirs;

		if (addr_parse(&theirs, one) < 0 || !addr_equal(&theirs, ours))
			return false;
	}
	return true;
}

static bool follows(const char *conninfo, const char *our_address)
{
	char list[SERVER_CONNINFO_MAX];
	struct addr ours;

	if (addr_parse(&ours, our_address) < 0)
		return false;
	/* libpq goes by hostaddr where both are given. */
	if (conninfo_get(conninfo, "hostaddr", list, sizeof(list)) != 0 &&
	    conninfo_get(conninfo, "host", list, sizeof(list)) != 0)
		return false;
	return only(list, &ours);
}

enum fact server_votes_for(const struct server *peer, const char *our_address,
			   uint64_t system_identifier, uint32_t timeline)
{
	switch (peer->state) {
	case SERVER_UNKNOWN:
	case SERVER_DOWN:
	case SERVER_STARTING:
	case SERVER_REFUSES:
		return FACT_UNKNOWN;
	case SERVER_PRIMARY:
		return FACT_NO;
	case SERVER_STANDBY:
		break;
	}
	return fact_of(peer->system_identifier == system_identifier && peer->timeline <= timeline &&
		       !peer->withdrawn && follows(peer->primary_conninfo, our_address));
}

bool server_receives(const struct server *standby, const struct server *primary)
{
	return standby->state == SERVER_STANDBY && primary->state == SERVER_PRIMARY &&
	       standby->system_identifier == primary->system_identifier && standby->receiving &&
	       standby->timeline == primary->timeline;
}

int server_conninfo_to_peer(const struct cfg *cfg, char *conninfo, size_t size)
{
	char port[24];
	char patience_ms[24];
	const struct conninfo_item items[] = {
		{ "host", cfg_peer(cfg)->address },
		{ "port", port },
		{ "user", cfg->role },
		{ "passfile", cfg->passfile },
		/* The application_name by which the primary knows this standby, also in
		 * synchronous_standby_names. */
		{ "application_name", cfg_self(cfg)->name },
		/* Else a connection request to a host that is off would be repeated for two
		 * minutes, less and less often, and the host's return be seen late. */
		{ "tcp_user_timeout", patience_ms },
	};

	(void)snprintf(port, sizeof(port), "%lld", (long long)cfg->port);
	(void)snprintf(patience_ms, sizeof(patience_ms), "%lld", (long long)cfg->lease_ms);
	return conninfo_compose(items, ARRAY_COUNT(items), cfg->conninfo, conninfo, size);
}
