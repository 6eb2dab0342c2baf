/* SPDX-License-Identifier: PostgreSQL */
/* The facts by which witness_record decides. */
#ifndef PGV_RECORD_GATHER_H
#define PGV_RECORD_GATHER_H

#include "postgres/pgdata.h"
#include "record/record_deed.h"
#include "record/record_view.h"

/* One question, connection and TLS included: milliseconds, where the witness is alive. */
#define RECORD_QUESTION_MS 1000

struct record_task {
	const struct cfg *cfg;
	struct deadline dl;
	struct record_link link;
	struct record_view view;
	struct pgdata_control control; /* of the directory while its server was down */
	struct record_facts facts;
	bool unanswered; /* a write was sent, and whether it was done was not said */
	char why[160];   /* why something of this node is not known */
};

/* Asks and reads everything anew; facts.ask stays. */
void record_gather(struct record_task *t);
/* Takes over into the facts what the view says. */
void record_taken(struct record_task *t);

/* The detail of a verdict. */
void record_describe(const struct record_task *t, struct verdict *verdict);

#endif
