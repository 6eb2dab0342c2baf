/* SPDX-License-Identifier: PostgreSQL */
#include "witness_server.h"

#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define ADDRESS "10.99.0.3"

int witness_server_schema(const struct pgfixture *witness)
{
	char program[96], port[16], schema[PATH_MAX];
	const char *const argv[] = { program,    "-Xq",  "-U",
				     "postgres", "-h",   witness->cfg[0].socket_dir,
				     "-p",       port,   "-d",
				     "postgres", "-v",   "role=pgvrrp",
				     "-f",       schema, NULL };

	if (realpath("scripts/setup/witness.sql", schema) == NULL)
		return -errno;
	(void)snprintf(program, sizeof(program), "%s/psql", witness->bin_dir);
	(void)snprintf(port, sizeof(port), "%d", PGFIXTURE_PORT);
	return pgfixture_run(argv, false, NULL, 0) == 0 ? 0 : -1;
}

int witness_server_begin(struct pgfixture *witness)
{
	int rc = pgfixture_init(witness);

	if (rc == 0)
		rc = pgfixture_configure(witness, 0,
					 "listen_addresses = '" ADDRESS "'\nfsync = on\n");
	if (rc == 0)
		rc = pgfixture_start(witness, 0, true);
	return rc == 0 ? witness_server_schema(witness) : rc;
}

void witness_server_use(const struct pgfixture *witness, struct cfg *cfg)
{
	cfg->witness_kind = WITNESS_POSTGRES;
	cfg->witness_port = PGFIXTURE_PORT;
	(void)snprintf(cfg->witness_address, sizeof(cfg->witness_address), ADDRESS);
	(void)snprintf(cfg->witness_database, sizeof(cfg->witness_database), "postgres");
	(void)snprintf(cfg->witness_role, sizeof(cfg->witness_role), "pgvrrp");
	(void)snprintf(cfg->witness_passfile, sizeof(cfg->witness_passfile), "%s",
		       witness->cfg[0].passfile);
	(void)snprintf(cfg->witness_conninfo, sizeof(cfg->witness_conninfo), "sslmode=disable");
}

void witness_server_sql(const struct pgfixture *witness, const char *sql, char *out, size_t size)
{
	assert_int_equal(pgfixture_sql(witness, 0, sql, out, size), 0);
}
