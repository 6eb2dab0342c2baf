/* SPDX-License-Identifier: PostgreSQL */
#include "setup/setup_rules.h"

#include <stdio.h>
#include <string.h>

#include "setup/setup_rules_internal.h"

static const struct setup_checks *const parts[] = { &setup_pair_checks, &setup_setting_checks,
						    &setup_host_checks };

size_t setup_check_count(void)
{
	size_t count = 0;

	for (size_t i = 0; i < ARRAY_COUNT(parts); i++)
		count += parts[i]->count;
	return count;
}

const struct setup_check *setup_check_at(size_t number)
{
	for (size_t i = 0; i < ARRAY_COUNT(parts); i++) {
		if (number < parts[i]->count)
			return &parts[i]->list[number];
		number -= parts[i]->count;
	}
	return NULL;
}

static void add(struct setup_findings *findings, const struct setup_finding *finding)
{
	size_t at = findings->count;

	if (at == SETUP_CHECKS_MAX)
		return;
	/* Behind those that are as bad: the order of worth stays. */
	while (at > 0 && findings->list[at - 1].severity > finding->severity) {
		findings->list[at] = findings->list[at - 1];
		at--;
	}
	findings->list[at] = *finding;
	findings->count++;
	findings->of[finding->severity]++;
}

void setup_decide(struct setup_findings *findings, const struct setup *setup)
{
	const struct setup_check *check;

	*findings = (struct setup_findings){ .count = 0 };
	while ((check = setup_check_at(findings->checks)) != NULL) {
		struct setup_finding finding = { .severity = check->severity, .check = check };
		enum fact fine = check->look(setup, finding.detail, sizeof(finding.detail));

		findings->checks++;
		if (fine == FACT_YES)
			continue;
		if (fine == FACT_UNKNOWN)
			finding.severity = SETUP_UNKNOWN;
		add(findings, &finding);
	}
}

struct verdict setup_verdict(const struct setup_findings *findings)
{
	struct verdict verdict = YES("setup-sound",
				     "nothing that was looked at would hinder a "
				     "failover",
				     NULL);

	if (findings->of[SETUP_ERROR] > 0)
		verdict = (struct verdict)NO("setup-errors", "something would make a failover fail",
					     "the first finding is the worst");
	else if (findings->of[SETUP_UNKNOWN] > 0)
		verdict =
		    (struct verdict)UNKNOWN("setup-unknown", "not everything could be looked at",
					    "run it again when both nodes can be reached, as "
					    "root, and on the other node too");
	else if (findings->of[SETUP_WARNING] > 0)
		verdict = (struct verdict)REFUSED("setup-warnings",
						  "nothing would make a failover fail now, but not "
						  "all is as it should be",
						  NULL);
	(void)snprintf(verdict.detail, sizeof(verdict.detail),
		       "%zu checks: %zu errors, %zu unknown, %zu warnings, %zu notes",
		       findings->checks, findings->of[SETUP_ERROR], findings->of[SETUP_UNKNOWN],
		       findings->of[SETUP_WARNING], findings->of[SETUP_NOTE]);
	return verdict;
}

const char *setup_severity_word(enum setup_severity severity)
{
	static const char *const words[SETUP_SEVERITIES] = {
		[SETUP_ERROR] = "error",
		[SETUP_UNKNOWN] = "unknown",
		[SETUP_WARNING] = "warning",
		[SETUP_NOTE] = "note",
	};

	return words[severity];
}
