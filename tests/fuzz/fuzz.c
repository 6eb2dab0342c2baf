/* SPDX-License-Identifier: PostgreSQL */
#include "fuzz.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "node/path.h"

/* ---- the input ---- */

uint8_t input_byte(struct input *in)
{
	if (in->left == 0)
		return 0;
	in->left--;
	return *in->at++;
}

uint64_t input_number(struct input *in)
{
	uint64_t number = 0;

	(void)input_bytes(in, &number, sizeof(number));
	return number;
}

size_t input_bytes(struct input *in, void *bytes, size_t size)
{
	const size_t there = size < in->left ? size : in->left;

	if (there > 0)
		memcpy(bytes, in->at, there);
	in->at += there;
	in->left -= there;
	return there;
}

static char *copy(struct input *in, size_t length)
{
	char *text = malloc(length + 1);

	assert(text != NULL);
	(void)input_bytes(in, text, length);
	text[length] = '\0';
	return text;
}

char *input_rest(struct input *in)
{
	return copy(in, in->left);
}

char *input_until(struct input *in, char end)
{
	const uint8_t *found = in->left > 0 ? memchr(in->at, end, in->left) : NULL;
	char *text = copy(in, found != NULL ? (size_t)(found - in->at) : in->left);

	(void)input_byte(in);
	return text;
}

/* ---- a node ---- */

static void place(char *path, size_t size, const char *directory, const char *name)
{
	int length = snprintf(path, size, "%s/%s", directory, name);

	assert(length > 0 && (size_t)length < size);
}

static struct cfg make_cfg(void)
{
	const char *base = getenv("TMPDIR"); /* ALLOW: where a test may write */
	char directory[CFG_PATH_MAX / 2];
	struct cfg cfg = { .name = "main",
			   .vip = "192.0.2.100",
			   .vip_prefix = 24,
			   .virtual_router_id = 51,
			   .witness_address = "192.0.2.9",
			   .nodes = { { .name = "n1", .address = "192.0.2.1" },
				      { .name = "n2", .address = "192.0.2.2" } },
			   .port = 5432,
			   .os_user = "postgres",
			   .role = "pgvrrp",
			   .database = "pgvrrp",
			   .version = 15,
			   .lease_ms = 5000,
			   .margin_ms = 1000,
			   .retry_interval_ms = 10000,
			   .salvage_keep = 5 };

	(void)snprintf(directory, sizeof(directory), "%s/pgv-fuzz.XXXXXX",
		       base != NULL ? base : "/tmp");
	assert(mkdtemp(directory) != NULL);
	place(cfg.run_dir, sizeof(cfg.run_dir), directory, "run");
	place(cfg.state_dir, sizeof(cfg.state_dir), directory, "state");
	place(cfg.data_dir, sizeof(cfg.data_dir), directory, "data");
	place(cfg.bin_dir, sizeof(cfg.bin_dir), directory, "bin");
	assert(files_prepare(&cfg) == 0);
	return cfg;
}

const struct cfg *fuzz_cfg(void)
{
	static struct cfg cfg;

	if (cfg.name[0] == '\0')
		cfg = make_cfg();
	return &cfg;
}

void fuzz_put(const char *path, const void *bytes, size_t size)
{
	int AUTO_FD fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert(fd >= 0 && write(fd, bytes, size) == (ssize_t)size);
}

bool fuzz_is_clean(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return false;
	return true;
}

bool fuzz_is_zero(const void *bytes, size_t size)
{
	const unsigned char *at = bytes;

	while (size > 0 && *at == 0) {
		at++;
		size--;
	}
	return size == 0;
}

/* Durability is nothing that could be seen here, and takes most of the time. */
int fake_fsync(int fd) FAKE(fsync);
int fake_fsync(int fd)
{
	return fd < 0 ? -1 : 0;
}

/* ---- the log ---- */

struct fuzz_said fuzz_said;

PRINTF_LIKE(1, 0) static void say(const char *fmt, va_list args)
{
	struct fuzz_said *said = &fuzz_said;
	size_t left = sizeof(said->text) - said->used;
	/* Also what nobody looks at is formatted: the sanitizers look. */
	int length = vsnprintf(said->text + said->used, left, fmt, args);

	assert(length >= 0);
	said->lines++;
	if ((size_t)length + 2 > left) {
		said->text[said->used] = '\0';
		return;
	}
	said->used += (size_t)length;
	said->text[said->used++] = '\n';
	said->text[said->used] = '\0';
}

#define FAKE_LOG(name)                                                                     \
	void fake_##name(const char *fmt, ...) __asm__("__wrap_" #name) PRINTF_LIKE(1, 2); \
	void fake_##name(const char *fmt, ...)                                             \
	{                                                                                  \
		va_list args;                                                              \
                                                                                           \
		va_start(args, fmt);                                                       \
		say(fmt, args);                                                            \
		va_end(args);                                                              \
	}

FAKE_LOG(log_debug)
FAKE_LOG(log_info)
FAKE_LOG(log_warning)
FAKE_LOG(log_error)
FAKE_LOG(log_complaint)
