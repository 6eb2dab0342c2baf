/* SPDX-License-Identifier: PostgreSQL */
#include "rejoin/rejoin_ready.h"

#include <stddef.h>

#include "base/auto.h"

struct ready_rule {
	size_t fact;
	struct verdict verdict;
};
#define FACT(name) offsetof(struct ready_facts, name)

static const struct ready_rule rules[] = {
	{ FACT(programs),
	  NO("ready-programs", "programs of PostgreSQL that bring a node back are missing",
	     "set bin_dir, or install the server's package") },
	{ FACT(files),
	  NO("ready-files",
	     "pg_rewind would fail: the server's user may not read and write a file of the data "
	     "directory",
	     "give it to that user (chown, chmod u+rw), or move it out of the data directory") },
	{ FACT(links),
	  NO("ready-links", "pg_rewind would fail on a symbolic link in the data directory",
	     "put the file itself there, or name its real place in the configuration; make a "
	     "directory that is missing") },
	{ FACT(room),
	  NO("ready-room", "pg_rewind would fail: a file system that it writes to is full",
	     "make room") },
	{ FACT(hints), NO("ready-hints",
			  "pg_rewind would be impossible: neither data checksums nor wal_log_hints",
			  "set wal_log_hints = on and restart the server, the standby first") },
	{ FACT(full_page_writes),
	  NO("ready-full-page-writes", "pg_rewind would be impossible: full_page_writes is off",
	     "set full_page_writes = on and reload") },
	{ FACT(rights), NO("ready-rights", "pg_rewind would be impossible: the role lacks rights",
			   "run what \"cluster_config sql\" prints on the primary") },
	{ FACT(wal_kept),
	  NO("ready-wal", "a node that was away would need a new copy: no WAL is kept for it",
	     "set wal_keep_size, as \"cluster_config postgresql\" prints it") },
	{ FACT(limits),
	  NO("ready-settings",
	     "this server could not follow the other one: a standby may not have less of this "
	     "setting than its primary",
	     "raise it on this node and restart its server; of two nodes, the standby first") },
	{ FACT(target),
	  NO("ready-target",
	     "a recovery target is set, at which this standby would stop its replay",
	     "remove the setting (one of ALTER SYSTEM by ALTER SYSTEM RESET) and restart this "
	     "server") },
	{ FACT(spaces),
	  NO("ready-tablespace", "the directory of a tablespace is missing on this node",
	     "make it, owned by the server's user, with mode 0700") },
	{ FACT(libraries),
	  NO("ready-library", "a library that the database needs is missing on this node",
	     "install the extension's package, as on the other node") },
	{ FACT(locales),
	  NO("ready-locale", "a locale that a database needs is missing on this node",
	     "generate or install it, as on the other node") },
	{ FACT(certificates),
	  NO("ready-certificate",
	     "the server would not start again: ssl is on, and a file that it needs for that "
	     "cannot be read",
	     "put it back, readable for the server's user") },
	{ FACT(restore),
	  NO("ready-restore",
	     "restore_command does not end: this standby would neither start nor be promoted",
	     "give it an end of its own, such as timeout 5 in front of it; what it is asked for "
	     "may be missing") },
};

static const enum fact *fact_at(const struct ready_facts *f, size_t offset)
{
	return (const void *)((const char *)f + offset);
}

const enum fact *ready_decide(const struct ready_facts *f, struct verdict *verdict)
{
	static const enum fact worst[] = { FACT_NO, FACT_UNKNOWN };

	for (size_t w = 0; w < ARRAY_COUNT(worst); w++) {
		for (size_t i = 0; i < ARRAY_COUNT(rules); i++) {
			const enum fact *fact = fact_at(f, rules[i].fact);

			if (*fact != worst[w])
				continue;
			if (worst[w] == FACT_NO) {
				*verdict = rules[i].verdict;
				verdict->outcome = OUT_NO;
			} else {
				*verdict = (struct verdict)UNKNOWN(
				    "ready-unknown", "not all is known that pg_rewind would need",
				    "do both servers run?");
			}
			return fact;
		}
	}
	*verdict = (struct verdict)YES("ready", "this node could be rewound", NULL);
	if (f->copy != FACT_YES)
		verdict->message =
		    f->copy == FACT_NO
			? "this node could be rewound, but there would be no "
			  "place for a new copy"
			: "this node could be rewound; of a new copy it is not known";
	return &f->copy;
}
