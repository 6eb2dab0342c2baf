/* SPDX-License-Identifier: PostgreSQL */
/* The files of both nodes, in memory, in place of base/state.c; a directory may be broken. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>

#include "base/state.h"
#include "sim.h"

FAKES(state_write);
FAKES(state_read);
FAKES(state_remove);
FAKES(state_exists);
FAKES(state_append);
FAKES(state_sync_directory);
FAKES(state_mkdirs);
FAKES(state_sweep);

#define FILES_MAX 512 /* a power of two */

struct file {
	char path[96];
	bool there;
	char text[1400];
};

static struct file files[FILES_MAX];
static int64_t broken_until_us[NODES][PLACES];

static struct file *file_at(const char *path)
{
	uint32_t hash = 2166136261U;
	struct file *file;

	for (const char *at = path; *at != '\0'; at++)
		hash = (hash ^ (unsigned char)*at) * 16777619U;
	for (;; hash++) {
		file = &files[hash % FILES_MAX];
		if (file->path[0] == '\0')
			(void)snprintf(file->path, sizeof(file->path), "%s", path);
		if (strcmp(file->path, path) == 0)
			return file;
	}
}

void files_begin(void)
{
	memset(files, 0, sizeof(files));
	memset(broken_until_us, 0, sizeof(broken_until_us));
}

void files_boot(int node)
{
	const size_t length = strlen(nodes[node].cfg.run_dir);

	for (size_t i = 0; i < FILES_MAX; i++) {
		if (strncmp(files[i].path, nodes[node].cfg.run_dir, length) == 0)
			files[i].there = false;
	}
	broken_until_us[node][PLACE_RUN] = 0;
}

void files_break(int node, enum files_place place, int64_t until_us)
{
	static const char *const words[PLACES] = { "run_dir", "state_dir", "the data directory" };

	broken_until_us[node][place] = until_us;
	told(node, "fault", "%s takes no writes for %lld ms", words[place],
	     (long long)(until_us - sim_now_us) / 1000);
}

static bool is_broken(const char *path)
{
	for (int node = 0; node < NODES; node++) {
		const struct cfg *cfg = &nodes[node].cfg;
		const char *const places[PLACES] = { cfg->run_dir, cfg->state_dir, cfg->data_dir };

		for (int place = 0; place < PLACES; place++) {
			if (sim_now_us < broken_until_us[node][place] &&
			    strncmp(path, places[place], strlen(places[place])) == 0)
				return true;
		}
	}
	return false;
}

void file_put(const char *path, const char *text)
{
	struct file *file = file_at(path);

	file->there = true;
	(void)snprintf(file->text, sizeof(file->text), "%s", text);
}

bool file_there(const char *path)
{
	return file_at(path)->there;
}

void file_forget(const char *path)
{
	file_at(path)->there = false;
}

/* The postmaster writes that there. */
static int read_pid_file(int node, char *text, size_t size)
{
	const struct fake_server *server = &servers[node];

	if (server->phase == SERVER_IS_DOWN)
		return -ENOENT;
	(void)snprintf(text, size, "%d\n\n\n\n\n\n\n%s\n", server->pid,
		       server->phase == SERVER_BEGINS ? "starting" : "ready   ");
	return 0;
}

int FAKE(state_read)(const char *path, char *text, size_t size)
{
	const struct file *file;

	sim_pass(2);
	for (int node = 0; node < NODES; node++) {
		const size_t length = strlen(nodes[node].cfg.data_dir);

		if (strncmp(path, nodes[node].cfg.data_dir, length) == 0 &&
		    strcmp(path + length, "/postmaster.pid") == 0)
			return read_pid_file(node, text, size);
	}
	file = file_at(path);
	if (!file->there)
		return -ENOENT;
	return (size_t)snprintf(text, size, "%s", file->text) < size ? 0 : -EFBIG;
}

int FAKE(state_write)(const char *path, const char *text, mode_t mode, bool durable)
{
	(void)mode;
	sim_effect(path);
	if (is_broken(path))
		return -EROFS;
	file_put(path, text);
	if (durable)
		sim_pass(chance_between(100, 3000));
	sim_effect(path);
	return 0;
}

int FAKE(state_remove)(const char *path, bool durable)
{
	(void)durable;
	if (!file_at(path)->there)
		return 0;
	sim_effect(path);
	if (is_broken(path))
		return -EROFS;
	file_at(path)->there = false;
	return 0;
}

static bool is_directory(const char *path)
{
	for (int node = 0; node < NODES; node++) {
		const struct cfg *cfg = &nodes[node].cfg;

		if (strcmp(path, cfg->run_dir) == 0 || strcmp(path, cfg->state_dir) == 0 ||
		    strcmp(path, cfg->data_dir) == 0)
			return true;
	}
	return false;
}

int FAKE(state_exists)(const char *path)
{
	sim_pass(1);
	return is_directory(path) || file_at(path)->there;
}

int FAKE(state_append)(const char *path, const char *line, mode_t mode)
{
	(void)path;
	(void)mode;
	told(sim_node(), "history", "%s", line);
	return 0;
}

int FAKE(state_sync_directory)(const char *path)
{
	(void)path;
	return 0;
}

int FAKE(state_mkdirs)(const char *path)
{
	(void)path;
	return 0;
}

int FAKE(state_sweep)(const char *directory)
{
	(void)directory;
	return 0;
}
