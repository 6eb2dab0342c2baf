/* SPDX-License-Identifier: PostgreSQL */
/*
 * Would anybody serve, were the primary of this node stopped now?  A person is asked to say so
 * twice where nobody would: after such a fence only a person brings the service back.
 */
#ifndef PGV_SUCCESSOR_H
#define PGV_SUCCESSOR_H

#include <stdbool.h>

#include "base/verdict.h"
#include "config/cfg.h"
#include "postgres/server.h"
#include "record/record_trust.h"

struct successor_facts {
	enum server_state local; /* what runs here, also where it refuses us */
	enum fact follows;       /* the other node is a standby, and follows this one */
	enum fact streams; /* and has a walsender here that streams, so it is not fenced for long */
	enum fact replays; /* nobody has paused its replay */
	enum fact rights;  /* the role has every right that a takeover needs */

	/* with a witness that keeps a record; else keeps_record is false and the rest is not looked
	 * at */
	bool keeps_record;
	enum record_trust trust;
	bool holder; /* this node holds the term */
	bool paired; /* the other one may take over */
	bool paused; /* an operator wants no takeover */
};

/* First rule that holds wins: yes, no, or unknown where it is not known what runs here.  Pure. */
struct verdict successor_decide(const struct successor_facts *f);

/* Asks both servers and the witness, and decides.  Changes nothing. */
struct verdict successor_look(const struct cfg *cfg);

#endif
