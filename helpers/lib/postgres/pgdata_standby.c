/* SPDX-License-Identifier: PostgreSQL */
/* Turning a data directory whose server is down into a standby. */
#include "postgres/pgdata.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "postgres/pgdata_file.h"
#include "postgres/recovery_target.h"
#include "postgres/server_slots.h"

/* ALTER SYSTEM writes a few lines; a file larger than this is none that PostgreSQL wrote. */
#define AUTO_CONF_MAX (256 * 1024)
/* One setting: every byte of a conninfo may be one that is doubled, and the longest that we make is
 * well below half of this. */
#define SETTING_MAX 4096
/* primary_conninfo, recovery_target_timeline, and the targets that are overruled. */
#define ADDED_MAX (3 * SETTING_MAX)

const char *const recovery_targets[RECOVERY_TARGETS] = {
	"recovery_target",      "recovery_target_time", "recovery_target_xid",
	"recovery_target_name", "recovery_target_lsn",
};

static const char *const replaced[] = { "primary_conninfo", "recovery_target_timeline" };

/* Settings that a restore leaves behind, with which a standby would not follow to the end, or
 * not at once. */
static const char *const left_behind[] = {
	"recovery_target_inclusive",
	"recovery_target_action",
	"recovery_min_apply_delay",
};

/* Names are case-insensitive in PostgreSQL. */
static bool sets(const char *line, const char *name)
{
	const size_t length = strlen(name);

	return strncasecmp(line, name, length) == 0 && strchr(" \t='", line[length]) != NULL;
}

/*
 * The slot that this standby used last, or that the node used from which the settings were copied,
 * need not be there on the primary, and then nothing would stream.  replication_slots names it
 * again.
 */
static bool names_our_slot(const char *line)
{
	const char *value = strstr(line, SLOT_PREFIX);

	return sets(line, "primary_slot_name") && value != NULL &&
	       (size_t)(value - line) < strcspn(line, "\n");
}

static bool sets_any(const char *line, const char *const names[], size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (sets(line, names[i]))
			return true;
	}
	return false;
}

static bool sets_left_behind(const char *line)
{
	return sets_any(line, recovery_targets, RECOVERY_TARGETS) ||
	       sets_any(line, left_behind, ARRAY_COUNT(left_behind));
}

static bool sets_replaced(const char *line)
{
	return sets_any(line, replaced, ARRAY_COUNT(replaced)) || names_our_slot(line);
}

/* Lines, with the blanks before them: does it go? */
typedef bool line_goes(const char *line);

/* Copies the lines that stay; of those that go, the ones that say something are told. */
static size_t copy_kept(char *out, const char *text, line_goes *goes, char *taken, size_t size)
{
	size_t used = 0, told = 0;

	while (*text != '\0') {
		const char *line = text + strspn(text, " \t");
		size_t length = strcspn(text, "\n");

		if (!goes(line)) {
			memcpy(out + used, text, length);
			used += length;
			out[used++] = '\n';
		} else if (memmem(line, length - (size_t)(line - text), "''", 2) == NULL) {
			int more =
			    snprintf(taken + told, size - told, "%s%.*s", told > 0 ? "; " : "",
				     (int)(length - (size_t)(line - text)), line);

			told += more > 0 && (size_t)more < size - told ? (size_t)more : 0;
		}
		text += length + (text[length] == '\n' ? 1 : 0);
	}
	out[used] = '\0';
	taken[told] = '\0';
	return used;
}

/* name = 'value' as ALTER SYSTEM writes it: quotes and backslashes doubled. */
static int setting(char *out, size_t size, const char *name, const char *value)
{
	int used = snprintf(out, size, "%s = '", name);
	size_t at = (size_t)used;

	if (used < 0)
		return -EINVAL;
	for (; *value != '\0'; value++) {
		if ((unsigned char)*value < 0x20)
			return -EINVAL;
		if (at + 5 > size)
			return -EFBIG;
		if (*value == '\'' || *value == '\\')
			out[at++] = *value;
		out[at++] = *value;
	}
	out[at++] = '\'';
	out[at++] = '\n';
	out[at] = '\0';
	return 0;
}

