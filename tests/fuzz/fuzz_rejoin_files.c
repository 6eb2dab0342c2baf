/* SPDX-License-Identifier: PostgreSQL */
/* Files by which rejoin goes on where it was killed: the summary of a salvage, and the mark of a
 * new copy, which names directories that are to be renamed. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/state.h"
#include "fuzz.h"
#include "node/path.h"
#include "rebuild/rebuild.h"
#include "salvage/salvage_shelf.h"

/* The summary says KEY=NUMBER in the one spelling that we write. */
static bool says(const char *text, const char *key, uint64_t number)
{
	char line[64], value[32];

	(void)snprintf(line, sizeof(line), "%" PRIu64, number);
	return state_get(text, key, value, sizeof(value)) == 0 &&
	       strcmp(value + strspn(value, "0"), line + strspn(line, "0")) == 0;
}

static void look_at_summary(const struct cfg *cfg, struct input *in)
{
	struct file_path path = file_state(cfg, "salvage");
	struct salvage found;
	char AUTO_FREE *text = NULL;

	(void)mkdir(path.text, 0700);
	path = file_state(cfg, "salvage/20261123T104844Z-3-0-3000060");
	(void)mkdir(path.text, 0700);
	path = file_state(cfg, "salvage/20261123T104844Z-3-0-3000060/summary");
	fuzz_put(path.text, in->at, in->left);
	text = input_rest(in);
	if (shelf_find(&found, cfg, NULL) < 0)
		return;
	assert(says(text, "system_identifier", found.system_identifier));
	assert(says(text, "timeline", found.timeline) && says(text, "fork", found.fork));
	assert(says(text, "last", found.last) && says(text, "end", found.end));
}

/* In the input @DATA@ stands for the data directory, which is another one each time. */
static void put_mark(const struct cfg *cfg, struct input *in)
{
	char AUTO_FREE *text = input_rest(in);
	char AUTO_FREE *out = NULL;
	size_t size = 0;
	FILE *memory = open_memstream(&out, &size);
	const char *at = text, *next;

	assert(memory != NULL);
	for (; (next = strstr(at, "@DATA@")) != NULL; at = next + strlen("@DATA@"))
		(void)fprintf(memory, "%.*s%s", (int)(next - at), at, cfg->data_dir);
	(void)fputs(at, memory);
	assert(fclose(memory) == 0);
	fuzz_put(file_state(cfg, "rebuilding").text, out, size);
}

/* A name of ours beside the data directory, and nothing else. */
static bool is_beside(const struct cfg *cfg, const char *path, const char *kind)
{
	char begin[CFG_PATH_MAX + 32];

	(void)snprintf(begin, sizeof(begin), "%s.%s", cfg->data_dir, kind);
	return strncmp(path, begin, strlen(begin)) == 0 &&
	       strchr(path + strlen(begin), '/') == NULL;
}

static void look_at_mark(const struct cfg *cfg, struct input *in)
{
	char aside[REBUILD_PATH_MAX] = "", path[CFG_PATH_MAX + 32];

	put_mark(cfg, in);
	/* A copy is there, the data directory is not. */
	(void)rmdir(cfg->data_dir);
	(void)snprintf(path, sizeof(path), "%s.pgv-new-1", cfg->data_dir);
	(void)mkdir(path, 0700);
	(void)rebuild_swapping(cfg);
	if (rebuild_swap(cfg, aside, sizeof(aside)) == 0)
		assert(is_beside(cfg, aside, "pgv-old-"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };

	if (input_byte(&in) % 2 == 0)
		look_at_summary(fuzz_cfg(), &in);
	else
		look_at_mark(fuzz_cfg(), &in);
	return 0;
}
