/* SPDX-License-Identifier: PostgreSQL */
#include "render/setting_lines.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "base/text.h"
#include "postgres/pgdata.h"
#include "render/restart_rules.h"
#include "render/setting_order.h"
#include "render/setting_rules.h"

#define NAME_CHARACTERS  "abcdefghijklmnopqrstuvwxyz_"
#define PLAIN_CHARACTERS "abcdefghijklmnopqrstuvwxyz0123456789_"

struct lines {
	FILE *out;
	const struct compared *compared;
	const struct cfg *cfg;
	struct setting_report *report;
};

/* One line of the text, taken apart. */
struct line {
	char name[64];
	char value[SETTING_VALUE_MAX]; /* without quotes */
};

/* ---- what was compared ---- */

static const char *peer_name(const struct lines *l)
{
	return l->compared->node_known ? cfg_peer(l->cfg)->name : "the other node";
}

static void print_peer(const struct lines *l)
{
	const struct server_settings *peer = &l->compared->peer;
	char why[160];

	text_clean(why, sizeof(why), peer->why);
	if (!l->compared->node_known)
		(void)fputs("# Not compared with the other node: it is not known which this one is "
			    "(-n NODE).\n",
			    l->out);
	else if (!peer->known)
		(void)fprintf(l->out, "# Not compared with %s: %s\n", peer_name(l), why);
	else
		(void)fprintf(l->out, "# Compared with the server of %s.\n", peer_name(l));
}

static void print_head(const struct lines *l)
{
	const struct server_settings *here = &l->compared->here;
	char why[240];

	if (!l->compared->looked) {
		(void)fputs(
		    "# Not compared with any server (--no-server): look that no line lowers "
		    "what is in use.\n",
		    l->out);
		return;
	}
	text_clean(why, sizeof(why), here->why);
	if (here->known)
		(void)fputs(
		    "# Compared with the server of this node: no line lowers what is in use "
		    "here.\n",
		    l->out);
	else if (here->files_known)
		(void)fprintf(l->out,
			      "# Compared with the files of this node%s; its server was not asked: "
			      "%s\n",
			      here->control_known ? " and pg_control" : "", why);
	else
		(void)fprintf(l->out,
			      "# NOT compared with a server here: look that no line lowers what is "
			      "in use.\n# %s\n",
			      why);
	if (!here->files_known) {
		text_clean(why, sizeof(why), here->files_why);
		(void)fprintf(l->out, "# Not compared with the files of this node: %s\n", why);
	}
	print_peer(l);
}

/* ---- does a line take effect? ---- */

/* The file that is read after ours and sets the same; false: nothing known. */
static bool overruled(const struct lines *l, const struct server_setting *setting, char *by,
		      size_t size)
{
	const char *what = NULL;

	if (setting->by_call)
		what = "the command line";
	else if (pgdata_auto_conf_sets(l->cfg, setting->name))
		what = "postgresql.auto.conf";
	else if (setting_comes_later(setting->file, setting->line, l->compared->place))
		what = setting->file;
	if (what != NULL)
		(void)snprintf(by, size, "%.150s", what);
	return what != NULL;
}

static bool falls_short(const struct setting_rule *rule, const char *value, const char *wanted)
{
	int order = 0;

	if (setting_compare(rule, value, wanted, &order) < 0)
		return !setting_same(rule, value, wanted);
	return order < 0;
}

static void note_overruled(const struct lines *l, const struct setting_rule *rule,
			   const char *value)
{
	const struct server_setting *setting = server_setting(&l->compared->here, rule->name);
	struct setting_report *report = l->report;
	size_t used = strlen(report->overruled);
	char by[160], in_force[SERVER_SETTING_MAX];

	if (setting == NULL || !overruled(l, setting, by, sizeof(by)))
		return;
	if (setting->by_call ? !setting->now_known : !setting->next_known)
		return;
	text_clean(in_force, sizeof(in_force), setting->by_call ? setting->now : setting->next);
	if (!falls_short(rule, in_force, value))
		return;
	(void)fprintf(l->out, "# The next line takes NO EFFECT: %s comes later, and says '%s'.\n",
		      by, in_force);
	(void)snprintf(report->overruled + used, sizeof(report->overruled) - used,
		       "%s%s (%.80s says '%.40s')", used > 0 ? ", " : "", rule->name, by, in_force);
}

/* ---- one line ---- */

static void comment(const struct lines *l, const char *fmt, ...) PRINTF_LIKE(2, 3);
static void comment(const struct lines *l, const char *fmt, ...)
{
	char text[2 * SETTING_VALUE_MAX], clean[2 * SETTING_VALUE_MAX];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	text_clean(clean, sizeof(clean), text);
	(void)fprintf(l->out, "\t# %s", clean);
}

