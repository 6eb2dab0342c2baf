/* SPDX-License-Identifier: PostgreSQL */
/* pg_control through the eyes of pg_controldata, which knows its format in every version. */
#include "postgres/pgdata.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/proc.h"
#include "postgres/pg.h"

enum key {
	KEY_SYSTEM,
	KEY_STATE,
	KEY_CHECKPOINT,
	KEY_TIMELINE,
	KEY_MIN_RECOVERY,
	KEY_MIN_RECOVERY_TIMELINE,
	KEY_HINTS,
	KEY_CHECKSUMS,
	KEYS
};

static const char *const keys[KEYS] = {
	[KEY_SYSTEM] = "Database system identifier",
	[KEY_STATE] = "Database cluster state",
	[KEY_CHECKPOINT] = "Latest checkpoint location",
	[KEY_TIMELINE] = "Latest checkpoint's TimeLineID",
	[KEY_MIN_RECOVERY] = "Minimum recovery ending location",
	[KEY_MIN_RECOVERY_TIMELINE] = "Min recovery ending loc's timeline",
	[KEY_HINTS] = "wal_log_hints setting",
	[KEY_CHECKSUMS] = "Data page checksum version",
};

#define VALUE_MAX 64

/* In the one spelling that pg_controldata has for it. */
static int number(const char *text, uint64_t max, uint64_t *value)
{
	*value = 0;
	if (*text == '\0' || (text[0] == '0' && text[1] != '\0'))
		return -EINVAL;
	for (; *text != '\0'; text++) {
		uint64_t digit = (uint64_t)(*text - '0');

		if (!isdigit((unsigned char)*text) || *value > (max - digit) / 10)
			return -EINVAL;
		*value = *value * 10 + digit;
	}
	return 0;
}

static int number32(const char *text, uint32_t *value)
{
	uint64_t wide;
	int rc = number(text, UINT32_MAX, &wide);

	*value = (uint32_t)wide;
	return rc;
}

/* "key:   value" of one line; values[] of keys that do not concern us are dropped. */
static int take_line(char values[KEYS][VALUE_MAX], const char *line, size_t length)
{
	const char *colon = memchr(line, ':', length);
	size_t name, tail;

	if (colon == NULL)
		return 0;
	name = (size_t)(colon - line);
	tail = length - name - 1;
	for (size_t i = 0; i < KEYS; i++) {
		if (strlen(keys[i]) != name || memcmp(line, keys[i], name) != 0)
			continue;
		colon++;
		while (tail > 0 && *colon == ' ') {
			colon++;
			tail--;
		}
		if (values[i][0] != '\0' || tail == 0 || tail >= VALUE_MAX)
			return -EINVAL;
		memcpy(values[i], colon, tail);
		values[i][tail] = '\0';
		return 0;
	}
	return 0;
}

static int bad(struct pgdata_control *control, const char *what, const char *value)
{
	*control = (struct pgdata_control){ 0 };
	(void)snprintf(control->why, sizeof(control->why), "pg_controldata: %s %.80s", what, value);
	return -EINVAL;
}

static int take_values(struct pgdata_control *control, char values[KEYS][VALUE_MAX])
{
	const char *state = values[KEY_STATE];
	uint32_t checksums;

	if (number(values[KEY_SYSTEM], UINT64_MAX, &control->system_identifier) < 0)
		return bad(control, "unusable system identifier:", values[KEY_SYSTEM]);
	if (lsn_parse(values[KEY_CHECKPOINT], &control->checkpoint_lsn) < 0)
		return bad(control, "unusable checkpoint location:", values[KEY_CHECKPOINT]);
	if (lsn_parse(values[KEY_MIN_RECOVERY], &control->min_recovery_lsn) < 0)
		return bad(control, "unusable recovery location:", values[KEY_MIN_RECOVERY]);
	if (number32(values[KEY_TIMELINE], &control->timeline) < 0 || control->timeline == 0)
		return bad(control, "unusable timeline:", values[KEY_TIMELINE]);
	if (number32(values[KEY_MIN_RECOVERY_TIMELINE], &control->min_recovery_timeline) < 0)
		return bad(control, "unusable timeline:", values[KEY_MIN_RECOVERY_TIMELINE]);
	if (number32(values[KEY_CHECKSUMS], &checksums) < 0)
		return bad(control, "unusable checksum version:", values[KEY_CHECKSUMS]);
	if (strcmp(values[KEY_HINTS], "on") != 0 && strcmp(values[KEY_HINTS], "off") != 0)
		return bad(control, "unusable wal_log_hints:", values[KEY_HINTS]);
	control->checksums = checksums != 0;
	control->wal_log_hints = strcmp(values[KEY_HINTS], "on") == 0;
	(void)snprintf(control->state, sizeof(control->state), "%.47s", state);
	control->recovering = strcmp(state, "shut down in recovery") == 0;
	control->shut_down = strcmp(state, "shut down") == 0 || control->recovering;
	control->in_production = strcmp(state, "in production") == 0;
	control->in_recovery = strcmp(state, "in archive recovery") == 0;
	control->known = true;
	return 0;
}

