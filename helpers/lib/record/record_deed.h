/* SPDX-License-Identifier: PostgreSQL */
/* The rules of witness_record: what may be written into the record, and what it says.  Pure. */
#ifndef PGV_RECORD_DEED_H
#define PGV_RECORD_DEED_H

#include <stdbool.h>
#include <stdio.h>

#include "base/verdict.h"
#include "postgres/pgdata.h"
#include "record/record_trust.h"

enum record_ask {
	RECORD_SHOW,
	RECORD_RELEASE, /* this node's server is down: it gives the right to serve back */
	RECORD_PAUSE,   /* an operator wants no takeover */
	RECORD_RESUME,  /* and wants it possible again */
	RECORD_ASKS
};

struct record_facts {
	enum record_ask ask;
	bool keeps_record; /* the witness is of the kind that does */
	enum fact
	    system; /* our system identifier is known: the record cannot be asked for without */
	enum record_trust trust;
	/* what the record says; with RECORD_GOOD only */
	bool holds; /* this node is the holder */
	bool paired;
	bool released;
	bool paused;
	/* of this node, looked at after the record was; for a release only */
	enum fact runs;     /* a process of the data directory is there */
	enum fact starting; /* somebody starts the server, or has been told that he may */
	enum pgdata_form form;
};

enum record_step { RECORD_VERDICT, RECORD_WRITE };

/* RECORD_WRITE: what was asked for is to be written; the verdict is then what a dry run says. */
enum record_step record_decide(const struct record_facts *f, struct verdict *verdict);

/* --explain: each rule, and how it came out. */
void record_explain(const struct record_facts *f, FILE *out);

#endif
