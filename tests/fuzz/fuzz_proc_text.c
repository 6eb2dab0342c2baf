/* SPDX-License-Identifier: PostgreSQL */
/* Text of the kernel and of the server about processes: postmaster.pid, PG_VERSION, the inotify
 * lines of /proc/PID/fdinfo, the checkpointer's /proc/PID/status. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/deadline.h"
#include "base/outcome.h"
#include "base/state.h"
#include "node/keepalived.h"
#include "postgres/pgdata.h"
#include "postgres/server_sync.h"
#include "rows.h"

static char fdinfo[CFG_PATH_MAX + 16];
static const char *status;

/* In place of /proc and /proc/PID/fdinfo: one with a single file, 5. */
DIR *real_opendir(const char *name) __asm__("__real_opendir");
DIR *fake_opendir(const char *name) FAKE(opendir);
DIR *fake_opendir(const char *name)
{
	return real_opendir(strncmp(name, "/proc", 5) == 0 ? fdinfo : name);
}

int real_state_read(const char *path, char *text, size_t size) __asm__("__real_state_read");
int fake_state_read(const char *path, char *text, size_t size) FAKE(state_read);
int fake_state_read(const char *path, char *text, size_t size)
{
	if (strncmp(path, "/proc/", 6) != 0)
		return real_state_read(path, text, size);
	if (snprintf(text, size, "%s", status) >= (int)size)
		return -EFBIG;
	return 0;
}

/* Any process is the checkpointer. */
int fake_pgdata_process(const struct cfg *cfg, pid_t pid) FAKE(pgdata_process);
int fake_pgdata_process(const struct cfg *cfg, pid_t pid)
{
	(void)cfg;
	assert(pid > 0);
	return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void put_fdinfo(const struct input *in)
{
	char path[sizeof(fdinfo) + 8];

	(void)snprintf(fdinfo, sizeof(fdinfo), "%s/fdinfo", fuzz_cfg()->run_dir);
	(void)mkdir(fdinfo, 0700);
	assert(snprintf(path, sizeof(path), "%s/5", fdinfo) > 0);
	fuzz_put(path, in->at, in->left);
}

static void put_below(const char *name, const struct input *in)
{
	char path[CFG_PATH_MAX + 32];

	(void)mkdir(fuzz_cfg()->data_dir, 0700);
	assert(snprintf(path, sizeof(path), "%s/%s", fuzz_cfg()->data_dir, name) > 0);
	fuzz_put(path, in->at, in->left);
}

static void look_at_postmaster(struct input in)
{
	const struct cfg *cfg = fuzz_cfg();
	pid_t pid = -1;
	int fd, single;

	put_below("postmaster.pid", &in);
	put_fdinfo(&(struct input){ NULL, 0 });
	fd = pgdata_postmaster(cfg, &pid);
	assert(fd >= 0 ? pid > 0 : pid == 0);
	if (fd >= 0)
		(void)close(fd);
	single = pgdata_single_user(cfg);
	assert(single <= 1 && (single != 1 || fd == -ENOENT));
}

static void look_at_version(struct input in)
{
	int major = -1;

	put_below("PG_VERSION", &in);
	if (pgdata_version(fuzz_cfg(), &major) == 0)
		assert(major >= 0 && major <= 9999);
	else
		assert(major == 0);
	assert(pgdata_form(fuzz_cfg()) == PGDATA_PRIMARY);
}

static void look_at_fdinfo(struct input in)
{
	char AUTO_FREE *text = NULL;

	put_fdinfo(&in);
	text = input_rest(&in);
	if (keepalived_watches(getpid(), fuzz_cfg()->state_dir) == FACT_YES)
		assert(strstr(text, "inotify wd:") != NULL);
}

/* Two answers of the server, a line "|", the kernel's text. */
static void look_at_checkpointer(struct input in)
{
	const struct deadline dl = deadline_in_ms(1000);
	const uint8_t *bar = in.left > 0 ? memmem(in.at, in.left, "\n|\n", 3) : NULL;
	struct input text = { bar != NULL ? bar + 3 : in.at,
			      bar != NULL ? in.left - (size_t)(bar - in.at) - 3 : 0 };
	char AUTO_FREE *copy = input_rest(&text);
	char names[64];

	status = copy;
	if (bar != NULL)
		in.left = (size_t)(bar - in.at) + 1;
	rows_begin(in);
	assert(server_sync_names(fuzz_cfg(), names, sizeof(names)) == 0);
	if (server_sync_settled(fuzz_cfg(), names, &dl) == FACT_YES)
		assert(strstr(copy, "\nState:\tS ") != NULL &&
		       strstr(copy, "\nSigPnd:\t") != NULL &&
		       strstr(copy, "\nvoluntary_ctxt_switches:\t") != NULL);
}

/* The first byte chooses. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const looks[])(struct input) = { look_at_postmaster, look_at_version,
						       look_at_fdinfo, look_at_checkpointer };
	struct input in = { data, size };
	const size_t which = input_byte(&in) % ARRAY_COUNT(looks);

	looks[which](in);
	return 0;
}