int pgdata_control_parse(struct pgdata_control *control, const char *text)
{
	char values[KEYS][VALUE_MAX] = { 0 };

	*control = (struct pgdata_control){ 0 };
	while (*text != '\0') {
		size_t length = strcspn(text, "\n");

		if (strncmp(text, "WARNING", 7) == 0)
			return bad(control, "it warns:", text);
		if (take_line(values, text, length) < 0)
			return bad(control, "unusable line:", text);
		text += length + (text[length] == '\n' ? 1 : 0);
	}
	for (size_t i = 0; i < KEYS; i++)
		if (values[i][0] == '\0')
			return bad(control, "it does not say:", keys[i]);
	return take_values(control, values);
}

/* 0; -EIO: it complains, in why; -errno. */
static int run(struct proc *child, const struct cfg *cfg, const struct deadline *dl, char *why,
	       size_t size)
{
	char program[CFG_PATH_MAX + 32];
	const char *const argv[] = { program, "-D", cfg->data_dir, NULL };
	const struct proc_spec spec = { .argv = argv, .as_user = cfg->os_user };
	int rc;

	(void)snprintf(program, sizeof(program), "%s/pg_controldata", cfg->bin_dir);
	rc = proc_run(child, &spec, dl);
	if (rc < 0) {
		(void)snprintf(why, size, "pg_controldata: %s", strerror(-rc));
		return rc;
	}
	/* Since version 15 the warning about a wrong CRC goes to standard error. */
	if (child->exit_code != 0 || child->errors[0] != '\0') {
		child->errors[strcspn(child->errors, "\n")] = '\0';
		(void)snprintf(why, size, "exit code %d: %.120s", child->exit_code, child->errors);
		return -EIO;
	}
	return 0;
}

void pgdata_control(struct pgdata_control *control, const struct cfg *cfg,
		    const struct deadline *dl)
{
	struct proc AUTO_PROC child = PROC_NONE;

	*control = (struct pgdata_control){ 0 };
	if (run(&child, cfg, dl, control->why, sizeof(control->why)) < 0)
		return;
	if (pgdata_control_parse(control, child.output) < 0)
		return; /* why is set */
}

/* pg_controldata has two names of its own. */
static void tell_setting(const struct pgdata_control_reader *reader, char *name, const char *value)
{
	if (strcmp(name, "max_prepared_xacts") == 0)
		reader->tell(reader->context, "max_prepared_transactions", value);
	else if (strcmp(name, "max_locks_per_xact") == 0)
		reader->tell(reader->context, "max_locks_per_transaction", value);
	else
		reader->tell(reader->context, name, value);
}

void pgdata_control_settings_parse(const struct pgdata_control_reader *reader, const char *text)
{
	char name[VALUE_MAX], value[VALUE_MAX];

	for (; *text != '\0'; text += *text == '\n') {
		if (sscanf(text, "%63[a-z_] setting: %63[a-z0-9_]", name, value) == 2)
			tell_setting(reader, name, value);
		text += strcspn(text, "\n");
	}
}

int pgdata_control_settings(const struct pgdata_control_reader *reader, const struct cfg *cfg,
			    const struct deadline *dl)
{
	struct proc AUTO_PROC child = PROC_NONE;
	char why[160];
	int rc = run(&child, cfg, dl, why, sizeof(why));

	if (rc == 0)
		pgdata_control_settings_parse(reader, child.output);
	return rc;
}

uint64_t pgdata_final_lsn(const struct pgdata_control *control)
{
	return control->known && strcmp(control->state, "shut down") == 0 ? control->checkpoint_lsn
									  : 0;
}
