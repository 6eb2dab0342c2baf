/* SPDX-License-Identifier: PostgreSQL */
/*
 * A real witness for unit tests: a PostgreSQL of its own at 10.99.0.3 in the network of
 * pgfixture_network, with the schema of scripts/setup/witness.sql.
 */
#ifndef WITNESS_SERVER_H
#define WITNESS_SERVER_H

#include "pgfixture.h"

/* Makes and starts it; 0 or -errno.  pgfixture_end(witness) ends it. */
int witness_server_begin(struct pgfixture *witness);
/* The node of this configuration keeps its record there. */
void witness_server_use(const struct pgfixture *witness, struct cfg *cfg);
/* witness.sql once more, as an upgrade would run it. */
int witness_server_schema(const struct pgfixture *witness);
/* SQL as the superuser; fails the test when it does not work. */
void witness_server_sql(const struct pgfixture *witness, const char *sql, char *out, size_t size);

#endif
