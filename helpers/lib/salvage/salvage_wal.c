/* SPDX-License-Identifier: PostgreSQL */
#include "salvage/salvage_wal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "postgres/pgdata_file.h"
#include "postgres/wal_segment.h"

#define PAGE_BYTES 8192
/* Of the first page of a segment, and of the others. */
#define LONG_HEADER  40
#define SHORT_HEADER 24

static int open_wal(const struct cfg *cfg)
{
	char path[CFG_PATH_MAX + 32];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/pg_wal", cfg->data_dir);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static bool is_there(int wal, const struct wal_span *span, uint32_t timeline, uint64_t number)
{
	struct wal_name name = wal_segment_name(timeline, number, span->segment_bytes);

	return wal_segment_size(wal, name.text) == span->segment_bytes;
}

/* Also the number of the oldest file of this timeline. */
static int look_at_files(struct wal_span *span, int wal, uint32_t timeline, uint64_t *oldest)
{
	DIR *all = fdopendir(dup(wal));
	uint64_t number, lowest = UINT64_MAX;
	struct dirent *entry;
	uint32_t of;

	if (all == NULL)
		return -errno;
	while ((entry = readdir(all)) != NULL) {
		int64_t size = wal_segment_size(wal, entry->d_name);

		if (size == 0)
			continue;
		span->segment_bytes = size;
		if (wal_segment_parse(entry->d_name, size, &of, &number) && of == timeline &&
		    number < lowest)
			lowest = number;
	}
	(void)closedir(all);
	*oldest = lowest;
	return lowest == UINT64_MAX ? -ENODATA : 0;
}

/*
 * The file in which one timeline ends and the next begins is there under the name of the next, with
 * what the earlier wrote into it; under its own name it may be gone, or be called .partial.
 */
static int cut_into_ranges(struct wal_span *span, const struct history_file *ours)
{
	uint64_t size = (uint64_t)span->segment_bytes;

	for (size_t i = 0; i < ours->count; i++) {
		const struct history_entry *entry = &ours->entries[i];
		struct dump_range range = { .timeline = entry->timeline,
					    .begin = entry->begin / size * size };

		if (i + 1 < ours->count)
			range.end = entry->end / size * size;
		if (range.end != 0 && range.end <= span->fork)
			continue;
		if (i + 1 < ours->count && range.end <= range.begin)
			continue; /* it began and ended in one file */
		if (span->count == WAL_RANGES_MAX)
			return -E2BIG;
		if (range.begin < span->fork)
			range.begin = span->fork;
		span->ranges[span->count++] = range;
	}
	return span->count > 0 ? 0 : -ENODATA;
}

/* Before the fork: within the same timeline, and only while file follows on file. */
static uint64_t go_back(const struct wal_span *span, int wal, int64_t back_bytes)
{
	uint64_t size = (uint64_t)span->segment_bytes;
	uint64_t number = span->ranges[0].begin / size;

	/* Where the fork is the very end of a file, that file shows that its WAL was
	 * not removed. */
	if (span->fork % size == 0 && back_bytes == 0)
		back_bytes = span->segment_bytes;
	for (; number > 1 && back_bytes > 0; back_bytes -= span->segment_bytes, number--)
		if (!is_there(wal, span, span->ranges[0].timeline, number - 1))
			break;
	return number * size;
}

int wal_span_find(struct wal_span *span, const struct cfg *cfg, const struct history_file *ours,
		  uint64_t fork, int64_t back_bytes)
{
	AUTO_FD int wal = open_wal(cfg);
	uint64_t oldest = 0;
	int rc = wal < 0 ? wal : 0;

	*span = (struct wal_span){ .fork = fork };
	if (rc == 0 && ours->count == 0)
		rc = -ENODATA;
	if (rc == 0)
		rc = look_at_files(span, wal, ours->entries[ours->count - 1].timeline, &oldest);
	if (rc == 0 && fork == 0)
		span->fork = oldest * (uint64_t)span->segment_bytes;
	if (rc == 0)
		rc = cut_into_ranges(span, ours);
	if (rc < 0)
		return rc;
	span->begin = go_back(span, wal, back_bytes);
	if (!is_there(wal, span, span->ranges[0].timeline,
		      span->begin / (uint64_t)span->segment_bytes) ||
	    (span->fork % (uint64_t)span->segment_bytes != 0 &&
	     !is_there(wal, span, span->ranges[0].timeline,
		       span->fork / (uint64_t)span->segment_bytes)))
		return -ENODATA;
	span->ranges[0].begin = span->begin;
	return 0;
}

uint64_t wal_record_end(uint64_t lsn, uint32_t bytes, int64_t segment_bytes)
{
	uint64_t at = lsn, left = bytes;

	for (;;) {
		uint64_t room = PAGE_BYTES - at % PAGE_BYTES;

		if (left <= room) {
			at += left;
			break;
		}
		at += room;
		left -= room;
		at += at % (uint64_t)segment_bytes == 0 ? LONG_HEADER : SHORT_HEADER;
	}
	return (at + 7) & ~UINT64_C(7);
}

/* The head of a page, as PostgreSQL's XLogPageHeaderData begins. */
struct page_head {
	uint16_t magic;
	uint16_t info;
	uint32_t timeline;
	uint64_t lsn;
};

/* A file that was recycled still has the heads of its former life. */
static bool is_begun(int wal, const char *name, uint32_t timeline, uint64_t lsn)
{
	AUTO_FD int fd = openat(wal, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct page_head head;

	return fd >= 0 && pread(fd, &head, sizeof(head), 0) == (ssize_t)sizeof(head) &&
	       head.magic != 0 && head.timeline == timeline && head.lsn == lsn;
}

int wal_span_goes_on(const struct wal_span *span, const struct cfg *cfg, uint64_t end)
{
	uint64_t size = (uint64_t)span->segment_bytes;
	uint32_t timeline = span->ranges[span->count - 1].timeline;
	AUTO_FD int wal = open_wal(cfg);
	struct dirent *entry;
	int found = 0;
	DIR *all;

	if (wal < 0 || size == 0)
		return wal < 0 ? wal : -EINVAL;
	all = fdopendir(dup(wal));
	if (all == NULL)
		return -errno;
	while (found == 0 && (entry = readdir(all)) != NULL) {
		uint32_t tli;
		uint64_t number;

		if (wal_segment_size(wal, entry->d_name) != span->segment_bytes ||
		    !wal_segment_parse(entry->d_name, span->segment_bytes, &tli, &number))
			continue;
		/* A record that was not finished may reach into the next file. */
		found = tli == timeline && number > end / size + 1 &&
			is_begun(wal, entry->d_name, timeline, number * size);
	}
	(void)closedir(all);
	return found;
}

/* Numbers of the first file of the range, and of the last that holds anything before `end`: less
 * than the first when nothing does.  (No file has the number 0.) */
static void files_of(const struct wal_span *span, size_t i, uint64_t end, uint64_t *first,
		     uint64_t *last)
{
	uint64_t size = (uint64_t)span->segment_bytes;
	uint64_t begin = span->ranges[i].begin < span->fork ? span->fork : span->ranges[i].begin;

	if (span->ranges[i].end != 0 && span->ranges[i].end < end)
		end = span->ranges[i].end;
	*first = begin / size;
	*last = end > begin ? (end - 1) / size : *first - 1;
}

int64_t wal_span_bytes(const struct wal_span *span, uint64_t end)
{
	int64_t bytes = 0;

	for (size_t i = 0; i < span->count; i++) {
		uint64_t first, last;

		files_of(span, i, end, &first, &last);
		bytes += (int64_t)(last - first + 1) * span->segment_bytes;
	}
	return bytes;
}

static int copy(int wal, int to, const char *name)
{
	AUTO_FD int in = openat(wal, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	AUTO_FD int out = -1;

	if (in < 0)
		return -errno;
	out = openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	return out < 0 ? -errno : pgdata_copy(in, out, to);
}

int wal_span_copy(const struct wal_span *span, const struct cfg *cfg, uint64_t end, int to,
		  const struct deadline *dl)
{
	AUTO_FD int wal = open_wal(cfg);
	int rc = wal < 0 ? wal : 0;

	for (size_t i = 0; i < span->count && rc == 0; i++) {
		uint32_t timeline = span->ranges[i].timeline;
		uint64_t at, last;

		for (files_of(span, i, end, &at, &last); at <= last && rc == 0; at++)
			rc = deadline_passed(dl)
				 ? -ETIMEDOUT
				 : copy(wal, to,
					wal_segment_name(timeline, at, span->segment_bytes).text);
		if (rc == 0)
			rc = copy(wal, to, wal_history_name(timeline).text);
		if (rc == -ENOENT && timeline == 1)
			rc = 0; /* the first has none */
	}
	return rc < 0 ? rc : fsync(to) < 0 ? -errno : 0;
}