static void print_why(const struct lines *l, const struct setting_rule *rule,
		      const struct setting_choice *choice, const char *ours)
{
	const struct server_setting *here = server_setting(&l->compared->here, rule->name);
	const char *unlimited =
	    rule->kind == SETTING_BOUND && strcmp(choice->value, "-1") == 0
		? " (no bound; while that is so no slot is made for a node that "
		  "is away)"
		: "";
	const char *less = ours[0] != '\0' ? "; ours: " : "";

	if (choice->from == SETTING_FROM_HERE)
		comment(l, "in use here: %s%s%s%s", choice->value, unlimited, less, ours);
	else if (choice->from == SETTING_FROM_FILES)
		comment(l, "in the files here: %s%s%s%s", choice->value, unlimited, less, ours);
	else if (choice->from == SETTING_FROM_PEER)
		comment(l, "in use on %s: %s%s%s%s", peer_name(l), choice->value, unlimited, less,
			ours);
	else if (choice->replaced != NULL && here != NULL && !here->standard)
		comment(l, "instead of what is in use here: '%s'", choice->replaced);
	else if (rule->kind == SETTING_BOUND && !l->compared->here.known && here != NULL &&
		 here->next_known && strcmp(here->next, "-1") == 0)
		comment(l,
			"none in the files here; a slot that falls further behind loses its WAL");
	else if (choice->raised != NULL && rule->because != NULL)
		comment(l, "in use here: %s; %s", choice->raised, rule->because);
}

static void print_value(FILE *out, const char *name, const char *value)
{
	if (value[0] != '\0' && value[strspn(value, PLAIN_CHARACTERS)] == '\0') {
		(void)fprintf(out, "%s = %s", name, value);
		return;
	}
	(void)fprintf(out, "%s = '", name);
	for (; *value != '\0'; value++)
		(void)fprintf(out, *value == '\'' ? "''" : "%c", *value);
	(void)fputc('\'', out);
}

static int print_setting(const struct lines *l, const struct line *line, const char *as_it_is)
{
	const struct setting_rule *rule = setting_rule(line->name);
	struct setting_choice choice;
	struct setting_seen seen;
	int rc = -EINVAL;

	compared_seen(l->compared, line->name, &seen);
	if (rule != NULL)
		rc = setting_choose(&choice, rule, line->value, &seen);
	if (rc < 0) {
		(void)snprintf(l->report->fault, sizeof(l->report->fault),
			       "%s cannot be compared: \"%.40s\" here, \"%.40s\" is ours",
			       line->name, seen.here != NULL ? seen.here : "", line->value);
		return rc;
	}
	if (choice.value[0] == '\0' && line->value[0] == '\0' && rule->standard != NULL)
		return 0;
	note_overruled(l, rule, choice.value);
	if (choice.from == SETTING_FROM_US && line->value[0] != '\0')
		(void)fprintf(l->out, "%.*s", (int)strcspn(as_it_is, "\n"), as_it_is);
	else
		print_value(l->out, line->name, choice.value);
	print_why(l, rule, &choice, line->value);
	(void)fputc('\n', l->out);
	return 0;
}

/* Is it "name = value", as the template writes it? */
static bool take_apart(struct line *line, const char *text)
{
	size_t name = strspn(text, NAME_CHARACTERS);
	const char *value = text + name + strspn(text + name, " ");
	size_t length;

	if (name == 0 || name >= sizeof(line->name) || *value != '=')
		return false;
	value += 1 + strspn(value + 1, " ");
	length = strcspn(value, "\n");
	if (length > 1 && value[0] == '\'' && value[length - 1] == '\'') {
		value++;
		length -= 2;
	}
	if (length >= sizeof(line->value))
		return false;
	(void)snprintf(line->name, sizeof(line->name), "%.*s", (int)name, text);
	(void)snprintf(line->value, sizeof(line->value), "%.*s", (int)length, value);
	return true;
}

int setting_lines(FILE *out, const char *text, const struct compared *compared,
		  const struct cfg *cfg, struct setting_report *report)
{
	const struct lines l = { out, compared, cfg, report };
	struct line line;
	int rc = 0;

	*report = (struct setting_report){ .fault = "" };
	print_head(&l);
	while (*text != '\0' && rc == 0) {
		size_t length = strcspn(text, "\n");

		length += text[length] == '\n';
		if (take_apart(&line, text))
			rc = print_setting(&l, &line, text);
		else if (fwrite(text, 1, length, out) != length)
			rc = -EIO;
		text += length;
	}
	return rc == 0 && ferror(out) != 0 ? -EIO : rc;
}

/* The value as it is now, or after a restart, against what would be printed. */
static bool line_lacks(const struct compared *compared, const struct line *line)
{
	const struct setting_rule *rule = setting_rule(line->name);
	const char *then = restart_value(&compared->here, line->name);
	struct setting_choice choice;
	struct setting_seen seen;

	compared_seen(compared, line->name, &seen);
	if (rule == NULL || then == NULL || setting_choose(&choice, rule, line->value, &seen) < 0)
		return false;
	if (choice.value[0] == '\0' && rule->standard != NULL)
		return false;
	return falls_short(rule, then, choice.value);
}

void setting_lines_lacking(const char *text, const struct compared *compared, char *names,
			   size_t size)
{
	struct line line;
	size_t used = 0;

	for (names[0] = '\0'; *text != '\0' && used < size; text += *text == '\n') {
		if (take_apart(&line, text) && line_lacks(compared, &line)) {
			int length = snprintf(names + used, size - used, "%s%s",
					      used > 0 ? ", " : "", line.name);

			used += length > 0 ? (size_t)length : 0;
		}
		text += strcspn(text, "\n");
	}
}
