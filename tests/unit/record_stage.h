/* SPDX-License-Identifier: PostgreSQL */
/*
 * witness_record on a stage: the directory of a real n1, and a real witness.  n2 has the same
 * directory; only its name and its files are another's.
 */
#ifndef RECORD_STAGE_H
#define RECORD_STAGE_H

#include "record/record_gather.h"
#include "witness_server.h"

extern struct pgfixture stage_servers; /* n1 is to be started and stopped by the test */
extern struct pgfixture stage_witness;

/* For cmocka_run_group_tests, and for each of the tests. */
int stage_make(void **unused);
int stage_end(void **unused);
int stage_set_up(void **unused);
int stage_tear_down(void **unused);

/* n1 writes a record: solo, or paired. */
void stage_record(bool paired);
/* n1 renews it: its version grows. */
void stage_renew(void);
/* The row's columns are `wanted`, as psql -At prints them. */
void stage_row(const char *columns, const char *wanted);

/* A run of the helper; --release as the guard calls it. */
struct verdict stage_run(const struct cfg *cfg, enum record_ask ask, bool dry_run);
/* The same, and what is to come of it; fails the test else. */
struct verdict stage_gives(const struct cfg *cfg, enum record_ask ask, enum outcome outcome,
			   const char *rule);
/* Its inner steps: one write, and the way from looking to the end. */
int stage_put(struct record_task *task);
struct verdict stage_go_on(struct record_task *task);

#endif
