/* SPDX-License-Identifier: PostgreSQL */
/*
 * Two real PostgreSQL servers for unit tests: node n1 a primary, node n2 its streaming standby, in
 * a temporary directory, each with its own address in a network of this process alone.  Both use
 * the same port, as on real hosts.  The servers die with the test process.  Needs root, because
 * PostgreSQL refuses to run as root and must be started as user postgres.
 *
 * Functions return 0 or -errno and write what went wrong to standard error.
 */
#ifndef PGFIXTURE_H
#define PGFIXTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "config/cfg.h"

#define PGFIXTURE_PORT 5432
#define PGFIXTURE_PASS "not-the-real-one"

struct pgfixture {
	char dir[64];        /* everything is below; owned by postgres, mode 0755 */
	char bin_dir[64];    /* of the newest PostgreSQL installed */
	pid_t postmaster[2]; /* 0: not started by pgfixture_start */
	struct cfg cfg[2];   /* what each node would have loaded; cfg[i].self == i */
};

/* Can it run here?  When not, says why on standard error; a test may then skip(). */
bool pgfixture_possible(void);

/* Moves this process into a network namespace of its own: lo up with 10.99.0.1 (n1), 10.99.0.2 (n2)
 * and 10.99.0.3 (nobody's).  Call it before anything else, once. */
int pgfixture_network(void);

/* Makes the directory, the two configurations and an initialised data directory for n1 (primary
 * form, role pgvrrp set up, not running). */
int pgfixture_init(struct pgfixture *fixture);

/* A base backup of the running n1 becomes n2's data directory, in standby form, not running. */
int pgfixture_clone(struct pgfixture *fixture);

/* init, start n1, clone, start n2, wait until it streams. */
int pgfixture_pair(struct pgfixture *fixture);

/* Starts node 0 or 1 as a child of this process; waits until it accepts connections, unless
 * `wait` is false. */
int pgfixture_start(struct pgfixture *fixture, size_t node, bool wait);
/* Sends the signal to its postmaster (SIGINT fast, SIGQUIT immediate, SIGKILL) and reaps it. */
int pgfixture_stop(struct pgfixture *fixture, size_t node, int signal);

/* Runs SQL as the superuser by psql -Atq; the output without its last newline goes to out (may be
 * NULL with size 0). */
int pgfixture_sql(const struct pgfixture *fixture, size_t node, const char *sql, char *out,
		  size_t size);
/* Repeats the query until it gives exactly `wanted`, 10 s at the most. */
int pgfixture_until(const struct pgfixture *fixture, size_t node, const char *sql,
		    const char *wanted);

/* Adds lines to postgresql.conf of a node (the last setting of a name wins). */
int pgfixture_configure(const struct pgfixture *fixture, size_t node, const char *lines);

/* Runs a program without a shell and waits for it; as user postgres if asked.  Returns its exit
 * code, or -errno.  argv ends with NULL. */
int pgfixture_run(const char *const *argv, bool as_postgres, char *out, size_t size);

/* Stops what runs and removes everything.  Safe to call after a failed init. */
void pgfixture_end(struct pgfixture *fixture);

#endif
