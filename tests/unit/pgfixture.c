/* SPDX-License-Identifier: PostgreSQL */
#include "pgfixture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/deadline.h"
#include "pgfixture_fresh.h"
#include "pgfixture_os.h"

/* Shorter than on a real host, so that a test need not wait for PostgreSQL's own patience; and no
 * shared memory with a name, which a server that is killed would leave in /dev/shm for ever. */
static const char settings[] = "fsync = off\n"
			       "max_connections = 20\n"
			       "shared_buffers = 8MB\n"
			       "dynamic_shared_memory_type = mmap\n"
			       "wal_level = replica\n"
			       "wal_log_hints = on\n"
			       "wal_keep_size = 64MB\n"
			       "max_wal_size = 64MB\n"
			       "hot_standby = on\n"
			       "wal_receiver_status_interval = 1s\n"
			       "wal_retrieve_retry_interval = 100ms\n"
			       "log_min_messages = warning\n";

static const char hba[] = "local all postgres trust\n"
			  "local all pgvrrp peer map=helpers\n"
			  "host all pgvrrp 10.99.0.0/24 scram-sha-256\n"
			  "host replication pgvrrp 10.99.0.0/24 scram-sha-256\n";

static const char ident[] = "helpers root pgvrrp\n"
			    "helpers postgres pgvrrp\n";

/* What cfg_load would have made of a complete file; both nodes alike but for self and
 * the places. */
static void fill_cfg(struct pgfixture *fixture, size_t self)
{
	struct cfg *cfg = &fixture->cfg[self];
	char place[sizeof(fixture->dir) + 8];

	*cfg = (struct cfg){
		.name = "test",
		.vip = "10.99.0.100",
		.vip_prefix = 24,
		.interface = "lo",
		.virtual_router_id = 51,
		.nodes = { { .name = "n1", .interface = "lo", .ssh_port = 22 },
			   { .name = "n2", .interface = "lo", .ssh_port = 22 } },
		.self = self,
		.witness_kind = WITNESS_PING,
		.port = PGFIXTURE_PORT,
		.os_user = OWNER,
		.role = "pgvrrp",
		.database = "postgres",
		.mode = MODE_ASYNC,
		.max_lag_bytes = 16 << 20,
		.max_staleness_ms = 300000,
		.salvage_keep = 10,
		.salvage_max_bytes = 1 << 30,
		.methods = { FENCING_SSH, FENCING_SSH_WITNESS },
		.method_count = 2,
		.lease_ms = 5000,
		.margin_ms = 1000,
		.renew_interval_ms = 1000,
		.stop_fast_ms = 500,
		.stop_immediate_ms = 300,
		.check_budget_ms = 800,
		.probe_timeout_ms = 250,
		.fence_budget_ms = 10000,
		.promote_budget_ms = 60000,
		.rejoin_budget_ms = 3600000,
		.restart_wait_ms = 10000,
		.retry_interval_ms = 2000,
		.advert_interval_ms = 100,
	};
	for (size_t i = 0; i < CFG_NODES; i++)
		(void)snprintf(cfg->nodes[i].address, sizeof(cfg->nodes[i].address), "%s",
			       os_addresses[i]);
	(void)snprintf(cfg->witness_address, sizeof(cfg->witness_address), "%s", os_addresses[2]);
	cfg->version = strtol(fixture->bin_dir + strlen("/usr/lib/postgresql/"), NULL, 10);
	(void)snprintf(cfg->bin_dir, sizeof(cfg->bin_dir), "%s", fixture->bin_dir);
	(void)snprintf(place, sizeof(place), "%s", fixture->dir);
	(void)snprintf(cfg->passfile, sizeof(cfg->passfile), "%s/pgpass", place);
	(void)snprintf(place, sizeof(place), "%s/%s", fixture->dir, self == 0 ? "n1" : "n2");
	(void)snprintf(cfg->socket_dir, sizeof(cfg->socket_dir), "%s", place);
	(void)snprintf(cfg->data_dir, sizeof(cfg->data_dir), "%s/data", place);
	(void)snprintf(cfg->log_file, sizeof(cfg->log_file), "%s/log", place);
	(void)snprintf(cfg->run_dir, sizeof(cfg->run_dir), "%s/run", place);
	(void)snprintf(cfg->state_dir, sizeof(cfg->state_dir), "%s/state", place);
}

