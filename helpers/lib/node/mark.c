/* SPDX-License-Identifier: PostgreSQL */
/* Marks that survive reboots: fenced, withdrawn, rewinding, baseline. */
#include "node/mark.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/state.h"
#include "base/text.h"
#include "node/boot_file.h"
#include "node/path.h"

/* The fenced mark in a data directory. */
#define FENCED_DATA "pg_vrrp.fenced"

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
	if (*rc == 0 || *rc == -EINVAL || *rc == -EFBIG || *rc == -ELOOP)
		return FACT_YES;
	if (*rc == -ENOENT && state_exists(directory) == 1)
		return FACT_NO;
	return FACT_UNKNOWN;
}

static enum fact mark_read(const struct cfg *cfg, enum mark mark, char *text, size_t size)
{
	int rc;

	return mark_at(file_mark(cfg, mark).text, cfg->state_dir, text, size, &rc);
}

static const char *const by_words[] = {
	[FENCED_BY_UNKNOWN] = "unknown",
	[FENCED_BY_GUARD] = "guard",
	[FENCED_BY_OPERATOR] = "operator",
	[FENCED_BY_PEER] = "peer",
};

const char *fenced_by_word(enum fenced_by by)
{
	return (size_t)by < ARRAY_COUNT(by_words) ? by_words[by] : by_words[FENCED_BY_UNKNOWN];
}

static enum fenced_by by_of(const char *text)
{
	char word[32];

	if (state_get(text, "by", word, sizeof(word)) < 0)
		return FENCED_BY_UNKNOWN;
	for (size_t i = 0; i < ARRAY_COUNT(by_words); i++) {
		if (strcmp(word, by_words[i]) == 0)
			return (enum fenced_by)i;
	}
	return FENCED_BY_UNKNOWN;
}

struct fenced_mark fenced_read(const struct cfg *cfg)
{
	struct fenced_mark mark = { 0 };
	char text[STATE_TEXT_MAX];
	int rc, other_rc;

	mark.present =
	    mark_at(file_mark(cfg, MARK_FENCED).text, cfg->state_dir, text, sizeof(text), &rc);
	mark.lasts = mark.present == FACT_YES;
	if (!mark.lasts)
		mark.lasts = mark_at(file_data(cfg, FENCED_DATA).text, cfg->data_dir, text,
				     sizeof(text), &other_rc) == FACT_YES;
	if (mark.lasts || mark_at(file_run(cfg, mark_word(MARK_FENCED)).text, cfg->run_dir, text,
				  sizeof(text), &other_rc) == FACT_YES)
		mark.present = FACT_YES;
	if (mark.present == FACT_UNKNOWN)
		(void)snprintf(mark.reason, sizeof(mark.reason), "state_dir: %s", strerror(-rc));
	if (mark.present != FACT_YES)
		return mark;
	if (state_get(text, "reason", mark.reason, sizeof(mark.reason)) < 0)
		(void)snprintf(mark.reason, sizeof(mark.reason), "the mark cannot be read");
	mark.by = by_of(text);
	return mark;
}

/* The server's user must be able to take it away with the rest of the directory (pg_rewind). */
static int write_beside_data(const struct cfg *cfg, const char *name, const char *text)
{
	struct file_path path = file_data(cfg, name);
	struct stat owner;
	int rc = stat(cfg->data_dir, &owner) < 0 ? -errno : 0;

	if (rc == 0)
		rc = state_write(path.text, text, 0644, true);
	/* lchown(2), because the server's user may put a link in its place at any moment. */
	if (rc == 0 && lchown(path.text, owner.st_uid, owner.st_gid) < 0)
		log_warning("could not give %s to its directory's owner: %s", path.text,
			    strerror(errno));
	return rc;
}

