/* SPDX-License-Identifier: PostgreSQL */
#include "witnessfixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/deadline.h"
#include "node/path.h"
#include "pgfixture_os.h"

struct witness witness;

void witness_file(char *path, size_t size, const char *name)
{
	(void)snprintf(path, size, "%s/%s", witness.server.dir, name);
}

/* ---- making it ---- */

static const char hba[] = "local all postgres trust\n"
			  "host pgvrrp recorder 10.99.0.0/24 scram-sha-256\n"
			  "host all stranger 10.99.0.0/24 scram-sha-256\n"
			  "host nowhere recorder 10.99.0.0/24 scram-sha-256\n"
			  "host postgres recorder 10.99.0.0/24 scram-sha-256\n";
static const char hba_with_tls[] = "local all postgres trust\n"
				   "hostssl pgvrrp recorder 10.99.0.0/24 scram-sha-256\n";

static int certificate(const char *name, const char *subject, const char *const *more)
{
	char key[96], crt[96];
	const char *argv[28] = { "/usr/bin/openssl",
				 "req",
				 "-x509",
				 "-newkey",
				 "ec",
				 "-pkeyopt",
				 "ec_paramgen_curve:prime256v1",
				 "-nodes",
				 "-days",
				 "2",
				 "-keyout",
				 key,
				 "-out",
				 crt,
				 "-subj",
				 subject };
	size_t used = 16;

	(void)snprintf(key, sizeof(key), "%s/%s.key", witness.server.dir, name);
	(void)snprintf(crt, sizeof(crt), "%s/%s.crt", witness.server.dir, name);
	while (more != NULL && *more != NULL)
		argv[used++] = *more++;
	return os_must_run(argv, NULL);
}

static int certificates(void)
{
	static const char names[] = "subjectAltName=DNS:" WITNESS_NAME ",IP:10.99.0.1";
	char ca[96], key[96], lines[256];
	const char *const more[] = { "-CA",     ca,        "-CAkey",
				     key,       "-addext", "basicConstraints=critical,CA:FALSE",
				     "-addext", names,     NULL };
	int rc = certificate("ca", "/CN=a ca", NULL);

	witness_file(ca, sizeof(ca), "ca.crt");
	witness_file(key, sizeof(key), "ca.key");
	if (rc == 0)
		rc = certificate("other", "/CN=another ca", NULL);
	if (rc == 0)
		rc = certificate("server", "/CN=witness", more);
	(void)snprintf(
	    lines, sizeof(lines),
	    "ssl = on\nssl_cert_file = '%s/server.crt'\nssl_key_file = '%s/server.key'\n",
	    witness.server.dir, witness.server.dir);
	return rc < 0 ? rc : pgfixture_configure(&witness.server, 0, lines);
}

static void fill_cfg(struct cfg *cfg, const struct cfg *from)
{
	*cfg = *from;
	cfg->witness_kind = WITNESS_POSTGRES;
	cfg->witness_port = PGFIXTURE_PORT;
	(void)snprintf(cfg->name, sizeof(cfg->name), "main");
	(void)snprintf(cfg->witness_address, sizeof(cfg->witness_address), "%s", os_addresses[0]);
	(void)snprintf(cfg->witness_database, sizeof(cfg->witness_database), "pgvrrp");
	(void)snprintf(cfg->witness_role, sizeof(cfg->witness_role), "recorder");
	(void)snprintf(cfg->witness_conninfo, sizeof(cfg->witness_conninfo), "sslmode=disable");
	witness_file(cfg->witness_passfile, sizeof(cfg->witness_passfile), "witness.pgpass");
}

static int prepare(bool tls)
{
	struct pgfixture *server = &witness.server;
	char path[CFG_PATH_MAX + 32];
	int rc = pgfixture_init(server);

	if (rc < 0)
		return rc;
	(void)snprintf(path, sizeof(path), "%s/pg_hba.conf", server->cfg[0].data_dir);
	rc = os_write(path, tls ? hba_with_tls : hba, false);
	witness_file(path, sizeof(path), "witness.pgpass");
	if (rc == 0)
		rc = os_write(path, "*:*:*:recorder:" WITNESS_PASS "\n", false);
	if (rc == 0 && tls)
		rc = certificates();
	for (size_t node = 0; node < CFG_NODES && rc == 0; node++) {
		fill_cfg(&witness.n[node], &server->cfg[node]);
		rc = files_prepare(&witness.n[node]);
	}
	return rc < 0 ? rc : pgfixture_start(server, 0, true);
}

