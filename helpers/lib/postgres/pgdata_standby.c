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
#include "postgres/server_slots.h"

/* ALTER SYSTEM writes a few lines; a file larger than this is none that PostgreSQL wrote. */
#define AUTO_CONF_MAX (256 * 1024)
/* One setting: every byte of a conninfo may be one that is doubled, and the longest that we make is
 * well below half of this. */
#define SETTING_MAX 4096

static const char *const replaced[] = { "primary_conninfo", "recovery_target_timeline" };

/* Names are case-insensitive in PostgreSQL. */
static bool sets(const char *line, const char *name)
{
	const size_t length = strlen(name);

	return strncasecmp(line, name, length) == 0 && strchr(" \t='", line[length]) != NULL;
}

/*
 * The slot that this standby used last, or that the node used from which the settings were copied,
 * need not be there on the primary, and then nothing would stream.  replication_slots names it again.
 */
static bool names_our_slot(const char *line)
{
	const char *value = strstr(line, SLOT_PREFIX);

	return sets(line, "primary_slot_name") && value != NULL &&
	       (size_t)(value - line) < strcspn(line, "\n");
}

/* Does this line set one of the replaced parameters? */
static bool sets_replaced(const char *line)
{
	line += strspn(line, " \t");
	for (size_t i = 0; i < ARRAY_COUNT(replaced); i++) {
		if (sets(line, replaced[i]))
			return true;
	}
	return names_our_slot(line);
}

/* Copies the lines that stay. */
static size_t copy_kept(char *out, const char *text)
{
	size_t used = 0;

	while (*text != '\0') {
		size_t length = strcspn(text, "\n");

		if (!sets_replaced(text)) {
			memcpy(out + used, text, length);
			used += length;
			out[used++] = '\n';
		}
		text += length + (text[length] == '\n' ? 1 : 0);
	}
	out[used] = '\0';
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

int pgdata_make_standby(const struct cfg *cfg, const char *conninfo)
{
	AUTO_FD int directory = open(cfg->data_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char AUTO_FREE *old = malloc(AUTO_CONF_MAX);
	char AUTO_FREE *new = malloc(AUTO_CONF_MAX + 2 * SETTING_MAX);
	size_t used;
	int rc;

	if (directory < 0)
		return -errno;
	if (old == NULL || new == NULL)
		return -ENOMEM;
	rc = pgdata_read(directory, "postgresql.auto.conf", old, AUTO_CONF_MAX);
	if (rc < 0)
		return rc;
	used = copy_kept(new, old);
	rc = setting(new + used, SETTING_MAX, replaced[0], conninfo);
	if (rc == 0)
		rc = setting(new + used + strlen(new + used), SETTING_MAX, replaced[1], "latest");
	/* The settings first: a standby.signal without them would start a standby that follows
	 * whomever the old settings name. */
	if (rc == 0)
		rc = pgdata_replace(directory, "postgresql.auto.conf", new);
	return rc < 0 ? rc : pgdata_replace(directory, "standby.signal", "");
}