int fenced_write(const struct cfg *cfg, const char *reason, enum fenced_by by)
{
	char clean[sizeof(((struct fenced_mark *)NULL)->reason)], text[512], at[32];
	int rc, run_rc, data_rc = 0;

	text_clean(clean, sizeof(clean), reason);
	text_wall_clock(at, sizeof(at));
	(void)snprintf(text, sizeof(text), "reason=%s\nby=%s\nat=%s\n", clean, fenced_by_word(by),
		       at);
	rc = state_write(file_mark(cfg, MARK_FENCED).text, text, 0644, true);
	run_rc = state_write(file_run(cfg, mark_word(MARK_FENCED)).text, text, 0644, false);
	if (rc == 0)
		return 0;
	data_rc = write_beside_data(cfg, FENCED_DATA, text);
	if (data_rc == 0)
		log_warning("could not write the fenced mark in state_dir: %s; it stands in the "
			    "data directory",
			    strerror(-rc));
	else if (run_rc == 0)
		log_warning("could not write the fenced mark in state_dir: %s; it holds until this "
			    "host is rebooted",
			    strerror(-rc));
	return run_rc == 0 || data_rc == 0 ? 0 : rc;
}

int fenced_clear(const struct cfg *cfg)
{
	int rc = state_remove(file_mark(cfg, MARK_FENCED).text, true);

	if (rc == 0 && state_exists(file_data(cfg, FENCED_DATA).text) != 0)
		rc = state_remove(file_data(cfg, FENCED_DATA).text, true);
	return rc < 0 ? rc : state_remove(file_run(cfg, mark_word(MARK_FENCED)).text, false);
}

enum fact withdrawn_read(const struct cfg *cfg, char *conninfo, size_t size)
{
	char text[STATE_TEXT_MAX];
	enum fact present = mark_read(cfg, MARK_WITHDRAWN, text, sizeof(text));

	conninfo[0] = '\0';
	if (present == FACT_YES && state_get(text, "conninfo", conninfo, size) < 0)
		conninfo[0] = '\0';
	if (present != FACT_YES && state_exists(file_data(cfg, WITHDRAWN_DATA).text) == 1)
		present = FACT_YES;
	return present;
}

int withdrawn_write(const struct cfg *cfg, const char *conninfo)
{
	char text[STATE_TEXT_MAX], at[32], beside[64];
	int length = snprintf(text, sizeof(text), "conninfo=%s\n", conninfo);
	int rc;

	if (strpbrk(conninfo, "\r\n") != NULL)
		return -EINVAL;
	if (length < 0 || (size_t)length >= sizeof(text))
		return -EFBIG;
	/* A conninfo may hold a password that an operator put there. */
	rc = state_write(file_mark(cfg, MARK_WITHDRAWN).text, text, 0600, true);
	if (rc < 0)
		return rc;
	text_wall_clock(at, sizeof(at));
	(void)snprintf(beside, sizeof(beside), "at=%s\n", at);
	/* Without it the vote is withdrawn all the same, where the server takes a reload: whether
	 * it is, the server is asked. */
	rc = write_beside_data(cfg, WITHDRAWN_DATA, beside);
	if (rc < 0)
		log_warning("could not write %s in the data directory: %s", WITHDRAWN_DATA,
			    strerror(-rc));
	return 0;
}

/* Removes the mark that the other node goes by first, then the one that gives the vote back. */
int withdrawn_clear(const struct cfg *cfg)
{
	struct file_path beside = file_data(cfg, WITHDRAWN_DATA);
	int rc = state_exists(beside.text) != 0 ? state_remove(beside.text, true) : 0;

	/* No directory, no mark in it. */
	if (rc == -ENOTDIR || rc == -ENOENT)
		rc = 0;
	return rc < 0 ? rc : state_remove(file_mark(cfg, MARK_WITHDRAWN).text, true);
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

	mark.present = mark_read(cfg, MARK_REWINDING, text, sizeof(text));
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
	return state_write(file_mark(cfg, MARK_REWINDING).text, text, 0644, true);
}

int rewinding_clear(const struct cfg *cfg)
{
	return state_remove(file_mark(cfg, MARK_REWINDING).text, true);
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
	text_wall_clock(at, sizeof(at));
	(void)snprintf(text, sizeof(text), "address=%s\nwitness=%s\nat=%s\n", today->address,
		       cfg->witness_address, at);
	return state_write(baseline_path(cfg, node).text, text, 0644, true);
}
