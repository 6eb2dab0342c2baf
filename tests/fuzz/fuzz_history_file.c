/* SPDX-License-Identifier: PostgreSQL */
/* Timeline history files: without a gap, ascending, and where two part is before both ends. */
#include <errno.h>
#include <string.h>

#include "fuzz.h"
#include "postgres/history_file.h"

static struct history_file one, other;

static int parse(struct history_file *history, struct input *in, char end)
{
	const uint32_t timeline = (uint32_t)input_byte(in) - '0';
	char AUTO_FREE *text = input_until(in, end);
	int rc = history_file_parse(history, timeline, text);

	assert(rc == 0 || rc == -EINVAL || rc == -E2BIG);
	assert((rc == 0) == (history->count > 0));
	if (rc != 0)
		return rc;
	assert(history->entries[0].begin == 0);
	assert(history->entries[history->count - 1].timeline == timeline);
	assert(history->entries[history->count - 1].end == HISTORY_FILE_OPEN);
	for (size_t i = 1; i < history->count; i++) {
		const struct history_entry *at = &history->entries[i];

		assert(at[0].timeline > at[-1].timeline && at[0].begin == at[-1].end);
		assert(at[0].end >= at[0].begin);
	}
	return 0;
}

/* TIMELINE, the first file, "|", TIMELINE, the second: a timeline is one character, from '1' on. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	uint32_t timeline, back;
	uint64_t fork, same;

	if (parse(&one, &in, '|') != 0)
		return 0;
	assert(history_file_fork(&one, &one, &timeline, &fork) == 0);
	assert(fork == HISTORY_FILE_OPEN && timeline == one.entries[one.count - 1].timeline);
	if (parse(&other, &in, '\0') != 0)
		return 0;
	if (history_file_fork(&one, &other, &timeline, &fork) != 0) {
		assert(one.entries[0].timeline != other.entries[0].timeline);
		return 0;
	}
	assert(history_file_fork(&other, &one, &back, &same) == 0);
	assert(back == timeline && same == fork);
	assert(fork != HISTORY_FILE_OPEN || one.count == other.count);
	return 0;
}
