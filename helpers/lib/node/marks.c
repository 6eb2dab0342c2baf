/* SPDX-License-Identifier: PostgreSQL */
/* Marks that survive reboots: fenced, withdrawn, rewinding, baseline. */
#include "node/files.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/state.h"

/*
 * Reads a mark.  NO only when the file is absent from a directory that is there: a state directory
 * that is missing (not mounted, not made yet) says nothing.  A file that is there in whatever
 * condition is YES; text is then "" unless it could be read.
 */
static enum fact mark_at(const char *path, const char *directory, char *text, size_t size, int *rc)
{
	*rc = state_read(path, text, size);
	if (*rc < 0)
		text[0] = '\0';
	if (*rc == 0 || *rc == -EINVAL || *rc == -EFBIG)
		return FACT_YES;
	if (*rc == -ENOENT && state_exists(directory) == 1)
		return FACT_NO;
	return FACT_UNKNOWN;
}

static enum fact mark_read(const struct cfg *cfg, const char *name, char *text, size_t size)
{
	int rc;

	return mark_at(file_state(cfg, name).text, cfg->state_dir, text, size, &rc);
}

struct fenced_mark fenced_read(const struct cfg *cfg)
{
	struct fenced_mark mark = { 0 };
	char text[STATE_TEXT_MAX];
	int rc, run_rc;

	mark.present =
	    mark_at(file_state(cfg, "fenced").text, cfg->state_dir, text, sizeof(text), &rc);
	if (mark.present != FACT_YES && mark_at(file_run(cfg, "fenced").text, cfg->run_dir, text,
						sizeof(text), &run_rc) == FACT_YES)
		mark.present = FACT_YES;
	if (mark.present == FACT_UNKNOWN)
		(void)snprintf(mark.reason, sizeof(mark.reason), "state_dir: %s", strerror(-rc));
	if (mark.present != FACT_YES)
		return mark;
	if (state_get(text, "reason", mark.reason, sizeof(mark.reason)) < 0)
		(void)snprintf(mark.reason, sizeof(mark.reason), "the mark cannot be read");
	if (state_get(text, "by", mark.by, sizeof(mark.by)) < 0)
		mark.by[0] = '\0';
	return mark;
}

int fenced_write(const struct cfg *cfg, const char *reason, const char *by)
{
	struct fenced_mark mark = { 0 };
	char text[512], at[32];
	int rc, run_rc;

	file_clean(mark.reason, sizeof(mark.reason), reason);
	file_clean(mark.by, sizeof(mark.by), by);
	file_wall_clock(at, sizeof(at));
	(void)snprintf(text, sizeof(text), "reason=%s\nby=%s\nat=%s\n", mark.reason, mark.by, at);
	rc = state_write(file_state(cfg, "fenced").text, text, 0644, true);
	run_rc = state_write(file_run(cfg, "fenced").text, text, 0644, false);
	if (rc < 0 && run_rc == 0)
		log_warning("could not write the fenced mark in state_dir: %s; it holds until this "
			    "host is rebooted",
			    strerror(-rc));
	return run_rc == 0 ? 0 : rc;
}

int fenced_clear(const struct cfg *cfg)
{
	int rc = state_remove(file_state(cfg, "fenced").text, true);

	return rc < 0 ? rc : state_remove(file_run(cfg, "fenced").text, false);
}

enum fact withdrawn_read(const struct cfg *cfg, char *conninfo, size_t size)
{
	char text[STATE_TEXT_MAX];
	enum fact present = mark_read(cfg, "withdrawn", text, sizeof(text));

	conninfo[0] = '\0';
	if (present == FACT_YES && state_get(text, "conninfo", conninfo, size) < 0)
		conninfo[0] = '\0';
	return present;
}

int withdrawn_write(const struct cfg *cfg, const char *conninfo)
{
	char text[STATE_TEXT_MAX];
	int length = snprintf(text, sizeof(text), "conninfo=%s\n", conninfo);

	if (strpbrk(conninfo, "\r\n") != NULL)
		return -EINVAL;
	if (length < 0 || (size_t)length >= sizeof(text))
		return -EFBIG;
	/* A conninfo may hold a password that an operator put there. */
	return state_write(file_state(cfg, "withdrawn").text, text, 0600, true);
}

int withdrawn_clear(const struct cfg *cfg)
{
	return state_remove(file_state(cfg, "withdrawn").text, true);
}