static int begin(bool tls)
{
	const struct pgfixture *server = &witness.server;
	char said[1024] = "";

	if (!pgfixture_possible() || pgfixture_network() < 0)
		return -1;
	if (prepare(tls) == 0 &&
	    pgfixture_sql(server, 0, "CREATE ROLE recorder LOGIN PASSWORD '" WITNESS_PASS "'", NULL,
			  0) == 0 &&
	    pgfixture_sql(server, 0, "CREATE DATABASE pgvrrp", NULL, 0) == 0 &&
	    witness_schema("recorder", said, sizeof(said)) == 0)
		return 0;
	(void)fprintf(stderr, "witnessfixture: %s\n", said);
	pgfixture_end(&witness.server);
	return -1;
}

int witness_begin(void **state)
{
	(void)state;
	return begin(false);
}

int witness_begin_with_tls(void **state)
{
	(void)state;
	return begin(true);
}

int witness_end(void **state)
{
	(void)state;
	pgfixture_end(&witness.server);
	return 0;
}

/* ---- psql ---- */

static int psql(const char *option, const char *value, const char *role, char *said, size_t size)
{
	char program[96], variable[CFG_NAME_MAX + 8];
	const char *const argv[] = { "/bin/sh",
				     "-c",
				     "exec \"$@\" 2>&1",
				     "sh",
				     program,
				     "-XAtq",
				     "-v",
				     "ON_ERROR_STOP=1",
				     "-v",
				     variable,
				     "-h",
				     witness.server.cfg[0].socket_dir,
				     "-U",
				     "postgres",
				     "-d",
				     "pgvrrp",
				     option,
				     value,
				     NULL };

	(void)snprintf(program, sizeof(program), "%s/psql", witness.server.bin_dir);
	(void)snprintf(variable, sizeof(variable), "role=%s", role);
	return pgfixture_run(argv, false, said, size);
}

int witness_schema(const char *role, char *said, size_t size)
{
	char *file = realpath("scripts/setup/witness.sql", NULL);
	int rc = file != NULL ? psql("-f", file, role, said, size) : -1;

	free(file);
	return rc;
}

int witness_try(const char *sql, char *said, size_t size)
{
	return psql("-c", sql, "recorder", said, size);
}

void witness_sql(const char *sql)
{
	char said[1024];

	if (witness_try(sql, said, sizeof(said)) != 0)
		fail_msg("%s: %s", sql, said);
}

void witness_says(const char *sql, const char *wanted)
{
	char said[1024];

	assert_int_equal(witness_try(sql, said, sizeof(said)), 0);
	assert_string_equal(said, wanted);
}

int witness_empty(void **state)
{
	char said[1024];

	(void)state;
	return witness_try("TRUNCATE pgvrrp.record, pgvrrp.pause", said, sizeof(said));
}

/* ---- rows ---- */

struct pg *witness_session(void)
{
	const struct deadline dl = deadline_in_ms(PATIENCE);
	struct cfg cfg = witness.server.cfg[0];
	struct pg *pg = NULL;
	enum pg_failure failure;
	char why[160];

	(void)snprintf(cfg.role, sizeof(cfg.role), "postgres");
	(void)snprintf(cfg.database, sizeof(cfg.database), "pgvrrp");
	assert_int_equal(pg_open(&pg, &cfg, PG_LOCAL, &dl, &failure, why, sizeof(why)), 0);
	return pg;
}

struct record witness_look(size_t node)
{
	const struct deadline dl = deadline_in_ms(PATIENCE);
	struct record_link AUTO_RECORD link;
	struct record record;

	record_begin(&link, &witness.n[node], SYSTEM);
	if (record_look(&link, &record, &dl) != 0)
		fail_msg("%s", link.why);
	return record;
}

void assert_refused(const struct record *record, const char *refused)
{
	assert_string_equal(record->refused, refused);
}

struct record witness_solo(void)
{
	const struct deadline dl = deadline_in_ms(PATIENCE);
	struct record_link AUTO_RECORD link;
	struct record record = witness_look(0);

	record_begin(&link, &witness.n[0], SYSTEM);
	assert_int_equal(record.present, FACT_NO);
	assert_int_equal(record_create(&link, &record, &record, 1, &dl), 0);
	assert_refused(&record, "");
	return record;
}

struct record witness_paired(void)
{
	const struct deadline dl = deadline_in_ms(PATIENCE);
	struct record_link AUTO_RECORD link;
	struct record record = witness_solo();

	record_begin(&link, &witness.n[0], SYSTEM);
	assert_int_equal(record_pair(&link, &record, &record, &dl), 0);
	assert_refused(&record, "");
	assert_true(record.paired);
	return record;
}
