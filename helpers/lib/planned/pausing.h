/* SPDX-License-Identifier: PostgreSQL */
/*
 * A pause with an end, and the end before it: no standby takes over by itself until then.  Where
 * the witness keeps a record it stands there, and either node may write it; else only the node that
 * runs the standby can promise it.  Whoever is killed, and whatever dies afterwards, the pause ends
 * at its time, and a takeover that it held up is tried again by the guard.
 */
#ifndef PGV_PAUSING_H
#define PGV_PAUSING_H

#include <stdbool.h>
#include <stdio.h>

#include "base/deadline.h"
#include "base/verdict.h"
#include "config/cfg.h"
#include "node/pause.h"
#include "postgres/server.h"
#include "record/record_view.h"

struct pausing_facts {
	bool resume; /* else a pause is wanted */
	bool keeps_record;
	enum record_trust trust; /* with a record */
	bool without_end;        /* the record says so (witness_record --pause) */
	enum fact runs;          /* a pause with an end, in the witness or promised here */
	enum server_state local; /* without a record */
};

enum pausing_step { PAUSING_VERDICT, PAUSING_WRITE };

/* First rule that holds wins.  Pure. */
enum pausing_step pausing_decide(const struct pausing_facts *f, struct verdict *verdict);

/* `pause` is what is wanted, with left_ms 0 for its end.  dry: as far as the decision. */
struct verdict pausing_do(const struct cfg *cfg, const struct pause *pause, bool dry,
			  FILE *explain);

/* The name of the one who logged in, or of the user, and the node. */
void pausing_who(const struct cfg *cfg, char *who, size_t size);

#endif
