/* SPDX-License-Identifier: PostgreSQL */
#include "guardnode.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/auto.h"
#include "controlfile.h"
#include "node/stamp.h"
#include "nodefiles.h"

struct guard guard;
pid_t server;

static struct cfg *const cfg = &nodefiles_cfg;
static char top[64];

struct file_path below(const char *name)
{
	struct file_path path;

	(void)snprintf(path.text, sizeof(path.text), "%s/%s", top, name);
	return path;
}

void begin_guard(void)
{
	guard = (struct guard){ .cfg = cfg, .pidfd = -1, .witness = PROBE_NONE, .fenced = FACT_NO };
}

int guardnode_set_up(void **unused)
{
	if (nodefiles_set_up(unused) < 0)
		return -1;
	server = 0;
	(void)snprintf(top, sizeof(top), "%.*s", (int)(strlen(cfg->run_dir) - strlen("/run")),
		       cfg->run_dir);
	(void)snprintf(cfg->data_dir, sizeof(cfg->data_dir), "%s/data", top);
	(void)snprintf(cfg->bin_dir, sizeof(cfg->bin_dir), "%s", top);
	cfg->witness_kind = WITNESS_POSTGRES;
	if (mkdir(cfg->data_dir, 0700) < 0 || mkdir(below("data/global").text, 0700) < 0 ||
	    symlink("/proc/self/exe", below("postgres").text) < 0)
		return -1;
	nodefiles_put(below("data/PG_VERSION"), "15\n");
	begin_guard();
	return 0;
}

void start_server(void)
{
	char text[32];

	assert_int_equal(chdir(cfg->data_dir), 0);
	server = fork();
	if (server == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			(void)pause();
	}
	assert_true(server > 0);
	assert_int_equal(chdir("/"), 0);
	(void)snprintf(text, sizeof(text), "%d\n", (int)server);
	nodefiles_put(below("data/postmaster.pid"), text);
}

void end_server(void)
{
	if (server > 0) {
		(void)kill(server, SIGKILL);
		(void)waitpid(server, NULL, 0);
	}
	server = 0;
}

int guardnode_tear_down(void **unused)
{
	static const char *const names[] = {
		"data/PG_VERSION",
		"data/postmaster.pid",
		"data/standby.signal",
		"data/recovery.signal",
		"data/global/pg_control",
		"data/pg_vrrp.leased",
		"data/global",
		"run/solo",
		"run/renewed",
		"run/stray",
		"run/promote.lock",
		"postgres",
	};

	end_server();
	if (guard.pidfd >= 0)
		(void)close(guard.pidfd);
	probe_close(&guard.witness);
	for (size_t i = 0; i < ARRAY_COUNT(names); i++)
		if (unlink(below(names[i]).text) < 0)
			(void)rmdir(below(names[i]).text);
	(void)rmdir(cfg->data_dir);
	return nodefiles_tear_down(unused);
}

void becomes(uint32_t state, const char *status)
{
	char text[100];

	controlfile_put(below("data/global/pg_control").text, state);
	(void)snprintf(text, sizeof(text), "%d\n/data\n1\n5432\n/run\n*\n  1 2\n%s\n", (int)server,
		       status);
	nodefiles_put(below("data/postmaster.pid"), text);
}

void stamp(enum stamp which, int64_t at_ms)
{
	assert_int_equal(stamp_write(cfg, which, at_ms, "word"), 0);
}

int64_t look(void)
{
	guard_look(&guard);
	return guard.lease.until_ms;
}
