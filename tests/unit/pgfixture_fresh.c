/* SPDX-License-Identifier: PostgreSQL */
#include "pgfixture_fresh.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "pgfixture_os.h"

static const char role[] =
    "CREATE ROLE pgvrrp LOGIN REPLICATION PASSWORD '" PGFIXTURE_PASS "';"
    "GRANT pg_monitor TO pgvrrp;"
    "GRANT ALTER SYSTEM ON PARAMETER primary_conninfo, primary_slot_name,"
    " synchronous_standby_names TO pgvrrp;"
    "GRANT EXECUTE ON FUNCTION pg_catalog.pg_reload_conf(),"
    " pg_catalog.pg_show_all_file_settings() TO pgvrrp;"
    "GRANT EXECUTE ON FUNCTION pg_catalog.pg_promote(boolean, integer) TO pgvrrp;"
    "GRANT EXECUTE ON FUNCTION pg_catalog.pg_ls_dir(text, boolean, boolean) TO pgvrrp;"
    "GRANT EXECUTE ON FUNCTION pg_catalog.pg_stat_file(text, boolean) TO pgvrrp;"
    "GRANT EXECUTE ON FUNCTION pg_catalog.pg_read_binary_file(text) TO pgvrrp;"
    "GRANT EXECUTE ON FUNCTION pg_catalog.pg_read_binary_file(text, bigint, bigint, boolean)"
    " TO pgvrrp;";

static const char *const options[] = {
	"--no-sync",       "-U", OWNER,  "-A",         "trust",
	"--wal-segsize=1", "-E", "UTF8", "--locale=C", "-D",
};

/* FNV-1a: a copy that was made in another way has another name. */
static void stir(uint64_t *hash, const char *text)
{
	for (; *text != '\0'; text++)
		*hash = (*hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
}

/* BUILD/fresh/HASH of a test that is BUILD/tests/NAME. */
static int kept_path(char path[PATH_MAX], const char *bin_dir)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	char self[PATH_MAX - 32]; /* leaves room for what is added */
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *tests;

	if (length < 0)
		return -errno;
	self[length] = '\0';
	tests = strstr(self, "/tests/test_");
	if (tests == NULL)
		return -ENOENT;
	*tests = '\0';
	stir(&hash, bin_dir);
	stir(&hash, role);
	for (size_t i = 0; i < ARRAY_COUNT(options); i++)
		stir(&hash, options[i]);
	(void)snprintf(path, PATH_MAX, "%s/fresh", self);
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return -errno;
	(void)snprintf(path, PATH_MAX, "%s/fresh/%016" PRIx64, self, hash);
	return 0;
}

static int copy(const char *from, const char *to)
{
	const char *const argv[] = { "/bin/cp", "-a", "--", from, to, NULL };
	char out[512];

	return os_run(argv, false, NULL, out, sizeof(out)) == 0 ? 0 : -EIO;
}

static void drop(const char *path)
{
	const char *const argv[] = { "/bin/rm", "-rf", "--", path, NULL };
	char out[512];

	if (os_run(argv, false, NULL, out, sizeof(out)) != 0)
		(void)fprintf(stderr, "pgfixture: could not remove %s\n", path);
}

/* Single-user mode: no start and stop of a server only to create a role. */
static int create_role(const struct pgfixture *fixture)
{
	char program[96];
	char path[96];
	const char *const argv[] = { program,    "--single",
				     "-c",       "exit_on_error=on",
				     "-c",       "log_checkpoints=off",
				     "-D",       fixture->cfg[0].data_dir,
				     "postgres", NULL };

	(void)snprintf(program, sizeof(program), "%s/postgres", fixture->bin_dir);
	(void)snprintf(path, sizeof(path), "%s/role.sql", fixture->dir);
	if (os_write(path, role, false) < 0)
		return -EIO;
	return os_must_run(argv, path);
}

static int make(const struct pgfixture *fixture)
{
	const char *argv[ARRAY_COUNT(options) + 3] = { NULL };
	char program[96];
	int rc;

	(void)snprintf(program, sizeof(program), "%s/initdb", fixture->bin_dir);
	argv[0] = program;
	memcpy(&argv[1], options, sizeof(options));
	argv[ARRAY_COUNT(options) + 1] = fixture->cfg[0].data_dir;
	rc = os_must_run(argv, NULL);
	return rc == 0 ? create_role(fixture) : rc;
}

/* Under its name only when it is whole; another test may have been quicker, or be at it. */
static void keep(const char *data_dir, const char *kept)
{
	char half[PATH_MAX + 32];

	(void)snprintf(half, sizeof(half), "%s.%d", kept, (int)getpid());
	if (copy(data_dir, half) < 0 || rename(half, kept) < 0)
		drop(half);
}

int pgfixture_fresh(const struct pgfixture *fixture)
{
	const char *data_dir = fixture->cfg[0].data_dir;
	char kept[PATH_MAX];
	bool keeps = kept_path(kept, fixture->bin_dir) == 0;
	int rc;

	if (keeps && access(kept, F_OK) == 0)
		return copy(kept, data_dir);
	rc = make(fixture);
	if (rc == 0 && keeps)
		keep(data_dir, kept);
	return rc;
}
