/* SPDX-License-Identifier: PostgreSQL */
#include "render/setting_rules.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* clang-format off */
const struct setting_rule setting_rules[SETTING_RULES] = {
	{ "listen_addresses", SETTING_OURS, .unit = NULL },
	{ "port", SETTING_OURS, .unit = NULL },
	{ "unix_socket_directories", SETTING_LIST, .unit = NULL },

	{ "wal_level", SETTING_WORD, .words = "minimal replica logical",
	  .because = "a standby needs more" },
	{ "hot_standby", SETTING_WORD, .words = "off on",
	  .because = "it must be on, as a standby has to answer" },
	{ "max_wal_senders", SETTING_NUMBER, .unit = NULL },
	{ "wal_keep_size", SETTING_NUMBER, .unit = "MB" },
	{ "max_slot_wal_keep_size", SETTING_BOUND, .unit = "MB" },
	{ "max_replication_slots", SETTING_NUMBER, .unit = NULL },
	{ "wal_log_hints", SETTING_WORD, .words = "off on" },

	{ "max_connections", SETTING_NUMBER, .standard = "100" },
	{ "max_worker_processes", SETTING_NUMBER, .standard = "8" },
	{ "max_prepared_transactions", SETTING_NUMBER, .standard = "0" },
	{ "max_locks_per_transaction", SETTING_NUMBER, .standard = "64" },

	{ "synchronous_standby_names", SETTING_OURS, .unit = NULL },
	{ "synchronous_commit", SETTING_WORD, .words = "off local remote_write on remote_apply" },

	/* These two follow the lease, down as well as up. */
	{ "wal_sender_timeout", SETTING_OURS, .unit = "ms" },
	{ "wal_receiver_timeout", SETTING_OURS, .unit = "ms" },
	{ "wal_receiver_status_interval", SETTING_SHORTER, .unit = "s" },
	{ "wal_retrieve_retry_interval", SETTING_SHORTER, .unit = "ms" },

	{ "tcp_keepalives_idle", SETTING_SHORTER, .unit = "s" },
	{ "tcp_keepalives_interval", SETTING_SHORTER, .unit = "s" },
	{ "tcp_keepalives_count", SETTING_SHORTER, .unit = NULL },
	{ "tcp_user_timeout", SETTING_SHORTER, .unit = "ms" },

	/* We have no line for these: what a restart must not lower either ("cluster_config check"). */
	{ "archive_mode", SETTING_WORD, .words = "off on always" },
	{ "superuser_reserved_connections", SETTING_NUMBER, .unit = NULL },
	{ "shared_preload_libraries", SETTING_OURS, .unit = NULL },
};

/* In the least of their kind; the two kinds never meet, as no name is in both. */
static const struct unit {
	const char *name;
	double size;
} units[] = {
	{ "B", 1 }, { "kB", 1024.0 }, { "MB", 1048576.0 }, { "GB", 1073741824.0 },
	{ "TB", 1099511627776.0 },
	{ "us", 1 }, { "ms", 1e3 }, { "s", 1e6 }, { "min", 60e6 }, { "h", 3600e6 }, { "d", 86400e6 },
};
/* clang-format on */

const struct setting_rule *setting_rule(const char *name)
{
	for (size_t i = 0; i < SETTING_RULES; i++) {
		if (strcmp(setting_rules[i].name, name) == 0)
			return &setting_rules[i];
	}
	return NULL;
}

/* ---- one value ---- */

static double unit_size(const char *name)
{
	for (size_t i = 0; i < ARRAY_COUNT(units); i++) {
		if (strcmp(units[i].name, name) == 0)
			return units[i].size;
	}
	return 0;
}

/* In the unit of the setting, from "1GB", "1.5 GB" or "1024". */
static int read_number(const struct setting_rule *rule, const char *text, int64_t *number)
{
	char *end;
	double value = strtod(text, &end);

	if (end == text || !isfinite(value) || fabs(value) > 1e15)
		return -EINVAL;
	end += strspn(end, " ");
	if (*end != '\0') {
		double size = unit_size(end);

		if (rule->unit == NULL || size == 0)
			return -EINVAL;
		value = value * size / unit_size(rule->unit);
	}
	*number = (int64_t)(value + (value < 0 ? -0.5 : 0.5));
	return 0;
}

/* As setting_rule's words count it from 0; true, yes and 1 are "on" in a file. */
static int read_word(const struct setting_rule *rule, const char *text, int64_t *place)
{
	static const char *const others[][2] = {
		{ "true", "on" },   { "yes", "on" }, { "1", "on" },
		{ "false", "off" }, { "no", "off" }, { "0", "off" }
	};
	const char *words = rule->words;

	for (size_t i = 0; i < ARRAY_COUNT(others); i++) {
		if (strcmp(text, others[i][0]) == 0)
			text = others[i][1];
	}
	for (*place = 0; *words != '\0'; (*place)++) {
		size_t length = strcspn(words, " ");

		if (strlen(text) == length && strncmp(words, text, length) == 0)
			return 0;
		words += length + strspn(words + length, " ");
	}
	return -EINVAL;
}

/* The more, the stronger. */
static int read_strength(const struct setting_rule *rule, const char *text, int64_t *strength)
{
	int rc;

	if (rule->kind == SETTING_WORD)
		return read_word(rule, text, strength);
	if (rule->kind == SETTING_LIST || rule->kind == SETTING_OURS)
		return -EINVAL;
	rc = read_number(rule, text, strength);
	if (rc == 0 && rule->kind == SETTING_BOUND && *strength < 0)
		*strength = INT64_MAX;
	if (rc == 0 && rule->kind == SETTING_SHORTER)
		*strength = *strength > 0 ? -*strength : INT64_MIN;
	return rc;
}

