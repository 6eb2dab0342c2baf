/* SPDX-License-Identifier: PostgreSQL */
/*
 * When a drill may begin: pure.  The conditions of a switchover come before these, whichever drill
 * it is, since somebody has to be fit to take over.  A drill gives nobody a right to serve: it
 * brings about a fault, and the two nodes do what they do after any other.
 */
#ifndef PGV_DRILL_RULES_H
#define PGV_DRILL_RULES_H

#include <stdbool.h>
#include <stdio.h>

#include "base/verdict.h"

enum drill_kind {
	DRILL_SWITCHOVER, /* the roles change in good order */
	DRILL_CRASH,      /* the server of the primary is killed */
	DRILL_ISOLATE,    /* the host of the primary is cut off from everything */
};

struct drill_facts {
	enum drill_kind kind;
	bool on_standby; /* the primary is seen on the other node */
	bool async;
	bool may_lose;    /* the operator accepts what an async failover may lose */
	bool survived;    /* the configuration survives that fault (render/faults.h) */
	bool powers_off;  /* the other node would switch this host off */
	enum fact wanted; /* the operator wants it: by --yes or on the terminal */
};

/* "switchover", "crash", "isolate". */
const char *drill_word(enum drill_kind kind);
/* False: no drill has that name. */
bool drill_parse(const char *word, enum drill_kind *kind);

/* First rule that holds wins.  True: every condition holds, and the verdict is that of a dry run.
 */
bool drill_decide(const struct drill_facts *f, struct verdict *verdict);

/* Prints every rule up to the one that decides, and how it came out. */
void drill_explain(const struct drill_facts *f, FILE *out);

#endif
