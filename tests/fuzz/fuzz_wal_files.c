/* SPDX-License-Identifier: PostgreSQL */
/* The names and sizes of the files in pg_wal: what is to be read lies in files that are there, and
 * what is kept for a rewind is found again. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/outcome.h"
#include "fuzz.h"
#include "rewind/rewind.h"
#include "salvage/salvage_wal.h"

#define FILES_MAX 12

/* Its content is holes, which nobody needs to copy. */
int fake_pgdata_copy(int in, int out, int directory) FAKE(pgdata_copy);
int fake_pgdata_copy(int in, int out, int directory)
{
	assert(in >= 0 && out >= 0 && directory >= 0);
	return 0;
}

static int make_directory(const char *path)
{
	(void)mkdir(path, 0700);
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void empty(int directory)
{
	DIR *all = fdopendir(dup(directory));
	struct dirent *entry;

	assert(all != NULL);
	rewinddir(all);
	while ((entry = readdir(all)) != NULL)
		if (entry->d_name[0] != '.')
			(void)unlinkat(directory, entry->d_name, 0);
	(void)closedir(all);
}

/* One line for each: the power of two that its size is, or a digit more that it is not, and its
 * name. */
static void fill(int directory, struct input *in)
{
	for (int i = 0; i < FILES_MAX && in->left > 0; i++) {
		const unsigned power = input_byte(in) % 40;
		const unsigned more = input_byte(in) % 2;
		char AUTO_FREE *name = input_until(in, '\n');
		AUTO_FD int fd = -1;

		if (name[0] == '\0' || name[0] == '.' || strchr(name, '/') != NULL ||
		    strlen(name) > 200)
			continue;
		fd = openat(directory, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
		/* Holes only. */
		assert(fd < 0 || ftruncate(fd, (off_t)((UINT64_C(1) << power) + more)) == 0);
	}
}

static void look_at_span(const struct cfg *cfg, uint64_t fork, uint64_t end)
{
	static struct history_file ours;
	struct wal_span span;

	assert(history_file_parse(&ours, 3, "1\t0/3000060\tx\n2\t0/5000148\ty\n") == 0);
	if (wal_span_find(&span, cfg, &ours, fork, INT64_C(1) << 25) < 0)
		return;
	assert(span.count >= 1 && span.count <= WAL_RANGES_MAX);
	assert(span.segment_bytes >= 1 << 20 && span.segment_bytes <= 1 << 30);
	assert(span.begin == span.ranges[0].begin && span.begin <= span.fork);
	for (size_t i = 1; i < span.count; i++)
		assert(span.ranges[i].begin >= span.ranges[i - 1].begin);
	(void)wal_span_goes_on(&span, cfg, end);
	assert(wal_span_bytes(&span, end) >= 0);
	assert(wal_record_end(end, 100, span.segment_bytes) >= end + 100);
}

static void look_at_kept(const struct cfg *cfg, uint64_t lsn)
{
	const struct pgdata_control control = {
		.known = true, .timeline = 3, .checkpoint_lsn = lsn, .min_recovery_lsn = 0
	};

	if (rewind_keep_wal(cfg, &control) == 0)
		assert(rewind_wal_kept(cfg) == FACT_YES);
	assert(rewind_forget_wal(cfg) == 0 && rewind_wal_kept(cfg) == FACT_NO);
}

/* Two locations, each of eight bytes, then the files. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct cfg *cfg = fuzz_cfg();
	struct input in = { data, size };
	const uint64_t fork = input_number(&in) >> 8;
	const uint64_t end = input_number(&in) >> 8;
	char path[CFG_PATH_MAX + 32];
	AUTO_FD int data_dir = make_directory(cfg->data_dir);
	AUTO_FD int wal = -1;

	assert(snprintf(path, sizeof(path), "%s/global", cfg->data_dir) > 0);
	(void)mkdir(path, 0700);
	assert(snprintf(path, sizeof(path), "%s/global/pg_control", cfg->data_dir) > 0);
	fuzz_put(path, "", 0);
	assert(snprintf(path, sizeof(path), "%s/pg_wal", cfg->data_dir) > 0);
	wal = make_directory(path);
	assert(data_dir >= 0 && wal >= 0);
	empty(wal);
	fill(wal, &in);
	look_at_span(cfg, fork, end);
	look_at_kept(cfg, fork);
	return 0;
}
