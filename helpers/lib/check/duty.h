/* SPDX-License-Identifier: PostgreSQL */
/*
 * The part of check_primary for the record: on a primary it renews, goes solo and pairs; on a
 * standby it looks, so that no time is lost when it matters.  Only with a witness that keeps a
 * record.
 */
#ifndef PGV_DUTY_H
#define PGV_DUTY_H

#include <pthread.h>
#include <stdbool.h>

#include "base/deadline.h"
#include "base/outcome.h"
#include "check/duty_rules.h"
#include "config/cfg.h"
#include "postgres/server.h"
#include "record/record_trust.h"

struct duty_report {
	bool looked;             /* the witness was asked */
	enum record_trust trust; /* of the row, as last seen in this run */
	enum fact theirs;        /* it is good and gives the right to the other node */
	enum fact solo;          /* it is good and says that only this node may serve */
	bool decided;            /* on a primary: the rules of pairing were asked */
	struct duty_facts facts; /* as the last of them left them */
	char words[200];         /* what the row says, or why it could not be read */
	char unheard[256]; /* "": not so; else commits wait for a standby that is lost, because the
			      server takes no reload: the file, the line, and what is wrong */
};

/*
 * local: what this node's server has just answered (primary, standby), or that it starts up.  Does
 * nothing for a server in another state, on a fenced node, or where another run is at it.
 */
void duty_do(struct duty_report *report, const struct cfg *cfg, const struct server *local,
	     const struct deadline *dl);

/* Only looks: what duty_do would report before it does anything.  Nothing is written, and what the
 * row says is not noted. */
void duty_look(struct duty_report *report, const struct cfg *cfg, const struct server *local,
	       const struct deadline *dl);

/*
 * duty_do beside other work: a witness that is silent takes all the time there is, and the vote of
 * the standby must be noted before that, or the lease would end although it was given.
 */
struct duty_beside {
	struct duty_report *report; /* not to be read before duty_end */
	const struct cfg *cfg;
	const struct server *local;
	struct deadline dl;
	pthread_t thread;
	bool runs;
};

void duty_begin(struct duty_beside *beside);
void duty_end(struct duty_beside *beside);

#endif
