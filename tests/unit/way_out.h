/* SPDX-License-Identifier: PostgreSQL */
/* Two nodes as the rules see them, and what each command makes of them. */
#ifndef WAY_OUT_H
#define WAY_OUT_H

#include <stdbool.h>

#include "base/verdict.h"
#include "node/mark.h"

enum being { IS_OFF, IS_DOWN, IS_STANDBY, IS_PRIMARY };

struct place {
	enum being is;
	bool primary_form;
	bool withdrawn; /* the standby follows nobody */
	bool fenced;
	enum fenced_by by;
};

struct cluster {
	struct place node[2];
	int newer;  /* whose timeline is newer; -1: they are on the same one */
	bool stale; /* what the standby has is too old, or it lacks commits by its own rules */
	bool keeps_record;
	bool has_row; /* a good one, or none at all */
	int holder;
	bool paired;
	bool fenced_is_cut_off; /* --assume-peer-down may be said of a host that fence_self has cut
				   off */
};

enum command {
	REJOIN,
	REJOIN_LIFT,
	REJOIN_WORD, /* --assume-peer-down */
	PROMOTE,     /* as the guard and keepalived run it, and REJOIN is the guard's too */
	PROMOTE_BY_HAND,
	PROMOTE_ACCEPT, /* the same with --accept-loss */
	PROMOTE_WORD,   /* --assume-peer-down and --accept-loss */
	FENCE,          /* fence_self, of a node on which nobody serves */
	FORGET_ROW,     /* the row is deleted at the witness, since its holder is lost for good */
	COMMANDS
};

/* May a person say this on node n?  A host that is off runs nothing; --assume-peer-down is true of
 * one that is off.  As its page says, also of one that is cut from its clients, and stays so: a
 * fence does that. */
bool way_out_is_true(const struct cluster *c, int n, enum command command);

/* Runs it to its end. */
void way_out_run(struct cluster *c, int n, enum command command, struct verdict *verdict);

/* Has nothing come of it? */
bool way_out_same(const struct cluster *a, const struct cluster *b);

#endif