static int make_dirs(struct pgfixture *fixture)
{
	char path[128];
	int rc;

	(void)snprintf(fixture->dir, sizeof(fixture->dir), "/tmp/pgfixture.XXXXXX");
	if (mkdtemp(fixture->dir) == NULL)
		return -errno;
	rc = os_give_directory(fixture->dir);
	for (size_t node = 0; node < CFG_NODES && rc == 0; node++) {
		(void)snprintf(path, sizeof(path), "%s/n%u", fixture->dir, (unsigned)node + 1);
		rc = os_give_directory(path);
	}
	(void)snprintf(path, sizeof(path), "%s/pgpass", fixture->dir);
	return rc < 0 ? rc : os_write(path, "*:*:*:pgvrrp:" PGFIXTURE_PASS "\n", false);
}

/* What differs between the nodes; appended after a clone too, the last line wins. */
static int configure_place(const struct pgfixture *fixture, size_t node)
{
	const struct cfg *cfg = &fixture->cfg[node];
	char lines[1024];

	(void)snprintf(lines, sizeof(lines),
		       "listen_addresses = '%s'\nport = %d\nunix_socket_directories = '%s'\n"
		       "cluster_name = '%s'\n",
		       cfg->nodes[node].address, PGFIXTURE_PORT, cfg->socket_dir,
		       cfg->nodes[node].name);
	return pgfixture_configure(fixture, node, lines);
}

int pgfixture_configure(const struct pgfixture *fixture, size_t node, const char *lines)
{
	char path[CFG_PATH_MAX + 32];

	(void)snprintf(path, sizeof(path), "%s/postgresql.conf", fixture->cfg[node].data_dir);
	return os_write(path, lines, true);
}

int pgfixture_init(struct pgfixture *fixture)
{
	char path[CFG_PATH_MAX + 32];
	int rc;

	memset(fixture, 0, sizeof(*fixture));
	rc = os_bin_dir(fixture->bin_dir, sizeof(fixture->bin_dir));
	if (rc == 0)
		rc = make_dirs(fixture);
	if (rc < 0)
		return os_complain("make directories", rc);
	fill_cfg(fixture, 0);
	fill_cfg(fixture, 1);
	rc = pgfixture_fresh(fixture);
	if (rc == 0)
		rc = pgfixture_configure(fixture, 0, settings);
	if (rc == 0)
		rc = configure_place(fixture, 0);
	(void)snprintf(path, sizeof(path), "%s/pg_hba.conf", fixture->cfg[0].data_dir);
	if (rc == 0)
		rc = os_write(path, hba, false);
	(void)snprintf(path, sizeof(path), "%s/pg_ident.conf", fixture->cfg[0].data_dir);
	if (rc == 0)
		rc = os_write(path, ident, false);
	return rc;
}

int pgfixture_clone(struct pgfixture *fixture)
{
	char program[96];
	char conninfo[512];
	const char *const argv[] = {
		program, "--no-sync", "-c", "fast", "-R", "-D", fixture->cfg[1].data_dir,
		"-d",    conninfo,    NULL
	};
	int rc;

	(void)snprintf(program, sizeof(program), "%s/pg_basebackup", fixture->bin_dir);
	(void)snprintf(conninfo, sizeof(conninfo),
		       "host=%s port=%d user=pgvrrp passfile=%s application_name=n2",
		       os_addresses[0], PGFIXTURE_PORT, fixture->cfg[1].passfile);
	rc = os_must_run(argv, NULL);
	if (rc == 0)
		rc = configure_place(fixture, 1);
	return rc;
}

int pgfixture_pair(struct pgfixture *fixture)
{
	int rc = pgfixture_init(fixture);

	if (rc == 0)
		rc = pgfixture_start(fixture, 0, true);
	if (rc == 0)
		rc = pgfixture_clone(fixture);
	if (rc == 0)
		rc = pgfixture_start(fixture, 1, true);
	if (rc == 0)
		rc = pgfixture_until(fixture, 0,
				     "SELECT state FROM pg_stat_replication"
				     " WHERE application_name = 'n2'",
				     "streaming");
	return rc;
}

/* The last line of postmaster.pid says what the server is up to. */
static bool accepts(const struct pgfixture *fixture, size_t node)
{
	char path[CFG_PATH_MAX + 32];
	char text[512] = "";
	ssize_t got = -1;
	int AUTO_FD fd = -1;

	(void)snprintf(path, sizeof(path), "%s/postmaster.pid", fixture->cfg[node].data_dir);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		got = read(fd, text, sizeof(text) - 1);
	return got > 0 && strtol(text, NULL, 10) == fixture->postmaster[node] &&
	       strstr(text, "\nready") != NULL;
}