/*
 * Which data directory it is: pg_rewind writes into the control file that is there, a base backup
 * makes a new one.  Inodes are used again, so its time of birth counts too (statx(2); 0 where the
 * file system has none).  "" when there is none.
 */
static void directory_identity(const struct cfg *cfg, char *text, size_t size)
{
	char path[CFG_PATH_MAX + 32];
	struct statx status;

	text[0] = '\0';
	(void)snprintf(path, sizeof(path), "%s/global/pg_control", cfg->data_dir);
	if (statx(AT_FDCWD, path, 0, STATX_INO | STATX_BTIME, &status) < 0)
		return;
	if ((status.stx_mask & STATX_BTIME) == 0)
		status.stx_btime = (struct statx_timestamp){ 0 };
	(void)snprintf(text, size, "%u:%u:%" PRIu64 ":%" PRId64 ".%u", status.stx_dev_major,
		       status.stx_dev_minor, (uint64_t)status.stx_ino,
		       (int64_t)status.stx_btime.tv_sec, status.stx_btime.tv_nsec);
}

struct rewinding_mark rewinding_read(const struct cfg *cfg)
{
	struct rewinding_mark mark = { 0 };
	char text[STATE_TEXT_MAX], value[128], boot[64], directory[128];

	mark.present = mark_read(cfg, "rewinding", text, sizeof(text));
	if (mark.present != FACT_YES)
		return mark;
	directory_identity(cfg, directory, sizeof(directory));
	if (directory[0] != '\0' && state_get(text, "directory", value, sizeof(value)) == 0 &&
	    value[0] != '\0' && strcmp(value, directory) != 0)
		return (struct rewinding_mark){ .present = FACT_NO };
	if (state_get_u64(text, "system", &mark.system_identifier) < 0)
		mark.system_identifier = 0;
	mark.done =
	    state_get(text, "phase", value, sizeof(value)) == 0 && strcmp(value, "done") == 0;
	mark.this_boot = boot_id(boot, sizeof(boot)) == 0 &&
			 state_get(text, "boot", value, sizeof(value)) == 0 &&
			 strcmp(value, boot) == 0;
	return mark;
}

int rewinding_write(const struct cfg *cfg, uint64_t system_identifier, bool done)
{
	char boot[64], directory[128], text[512];
	int rc = boot_id(boot, sizeof(boot));

	if (rc < 0)
		return rc;
	directory_identity(cfg, directory, sizeof(directory));
	(void)snprintf(text, sizeof(text), "system=%" PRIu64 "\nphase=%s\nboot=%s\ndirectory=%s\n",
		       system_identifier, done ? "done" : "begun", boot, directory);
	return state_write(file_state(cfg, "rewinding").text, text, 0644, true);
}

int rewinding_clear(const struct cfg *cfg)
{
	return state_remove(file_state(cfg, "rewinding").text, true);
}

static struct file_path baseline_path(const struct cfg *cfg, const char *node)
{
	char name[CFG_NAME_MAX + 16];

	(void)snprintf(name, sizeof(name), "baseline.%s", node);
	return file_state(cfg, name);
}

enum fact baseline_read(const struct cfg *cfg, const char *node)
{
	const struct cfg_node *today = cfg_node(cfg, node);
	char text[STATE_TEXT_MAX], address[CFG_ADDR_MAX], witness[CFG_TEXT_MAX];
	int rc = state_read(baseline_path(cfg, node).text, text, sizeof(text));

	if (rc == -ENOENT || today == NULL)
		return FACT_NO;
	if (rc == 0)
		rc = state_get(text, "address", address, sizeof(address));
	if (rc == 0)
		rc = state_get(text, "witness", witness, sizeof(witness));
	if (rc < 0)
		return FACT_UNKNOWN;
	return fact_of(strcmp(address, today->address) == 0 &&
		       strcmp(witness, cfg->witness_address) == 0);
}

int baseline_write(const struct cfg *cfg, const char *node)
{
	const struct cfg_node *today = cfg_node(cfg, node);
	char text[512], at[32];

	if (today == NULL)
		return -EINVAL;
	file_wall_clock(at, sizeof(at));
	(void)snprintf(text, sizeof(text), "address=%s\nwitness=%s\nat=%s\n", today->address,
		       cfg->witness_address, at);
	return state_write(baseline_path(cfg, node).text, text, 0644, true);
}
