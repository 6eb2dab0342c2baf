/* SPDX-License-Identifier: PostgreSQL */
/*
 * Decides what is to be done about replication slots on this node.  Pure.  A slot is a convenience:
 * nothing here may stop replication, and nothing here may hold WAL without a bound.
 */
#ifndef PGV_SLOTS_RULES_H
#define PGV_SLOTS_RULES_H

#include <stdbool.h>
#include <stdio.h>

#include "base/verdict.h"
#include "postgres/server.h"
#include "postgres/server_slots.h"

/* primary_slot_name of this server */
enum slots_name {
	SLOTS_NAME_NONE,
	SLOTS_NAME_OWN,     /* this node's slot on the other one */
	SLOTS_NAME_LEFT,    /* pgvrrp_ of some other node: copied from there */
	SLOTS_NAME_FOREIGN, /* an operator's */
	SLOTS_NAMES
};

/* From where on the slot holds WAL, on a standby, seen from where its recovery would begin: the
 * other node may need what lies behind that, and nothing before. */
enum slots_place {
	SLOTS_AT,
	SLOTS_BEFORE, /* it holds more than is needed */
	SLOTS_BEYOND, /* it holds less */
	SLOTS_PLACES
};

struct slots_facts {
	bool wanted; /* slots = yes */
	enum server_state local;

	/* of this server; of no meaning unless it is a primary or a standby */
	bool known;
	enum fact bounded; /* max_slot_wal_keep_size is set */
	enum fact room;    /* it takes another slot */
	enum slots_name uses;
	bool left; /* a slot of ours for nobody, not in use */
	bool dead; /* another's slot that is lost, not in use, and may be dropped */
	/* the slot of the other node here */
	bool there;
	bool active;
	enum slot_hold hold;
	enum slots_place place;

	/* primary */
	bool streams; /* the standby streams, with a slot or without */

	/* standby */
	bool receiving;
	bool withdrawn;
	enum fact primary;      /* the other node is one */
	enum fact offered;      /* and has a slot for us that can be used */
	enum fact peer_bounded; /* and a bound */
};

enum slots_step {
	SLOTS_VERDICT, /* nothing more to do */
	SLOTS_UNNAME,  /* this server names no slot */
	SLOTS_NAME,    /* it names its own */
	SLOTS_DROP_LEFT,
	SLOTS_DROP_DEAD,
	SLOTS_DROP,   /* the one of the other node */
	SLOTS_CREATE, /* it holds WAL at once */
	SLOTS_EMPTY,  /* replaced by one that holds none before somebody streams with it */
	SLOTS_RENEW,  /* replaced by one that holds from where recovery would begin */
	SLOTS_ADVANCE,
	SLOTS_STEPS
};

/* The next step; *verdict is the end of it for SLOTS_VERDICT, else what is the matter. */
enum slots_step slots_decide(const struct slots_facts *f, struct verdict *verdict);

void slots_explain(const struct slots_facts *f, FILE *out);
const char *slots_step_word(enum slots_step step);

#endif
