/* SPDX-License-Identifier: PostgreSQL */
/*
 * The settings that postgresql.conf.in has a line for, and what becomes of a line where a server
 * has another value: a printed configuration only ever raises.  A server with a logical slot does
 * not start with a lower wal_level, nor a standby with fewer connections than its primary has.
 */
#ifndef PGV_SETTING_RULES_H
#define PGV_SETTING_RULES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/auto.h"

#define SETTING_VALUE_MAX 256
#define SETTING_RULES     27

enum setting_kind {
	SETTING_NUMBER,  /* the larger one */
	SETTING_BOUND,   /* the same, and -1 is no bound */
	SETTING_WORD,    /* the one that stands later among its words */
	SETTING_LIST,    /* the members of both */
	SETTING_SHORTER, /* the shorter one; 0 is none */
	SETTING_OURS,    /* ours: what is in use says nothing about what a cluster needs */
};

struct setting_rule {
	const char *name;
	enum setting_kind kind;
	const char *unit;     /* of a number, as pg_settings has it; NULL: none */
	const char *words;    /* of SETTING_WORD, from the least, a blank between */
	const char *standard; /* PostgreSQL's own, of a setting for which we have no value */
	const char
	    *because; /* why less than ours will not do, for a comment; NULL: no word of it */
};
extern const struct setting_rule setting_rules[SETTING_RULES];

/* NULL: there is none. */
const struct setting_rule *setting_rule(const char *name);

/* Values that others have, as PostgreSQL prints them; NULL: none, or not known. */
struct setting_seen {
	const char *here;  /* in use by the server of this node */
	const char *files; /* its files say so for the next start */
	const char *peer;  /* in use on the other node */
};

enum setting_from { SETTING_FROM_US, SETTING_FROM_HERE, SETTING_FROM_FILES, SETTING_FROM_PEER };
struct setting_choice {
	char value[SETTING_VALUE_MAX]; /* "": no line is needed */
	enum setting_from from;
	const char *replaced; /* what was here and is not kept; NULL: nothing */
	const char *raised;   /* the lesser value that was here; NULL: none */
};

/*
 * Is a stronger than b: *order is above, below or 0.  0; -EINVAL: a value cannot be read, or there
 * is no more and less of this one.
 */
int setting_compare(const struct setting_rule *rule, const char *a, const char *b,
		    int *order) MUST_CHECK;

/* Do the two mean the same? */
bool setting_same(const struct setting_rule *rule, const char *a, const char *b);

/*
 * Decides what is printed for a setting of which our line says `ours` ("": we have no value of our
 * own). Pure.  0; -EINVAL: a value cannot be read; -EFBIG.
 */
int setting_choose(struct setting_choice *choice, const struct setting_rule *rule, const char *ours,
		   const struct setting_seen *seen) MUST_CHECK;

#endif
