/* SPDX-License-Identifier: PostgreSQL */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/proc.h"
#include "postgres/pgctl.h"
#include "postgres/pgdata.h"
#include "postgres/server.h"
#include "postgres/unit.h"

/* How often a server that starts is asked whether it takes connections yet. */
#define ASK_AGAIN_MS 100
/* The bound of each question: a local connection, within the caller's deadline. */
#define ASK_MS 2000

/*
 * The log file belongs to the server's user, below a directory that may belong to root; so root
 * makes it.  One that is there is left alone.
 */
static int log_prepare(const struct cfg *cfg)
{
	AUTO_FD int fd =
	    open(cfg->log_file, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640);
	struct stat owner;

	if (fd < 0)
		return errno == EEXIST ? 0 : -errno;
	if (stat(cfg->data_dir, &owner) < 0 || fchown(fd, owner.st_uid, owner.st_gid) < 0) {
		int rc = -errno;

		/* Else the next run would find a file that the server cannot write. */
		(void)unlink(cfg->log_file);
		return rc;
	}
	return 0;
}

/* pg_ctl hands -o to a shell. */
static int server_options(char *text, size_t size, const struct cfg *cfg)
{
	int length;

	text[0] = '\0';
	if (cfg->config_file[0] == '\0')
		return 0;
	if (strpbrk(cfg->config_file, "'\\\n") != NULL)
		return -EINVAL;
	length = snprintf(text, size, "-c 'config_file=%s'", cfg->config_file);
	return length < 0 || (size_t)length >= size ? -ENAMETOOLONG : 0;
}

static void log_lines(char *text)
{
	while (text != NULL) {
		const char *line = strsep(&text, "\n");

		if (line[0] != '\0')
			log_warning("%s", line);
	}
}

/* Runs pg_ctl until it says that the server is there, or has ended. */
static int run_pg_ctl(const struct cfg *cfg, const struct deadline *dl)
{
	char program[CFG_PATH_MAX + 16], options[CFG_PATH_MAX + 32], seconds[24];
	const char *argv[] = { program, "start", "-D",    cfg->data_dir, "-l", cfg->log_file, "-s",
			       "-w",    "-t",    seconds, NULL,          NULL, NULL };
	const struct proc_spec spec = { .argv = argv, .as_user = cfg->os_user };
	struct proc AUTO_PROC child = PROC_NONE;
	int rc = server_options(options, sizeof(options), cfg);

	if (rc < 0)
		return rc;
	(void)snprintf(program, sizeof(program), "%s/pg_ctl", cfg->bin_dir);
	/* Our own deadline comes first. */
	(void)snprintf(seconds, sizeof(seconds), "%" PRId64, deadline_left_ms(dl) / 1000 + 5);
	if (options[0] != '\0') {
		argv[10] = "-o";
		argv[11] = options;
	}
	/* When we die, or give up, pg_ctl dies too, but not the server: it is in a session of its
	 * own, and PR_SET_PDEATHSIG is not inherited by the child of a child (prctl(2)). */
	rc = proc_run(&child, &spec, dl);
	if (rc < 0)
		return rc;
	if (child.exit_code == 0)
		return 0;
	/* Why the server ended is in its log; why it could not even be run, or could not write
	 * there, is here. */
	log_warning("pg_ctl start: exit code %d; see %s", child.exit_code, cfg->log_file);
	log_lines(child.errors);
	return -ECHILD;
}

/* Does it take connections?  0 it does, -EAGAIN not yet, -ECHILD it is gone. */
static int look(const struct cfg *cfg, const struct deadline *dl)
{
	struct deadline once = deadline_sooner(dl, ASK_MS);
	struct server server;
	int fd;
	pid_t pid;

	server_ask(&server, cfg, PG_LOCAL, &once);
	if (server.state == SERVER_PRIMARY || server.state == SERVER_STANDBY)
		return 0;
	if (server.state == SERVER_REFUSES) {
		log_warning("the server runs, but not for us: %s", server.why);
		return 0;
	}
	fd = pgdata_postmaster(cfg, &pid);
	if (fd == -ENOENT)
		return -ECHILD;
	if (fd >= 0)
		(void)close(fd);
	return server.state == SERVER_STARTING ? -EALREADY : -EAGAIN;
}

/* Ours ended because another was quicker: a run of ours that was killed may have left one that was
 * not to be seen yet.  PostgreSQL's own lock lets only one of them through. */
static bool another_runs(const struct cfg *cfg)
{
	pid_t pid;
	AUTO_FD int fd = pgdata_postmaster(cfg, &pid);

	if (fd >= 0)
		log_info("a server that was started before is there, pid %d", (int)pid);
	return fd >= 0;
}

int pgctl_start(const struct cfg *cfg, const struct deadline *dl)
{
	int rc = unit_is_used(cfg) ? unit_start(cfg, dl) : log_prepare(cfg);

	if (rc == 0 && !unit_is_used(cfg))
		rc = run_pg_ctl(cfg, dl);
	if (rc == -ECHILD && another_runs(cfg))
		rc = 0;
	if (rc < 0 && rc != -ETIMEDOUT)
		return rc;
	/* At the deadline it is still asked once: starting is not failing. */
	for (bool late = false;; late = deadline_passed(dl)) {
		struct deadline soon = deadline_sooner(dl, ASK_AGAIN_MS);
		struct deadline last = deadline_in_ms(ASK_AGAIN_MS);

		rc = look(cfg, deadline_passed(dl) ? &last : dl);
		if (rc == 0 || rc == -ECHILD)
			return rc;
		if (late)
			return rc == -EALREADY ? 0 : -ETIMEDOUT;
		deadline_sleep(&soon);
	}
}
