/* SPDX-License-Identifier: PostgreSQL */
/* For people, and for scripts: there keys are added to, never renamed (docs/man/check_setup.8). */
#include "setup/setup_show.h"

#include <ctype.h>
#include <string.h>

#include "base/report.h"
#include "base/text.h"

#define LEFT 9 /* columns of the severity, and of the words below it */

static void print_part(FILE *out, const char *word, const char *text)
{
	char clean[SETUP_DETAIL_MAX];

	if (text == NULL || text[0] == '\0')
		return;
	text_clean(clean, sizeof(clean), text);
	(void)fprintf(out, "%*s%-8s  %s\n", LEFT, "", word, clean);
}

static void print_finding(FILE *out, const struct setup_finding *finding)
{
	const struct verdict *verdict = &finding->check->verdict;
	const bool unknown = finding->severity == SETUP_UNKNOWN;

	(void)fprintf(out, "%-*s%s  [%s]\n", LEFT, setup_severity_word(finding->severity),
		      unknown ? "could not be looked at" : verdict->message, verdict->rule);
	/* The check says what it would be, were it so. */
	if (unknown)
		print_part(out, "perhaps", verdict->message);
	print_part(out, "seen", finding->detail);
	print_part(out, "failover", finding->check->effect);
	print_part(out, "remedy", verdict->hint);
}

void setup_print(const struct setup_findings *findings, const struct setup *setup, FILE *out)
{
	(void)fprintf(out, "cluster \"%s\", seen from %s\n", setup->cfg->name,
		      cfg_self(setup->cfg)->name);
	for (size_t i = 0; i < findings->count; i++) {
		(void)fputc('\n', out);
		print_finding(out, &findings->list[i]);
	}
	if (findings->count == 0)
		(void)fputs("\nno findings\n", out);
}

void setup_print_json(const struct setup_findings *findings, const struct verdict *verdict,
		      const struct cfg *cfg, FILE *out)
{
	struct json json;

	json_begin(&json, out);
	json_number(&json, "version", SETUP_JSON_VERSION);
	json_text(&json, "cluster", cfg->name);
	json_text(&json, "node", cfg_self(cfg)->name);
	json_text(&json, "outcome", outcome_word(verdict->outcome));
	json_text(&json, "rule", verdict->rule);
	json_number(&json, "checks", (int64_t)findings->checks);
	json_array(&json, "findings");
	for (size_t i = 0; i < findings->count; i++) {
		const struct setup_finding *finding = &findings->list[i];

		json_object(&json, NULL);
		json_text(&json, "severity", setup_severity_word(finding->severity));
		json_text(&json, "check", finding->check->verdict.rule);
		json_text(&json, "what", finding->check->verdict.message);
		json_text(&json, "seen", finding->detail[0] != '\0' ? finding->detail : NULL);
		json_text(&json, "failover", finding->check->effect);
		json_text(&json, "remedy", finding->check->verdict.hint);
		json_close_object(&json);
	}
	json_close_array(&json);
	json_end(&json);
}

/* As rules_explain writes it, but every check is made. */
void setup_explain(const struct setup_findings *findings, FILE *out)
{
	const struct setup_check *check;

	for (size_t number = 0; (check = setup_check_at(number)) != NULL; number++) {
		const struct setup_finding *finding = NULL;
		char word[16] = "ok";

		for (size_t i = 0; i < findings->count && finding == NULL; i++)
			if (findings->list[i].check == check)
				finding = &findings->list[i];
		if (finding != NULL)
			(void)snprintf(word, sizeof(word), "%s",
				       setup_severity_word(finding->severity));
		for (size_t i = 0; finding != NULL && word[i] != '\0'; i++)
			word[i] = (char)toupper((unsigned char)word[i]);
		if (finding == NULL)
			(void)fprintf(out, "%-10s not %s\n", word, check->verdict.rule);
		else
			(void)fprintf(out, "%-10s %s: %s\n", word, check->verdict.rule,
				      finding->detail[0] != '\0' ? finding->detail
								 : check->verdict.message);
	}
}