/* A server that does not start says why in its log, which goes with the test's directory. */
static int not_started(const struct pgfixture *fixture, size_t node, const char *what)
{
	FILE AUTO_FILE *log = fopen(fixture->cfg[node].log_file, "re");
	char line[512];

	(void)fprintf(stderr, "pgfixture: start of a server: %s; the end of its log:\n", what);
	if (log != NULL && fseek(log, -1000, SEEK_END) == 0)
		while (fgets(line, sizeof(line), log) != NULL)
			(void)fputs(line, stderr);
	return -ETIMEDOUT;
}

int pgfixture_start(struct pgfixture *fixture, size_t node, bool wait)
{
	const pid_t parent = getpid();
	char program[96];
	const char *const argv[] = { program, "-D", fixture->cfg[node].data_dir, NULL };
	pid_t pid;

	(void)snprintf(program, sizeof(program), "%s/postgres", fixture->bin_dir);
	pid = fork();
	if (pid < 0)
		return os_complain("fork", -errno);
	if (pid == 0) {
		int log = open(fixture->cfg[node].log_file,
			       O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);

		/* The next one may be started by who is tested, as another user. */
		(void)fchmod(log, 0666);
		(void)dup2(log, STDOUT_FILENO);
		(void)dup2(log, STDERR_FILENO);
		(void)setsid();
		os_child(argv, true, NULL, parent);
	}
	fixture->postmaster[node] = pid;
	for (int round = 0; wait && !accepts(fixture, node); round++) {
		if (round > 4000)
			return not_started(fixture, node, "it is not ready yet");
		if (waitpid(pid, NULL, WNOHANG) == pid)
			return not_started(fixture, node, "it ended");
		os_pause_ms(5);
	}
	return 0;
}

int pgfixture_stop(struct pgfixture *fixture, size_t node, int signal)
{
	const pid_t pid = fixture->postmaster[node];

	if (pid == 0)
		return 0;
	if (kill(pid, signal) < 0)
		return os_complain("stop of a server", -errno);
	(void)kill(pid, SIGCONT);
	fixture->postmaster[node] = 0;
	return os_reap(pid) < 0 ? -ECHILD : 0;
}

int pgfixture_sql(const struct pgfixture *fixture, size_t node, const char *sql, char *out,
		  size_t size)
{
	char program[96];
	char port[16];
	const char *const argv[] = { program, "-XAtq", "-v", "ON_ERROR_STOP=1",
				     "-U",    OWNER,   "-h", fixture->cfg[node].socket_dir,
				     "-p",    port,    "-d", "postgres",
				     "-c",    sql,     NULL };
	int rc;

	(void)snprintf(program, sizeof(program), "%s/psql", fixture->bin_dir);
	(void)snprintf(port, sizeof(port), "%d", PGFIXTURE_PORT);
	rc = os_run(argv, true, NULL, out, size);
	return rc == 0 ? 0 : -EPROTO;
}

int pgfixture_until(const struct pgfixture *fixture, size_t node, const char *sql,
		    const char *wanted)
{
	const struct deadline dl = deadline_in_ms(10000);
	char got[512] = "";

	while (!deadline_passed(&dl)) {
		if (pgfixture_sql(fixture, node, sql, got, sizeof(got)) == 0 &&
		    strcmp(got, wanted) == 0)
			return 0;
		os_pause_ms(20);
	}
	(void)fprintf(stderr, "pgfixture: wanted \"%s\", got \"%s\": %s\n", wanted, got, sql);
	return -ETIMEDOUT;
}

void pgfixture_end(struct pgfixture *fixture)
{
	const char *const argv[] = { "/bin/rm", "-rf", fixture->dir, NULL };

	for (size_t node = 0; node < CFG_NODES; node++) {
		if (pgfixture_stop(fixture, node, SIGQUIT) < 0)
			(void)os_complain("end", -ECHILD);
		if (fixture->dir[0] != '\0')
			os_end_server(fixture->cfg[node].data_dir);
	}
	if (fixture->dir[0] != '\0' && os_run(argv, false, NULL, NULL, 0) != 0)
		(void)os_complain(fixture->dir, -EIO);
	memset(fixture, 0, sizeof(*fixture));
}
