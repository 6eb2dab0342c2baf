/* SPDX-License-Identifier: PostgreSQL */
#include "node/path.h"

#include <stdio.h>

#include "base/state.h"

static struct file_path path_join(const char *directory, const char *name)
{
	struct file_path path;
	int length = snprintf(path.text, sizeof(path.text), "%s/%s", directory, name);

	/* A path that does not fit must not look like a file that is absent (ENOENT): for the
	 * fenced mark that would be a permission.  This one gives ENOTDIR. */
	if (length < 0 || (size_t)length >= sizeof(path.text))
		(void)snprintf(path.text, sizeof(path.text), "/dev/null/path-too-long");
	return path;
}

struct file_path file_run(const struct cfg *cfg, const char *name)
{
	return path_join(cfg->run_dir, name);
}

struct file_path file_state(const struct cfg *cfg, const char *name)
{
	return path_join(cfg->state_dir, name);
}

struct file_path file_data(const struct cfg *cfg, const char *name)
{
	return path_join(cfg->data_dir, name);
}

const char *mark_word(enum mark mark)
{
	static const char *const words[] = {
		[MARK_FENCED] = "fenced",
		[MARK_WITHDRAWN] = "withdrawn",
		[MARK_REWINDING] = "rewinding",
		[MARK_REBUILDING] = "rebuilding",
	};

	return words[mark];
}

struct file_path file_mark(const struct cfg *cfg, enum mark mark)
{
	return file_state(cfg, mark_word(mark));
}

struct file_path file_lock(const struct cfg *cfg, enum node_lock lock)
{
	static const char *const words[] = {
		[LOCK_PROMOTE] = "promote.lock",
		[LOCK_REJOIN] = "rejoin.lock",
		[LOCK_START] = "start.lock",
		[LOCK_SERVING] = "serving.lock",
		[LOCK_GUARD] = "guard.lock",
		[LOCK_RECORD] = "record.lock",
		[LOCK_MEMORY] = "record_memory.lock",
		[LOCK_SLOTS] = "slots.lock",
		[LOCK_PLANNED] = "planned.lock",
		[LOCK_WATCH] = "watch.lock",
		[LOCK_DRILL] = "drill.lock",
		[LOCK_FENCING] = "fencing.lock",
		[LOCK_FENCING_HELD] = "fencing.held.lock",
	};

	return file_run(cfg, words[lock]);
}

int files_prepare(const struct cfg *cfg)
{
	int rc = state_mkdirs(cfg->run_dir);

	return rc < 0 ? rc : state_mkdirs(cfg->state_dir);
}
