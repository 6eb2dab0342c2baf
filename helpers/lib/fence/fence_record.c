/* SPDX-License-Identifier: PostgreSQL */
#include "fence/fence_record.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "record/record_gather.h"

enum fence_verdict fence_row_verdict(const struct fence_row *row, bool test)
{
	if (!row->good)
		return FENCE_UNKNOWN;
	if (test)
		return FENCE_READY;
	return row->its_right && row->released ? FENCE_FENCED : FENCE_UNKNOWN;
}

static const char *row_words(const struct fence_row *row)
{
	if (!row->its_right)
		return "the record gives it no right to serve, and says nothing of its server";
	if (row->released)
		return "the record says that it has released its right: its server is down";
	return row->paired ? "the record says that it serves under a lease"
			   : "the record says that only it may serve";
}

struct fence_row fence_ask_record(struct fence *fence, const struct cfg *cfg,
				  const struct deadline *dl)
{
	struct record_task task = { .cfg = cfg, .dl = *dl };
	struct fence_row row = { .answered = false };
	char *why = fence->why[FENCE_WAY_RECORD];
	size_t size = sizeof(fence->why[FENCE_WAY_RECORD]);

	if (!cfg_has_record(cfg))
		return row;
	task.facts.ask = RECORD_SHOW;
	record_gather(&task);
	row.answered = task.facts.system == FACT_YES && task.facts.trust != RECORD_SILENT;
	row.good = task.facts.trust == RECORD_GOOD;
	if (row.good) {
		row.its_right = strcmp(task.view.record.holder, fence->request.node->name) == 0;
		row.paired = task.facts.paired;
		row.released = task.facts.released;
		(void)snprintf(why, size, "%s", row_words(&row));
	} else {
		(void)snprintf(why, size, "%s",
			       task.why[0] != '\0' ? task.why
						   : record_trust_word(task.facts.trust));
	}
	record_end(&task.link);
	fence->answers[FENCE_WAY_RECORD] =
	    fence_row_verdict(&row, fence->request.ask == FENCE_ASK_TEST);
	log_info("fencing of %s by record: %s (%s)", fence->request.node->name,
		 fence_word(fence->answers[FENCE_WAY_RECORD]), why);
	return row;
}
