/* SPDX-License-Identifier: PostgreSQL */
#include "postgres/history_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "postgres/pg.h"

/* "1\t0/3000060\treason": the timeline and the location; the reason is for people. */
static int parse_line(const char *line, size_t length, uint32_t *timeline, uint64_t *lsn)
{
	size_t digits = strspn(line, "0123456789");
	size_t gap, location;
	uint64_t value = 0;
	char text[32];

	if (digits == 0 || digits > 10 || digits >= length)
		return -EINVAL;
	for (size_t i = 0; i < digits; i++)
		value = value * 10 + (uint64_t)(line[i] - '0');
	if (value == 0 || value > UINT32_MAX)
		return -EINVAL;
	*timeline = (uint32_t)value;
	line += digits;
	gap = strspn(line, " \t");
	line += gap;
	location = strcspn(line, " \t\r\n");
	if (gap == 0 || location == 0 || location >= sizeof(text))
		return -EINVAL;
	memcpy(text, line, location);
	text[location] = '\0';
	return lsn_parse(text, lsn);
}

static int add(struct history_file *history, uint32_t timeline, uint64_t end)
{
	struct history_entry *last = NULL;
	uint64_t begin = 0;

	if (history->count == HISTORY_FILE_ENTRIES)
		return -E2BIG;
	if (history->count > 0) {
		last = &history->entries[history->count - 1];
		begin = last->end;
		if (timeline <= last->timeline || end < begin)
			return -EINVAL;
	}
	history->entries[history->count++] =
	    (struct history_entry){ .timeline = timeline, .begin = begin, .end = end };
	return 0;
}

int history_file_parse(struct history_file *history, uint32_t timeline, const char *text)
{
	int rc = timeline == 0 ? -EINVAL : 0;

	history->count = 0;
	while (rc == 0 && *text != '\0') {
		size_t length = strcspn(text, "\n");
		size_t blank = strspn(text, " \t\r");

		if (blank < length && text[blank] != '#') {
			uint32_t parent;
			uint64_t end;

			rc = parse_line(text + blank, length - blank, &parent, &end);
			if (rc == 0)
				rc = add(history, parent, end);
		}
		if (rc == 0 && text[length] != '\n')
			rc = -EINVAL;
		text += length + 1;
	}
	if (rc == 0 && timeline > 1 && history->count == 0)
		rc = -EINVAL;
	if (rc == 0)
		rc = add(history, timeline, HISTORY_FILE_OPEN);
	if (rc < 0)
		history->count = 0;
	return rc;
}

int history_file_fork(const struct history_file *a, const struct history_file *b,
		      uint32_t *timeline, uint64_t *fork)
{
	size_t common = 0;

	while (common < a->count && common < b->count &&
	       a->entries[common].timeline == b->entries[common].timeline &&
	       a->entries[common].begin == b->entries[common].begin)
		common++;
	*timeline = 0;
	*fork = 0;
	if (common == 0)
		return -ENOENT;
	*timeline = a->entries[common - 1].timeline;
	*fork = a->entries[common - 1].end < b->entries[common - 1].end
		    ? a->entries[common - 1].end
		    : b->entries[common - 1].end;
	return 0;
}
