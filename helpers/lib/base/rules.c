/* SPDX-License-Identifier: PostgreSQL */
#include "base/rules.h"

#include <assert.h>
#include <ctype.h>
#include <string.h>

static const struct verdict *verdict_of(const struct rules *rules, size_t number)
{
	return (const struct verdict *)(const void *)(rules->first + number * rules->stride);
}

const struct verdict *rules_decide(const struct rules *const *tables, const void *facts)
{
	size_t number = (*tables)->search(facts);

	while (number == (*tables)->count) {
		tables++;
		assert(*tables != NULL);
		number = (*tables)->search(facts);
	}
	return verdict_of(*tables, number);
}

static void print_decision(FILE *out, const struct verdict *verdict)
{
	char word[16];
	size_t length;

	(void)snprintf(word, sizeof(word), "%s", outcome_word(verdict->outcome));
	length = strlen(word);
	for (size_t i = 0; i < length; i++)
		word[i] = (char)toupper((unsigned char)word[i]);
	(void)fprintf(out, "%-10s %s: %s\n", word, verdict->rule, verdict->message);
}

void rules_explain(const struct rules *const *tables, const void *facts, const struct verdict *said,
		   FILE *out)
{
	const struct verdict *const decided = rules_decide(tables, facts);
	bool behind = false;

	for (; *tables != NULL; tables++) {
		for (size_t i = 0; i < (*tables)->count; i++) {
			const struct verdict *verdict = verdict_of(*tables, i);

			if (verdict == decided)
				print_decision(out, said != NULL ? said : verdict);
			else
				(void)fprintf(out, "%-10s %s%s\n", behind ? "-" : "ok",
					      behind ? "" : "not ", verdict->rule);
			behind = behind || verdict == decided;
		}
	}
}