static int take_away(int directory, const char *name)
{
	if (unlinkat(directory, name, 0) < 0)
		return errno == ENOENT ? 0 : -errno;
	return fsync(directory) < 0 ? -errno : 0;
}

/* Opens the directory and reads the file into *old; *new has room for it and for what is added.  A
 * descriptor of the directory, or -errno. */
static int auto_conf_open(const struct cfg *cfg, char **old, char **new)
{
	int directory = open(cfg->data_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc;

	if (directory < 0)
		return -errno;
	*old = malloc(AUTO_CONF_MAX);
	*new = malloc(AUTO_CONF_MAX + ADDED_MAX);
	if (*old == NULL || *new == NULL) {
		(void)close(directory);
		return -ENOMEM;
	}
	rc = pgdata_read(directory, "postgresql.auto.conf", *old, AUTO_CONF_MAX);
	if (rc == 0)
		return directory;
	(void)close(directory);
	return rc;
}

bool pgdata_auto_conf_sets(const struct cfg *cfg, const char *name)
{
	char AUTO_FREE *text = NULL;
	char AUTO_FREE *unused = NULL;
	AUTO_FD int directory = auto_conf_open(cfg, &text, &unused);

	if (directory < 0 || text == NULL)
		return false;
	for (const char *line = text; *line != '\0';) {
		if (sets(line + strspn(line, " \t"), name))
			return true;
		line += strcspn(line, "\n");
		line += *line == '\n' ? 1 : 0;
	}
	return false;
}

int pgdata_take_restore_settings(const struct cfg *cfg, char *taken, size_t size)
{
	char AUTO_FREE *old = NULL;
	char AUTO_FREE *new = NULL;
	AUTO_FD int directory = auto_conf_open(cfg, &old, &new);

	taken[0] = '\0';
	if (directory < 0 || old == NULL || new == NULL)
		return directory < 0 ? directory : -ENOMEM;
	(void)copy_kept(new, old, sets_left_behind, taken, size);
	return strlen(new) >= strlen(old) ? 0
					  : pgdata_replace(directory, "postgresql.auto.conf", new);
}

/* postgresql.auto.conf is read last, so an empty value there puts one of another file out of force.
 * All of them: PostgreSQL applies the settings one by one, and refuses two targets. */
static int overrule_targets(char *out, size_t size)
{
	size_t used = 0;
	int rc = 0;

	for (size_t i = 0; i < RECOVERY_TARGETS && rc == 0; i++) {
		rc = setting(out + used, size - used, recovery_targets[i], "");
		used += strlen(out + used);
	}
	return rc;
}

int pgdata_make_standby(const struct cfg *cfg, const char *conninfo, bool overrule)
{
	char AUTO_FREE *old = NULL;
	char AUTO_FREE *new = NULL;
	AUTO_FD int directory = auto_conf_open(cfg, &old, &new);
	char taken[1];
	size_t used;
	int rc = 0;

	if (directory < 0 || old == NULL || new == NULL)
		return directory < 0 ? directory : -ENOMEM;
	used = copy_kept(new, old, sets_replaced, taken, sizeof(taken));
	if (overrule)
		rc = overrule_targets(new + used, SETTING_MAX);
	used += strlen(new + used);
	if (rc == 0)
		rc = setting(new + used, SETTING_MAX, replaced[0], conninfo);
	if (rc == 0)
		rc = setting(new + used + strlen(new + used), SETTING_MAX, replaced[1], "latest");
	/* The settings first: a standby.signal without them would start a standby that follows
	 * whomever the old settings name. */
	if (rc == 0)
		rc = pgdata_replace(directory, "postgresql.auto.conf", new);
	if (rc == 0)
		rc = pgdata_replace(directory, "standby.signal", "");
	/* PostgreSQL lets standby.signal win, and would leave this one behind in the
	 * next primary. */
	return rc < 0 ? rc : take_away(directory, "recovery.signal");
}

int pgdata_forget_signals(const struct cfg *cfg)
{
	AUTO_FD int directory = open(cfg->data_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc;

	if (directory < 0)
		return -errno;
	rc = take_away(directory, "recovery.signal");
	return rc < 0 ? rc : take_away(directory, "standby.signal");
}
