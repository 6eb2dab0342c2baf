/* SPDX-License-Identifier: PostgreSQL */
/*
 * A real PostgreSQL server that keeps the record, made by scripts/setup/witness.sql, and the
 * configurations of the two nodes whose record it is.  It is the n1 of a pgfixture (pgfixture.h:
 * needs root, runs in a network of this process alone); the nodes have no servers.
 */
#ifndef WITNESSFIXTURE_H
#define WITNESSFIXTURE_H

#include <stdbool.h>
#include <stddef.h>

#include "pgfixture.h"
#include "postgres/pg.h"
#include "record/record.h"

#define WITNESS_NAME "witness.test" /* what its certificate names, besides its address */
#define WITNESS_PASS "of-the-witness-alone"
#define SYSTEM       UINT64_C(7000000000000000001)
/* One question here.  Long, because machines that run tests are slow. */
#define PATIENCE 5000

struct witness {
	struct pgfixture server;
	struct cfg n[2]; /* run_dir and state_dir exist; sslmode = disable */
};
extern struct witness witness;

/* For cmocka_run_group_tests.  With TLS, the server takes no connection without. */
int witness_begin(void **state);
int witness_begin_with_tls(void **state);
int witness_end(void **state);
/* For cmocka_unit_test_setup: no rows. */
int witness_empty(void **state);

/* DIR/ca.crt of the fixture, and DIR/other.crt, of a CA that the server's certificate is not of. */
void witness_file(char *path, size_t size, const char *name);

/* Runs scripts/setup/witness.sql for a role; psql's exit code, and what it said. */
int witness_schema(const char *role, char *said, size_t size);

/* As superuser in the witness's database: psql's exit code; or with the assertion that
 * it worked. */
int witness_try(const char *sql, char *said, size_t size);
void witness_sql(const char *sql);
void witness_says(const char *sql, const char *wanted);

/* A connection of the superuser, for what has to stand open meanwhile. */
struct pg *witness_session(void);

/* A question of one node over a link of its own, which must be answered. */
struct record witness_look(size_t node);
/* What was answered: done, or refused for that reason ("" for done). */
void assert_refused(const struct record *record, const char *refused);
/* A row of term 1, version 1, held by n1, solo; or the same, paired (version 2). */
struct record witness_solo(void);
struct record witness_paired(void);

#endif