int setting_compare(const struct setting_rule *rule, const char *a, const char *b, int *order)
{
	int64_t left, right;
	int rc = read_strength(rule, a, &left);

	if (rc == 0)
		rc = read_strength(rule, b, &right);
	if (rc == 0)
		*order = (left > right) - (left < right);
	return rc;
}

bool setting_same(const struct setting_rule *rule, const char *a, const char *b)
{
	int64_t left, right;

	if (rule->unit != NULL && read_number(rule, a, &left) == 0 &&
	    read_number(rule, b, &right) == 0)
		return left == right;
	return strcmp(a, b) == 0;
}

/* ---- lists ---- */

/* The next member without blanks and quotes; NULL at the end. */
static const char *member(const char *list, char *name, size_t size)
{
	size_t length;

	list += strspn(list, ", \"'");
	length = strcspn(list, ",");
	if (*list == '\0')
		return NULL;
	(void)snprintf(name, size, "%.*s", (int)length, list);
	for (size_t end = strlen(name); end > 0 && strchr(" \"'", name[end - 1]) != NULL; end--)
		name[end - 1] = '\0';
	return list + length;
}

static bool has_member(const char *list, const char *name)
{
	char other[SETTING_VALUE_MAX];

	while ((list = member(list, other, sizeof(other))) != NULL) {
		if (strcmp(other, name) == 0)
			return true;
	}
	return false;
}

/* Ours come last: the first directory is the one that the server's own programs use. */
static int join(char *value, const char *seen, const char *ours)
{
	char name[SETTING_VALUE_MAX];
	size_t used = strlen(value);

	for (int which = 0; which < 2; which++) {
		const char *list = which == 0 ? seen : ours;

		while (list != NULL && (list = member(list, name, sizeof(name))) != NULL) {
			int length;

			if (has_member(value, name))
				continue;
			length = snprintf(value + used, SETTING_VALUE_MAX - used, "%s%s",
					  used > 0 ? ", " : "", name);
			if (length < 0 || (size_t)length >= SETTING_VALUE_MAX - used)
				return -EFBIG;
			used += (size_t)length;
		}
	}
	return 0;
}

static int choose_list(struct setting_choice *choice, const char *ours,
		       const struct setting_seen *seen)
{
	int rc = join(choice->value, seen->here, seen->files != NULL ? seen->files : "");

	if (rc == 0)
		rc = join(choice->value, NULL, ours);
	if (rc == 0 && strcmp(choice->value, ours) != 0)
		choice->from = seen->here != NULL ? SETTING_FROM_HERE : SETTING_FROM_FILES;
	return rc;
}

/* ---- the choice ---- */

static int print_number(struct setting_choice *choice, const struct setting_rule *rule)
{
	int64_t number;
	int rc = read_number(rule, choice->value, &number);

	if (rc == 0 && choice->from != SETTING_FROM_US)
		(void)snprintf(choice->value, sizeof(choice->value), "%" PRId64 "%s", number,
			       rule->unit != NULL && number >= 0 ? rule->unit : "");
	return rc;
}

static int choose_ours(struct setting_choice *choice, const struct setting_rule *rule,
		       const char *ours, const struct setting_seen *seen)
{
	const char *other = seen->here != NULL ? seen->here : seen->files;

	if (other != NULL && !setting_same(rule, other, ours))
		choice->replaced = other;
	return snprintf(choice->value, sizeof(choice->value), "%s", ours) <
		       (int)sizeof(choice->value)
		   ? 0
		   : -EFBIG;
}

/* Has nobody raised it, and would a start without our line have it as high? */
static bool line_is_needless(const struct setting_rule *rule, const struct setting_choice *choice,
			     const struct setting_seen *seen)
{
	const char *const others[] = { rule->standard, seen->here, seen->files };

	for (size_t i = 0; i < ARRAY_COUNT(others); i++) {
		int order = 0;

		if (others[i] != NULL &&
		    setting_compare(rule, choice->value, others[i], &order) == 0 && order > 0)
			return false;
	}
	return true;
}

int setting_choose(struct setting_choice *choice, const struct setting_rule *rule, const char *ours,
		   const struct setting_seen *seen)
{
	const char *const values[] = { ours[0] != '\0' ? ours : NULL, seen->here, seen->files,
				       seen->peer };
	const char *best = NULL;

	*choice = (struct setting_choice){ .from = SETTING_FROM_US };
	if (rule->kind == SETTING_OURS)
		return choose_ours(choice, rule, ours, seen);
	if (rule->kind == SETTING_LIST)
		return choose_list(choice, ours, seen);
	for (int from = SETTING_FROM_US; from <= SETTING_FROM_PEER; from++) {
		int order = 1;
		int rc = 0;

		if (values[from] == NULL)
			continue;
		/* The first one is held against itself, so that it is read. */
		rc =
		    setting_compare(rule, values[from], best != NULL ? best : values[from], &order);
		if (rc < 0)
			return rc;
		if (order < 0 && from == SETTING_FROM_HERE)
			choice->raised = values[from];
		if (order > 0 || best == NULL) {
			best = values[from];
			choice->from = (enum setting_from)from;
		}
	}
	if (best == NULL)
		return rule->standard != NULL ? 0 : -EINVAL;
	(void)snprintf(choice->value, sizeof(choice->value), "%s", best);
	if (ours[0] == '\0' && line_is_needless(rule, choice, seen))
		choice->value[0] = '\0';
	return rule->kind == SETTING_WORD || choice->value[0] == '\0' ? 0
								      : print_number(choice, rule);
}
