/* SPDX-License-Identifier: PostgreSQL */
/* The damage that the next start of this node's server would do, asked for before somebody
 * restarts it. */
#ifndef PGV_RESTART_RULES_H
#define PGV_RESTART_RULES_H

#include <stddef.h>
#include <stdint.h>

#include "base/outcome.h"
#include "postgres/server_settings.h"

struct restart_facts {
	const struct server_settings *here;
	const struct server_settings *peer;
	enum fact standby;   /* is this node one? */
	int64_t port;        /* as the configuration has it */
	enum fact libraries; /* those of shared_preload_libraries, as the files say, are there */
	const char *libraries_why; /* the one that is not */
};

/* message and hint point to static text. */
struct restart_finding {
	const char *message;
	const char *hint;
	char detail[240];
};
#define RESTART_FINDINGS_MAX 12
struct restart_findings {
	size_t count;
	struct restart_finding list[RESTART_FINDINGS_MAX];
};

/* Pure.  What is not known breaks nothing here; who prints this says what was not looked at. */
void restart_decide(struct restart_findings *findings, const struct restart_facts *facts);

/* The value with which the server would start; NULL: not known. */
const char *restart_value(const struct server_settings *server, const char *name);

#endif
