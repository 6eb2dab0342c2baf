/* SPDX-License-Identifier: PostgreSQL */
#include <stdio.h>
#include <string.h>

#include "check/duty.h"
#include "record/record_view.h"

void duty_look(struct duty_report *report, const struct cfg *cfg, const struct server *local,
	       const struct deadline *dl)
{
	struct record_link AUTO_RECORD link;
	struct record_view view;

	*report = (struct duty_report){ .trust = RECORD_SILENT };
	if (local->system_identifier == 0)
		return;
	record_begin(&link, cfg, local->system_identifier);
	record_view_look(&view, &link, dl);
	report->looked = true;
	report->trust = view.trust;
	if (view.trust == RECORD_GOOD) {
		const bool ours = strcmp(view.record.holder, cfg_self(cfg)->name) == 0;

		report->theirs = fact_of(!ours);
		report->solo = fact_of(ours && !view.record.paired);
		record_words(&view.record, cfg, report->words, sizeof(report->words));
	} else {
		(void)snprintf(report->words, sizeof(report->words), "%s",
			       view.why[0] != '\0' ? view.why : record_trust_word(view.trust));
	}
}
