/* SPDX-License-Identifier: PostgreSQL */
/* The INI file (cfg_load): what is refused is refused whole and with its place; what is accepted
 * can be rendered and has nothing in it that a line of a configuration must not have. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/cfg.h"
#include "fuzz.h"
#include "render/config_values.h"

#define COMMENT "# a line more\n"

static int load(struct cfg *cfg, const char *begin, const uint8_t *data, size_t size)
{
	static char path[64];
	static int fd = -1;

	if (fd < 0) {
		fd = memfd_create("cfg", MFD_CLOEXEC);
		assert(fd >= 0 && fchmod(fd, 0600) == 0);
		(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	}
	assert(ftruncate(fd, 0) == 0);
	assert(pwrite(fd, begin, strlen(begin), 0) == (ssize_t)strlen(begin));
	assert(pwrite(fd, data, size, (off_t)strlen(begin)) == (ssize_t)size);
	fuzz_said = (struct fuzz_said){ .used = 0 };
	return cfg_load(cfg, path);
}

/* "FILE:LINE: what" or "FILE: what", and each with its hint; the first line that is named, or 0. */
static unsigned look_at_complaints(void)
{
	char AUTO_FREE *said = strdup(fuzz_said.text);
	char *rest = said, *line;
	unsigned first = 0, number = 0;
	bool hinted = true;

	assert(said != NULL && fuzz_said.lines >= 2);
	while ((line = strsep(&rest, "\n")) != NULL && *line != '\0') {
		const bool hint = strncmp(line, "HINT:  ", 7) == 0;

		if (strstr(line, " more faults") != NULL)
			break;
		assert(hint != hinted || (hint && !hinted));
		if (!hint)
			assert(strncmp(line, "/proc/self/fd/", 14) == 0);
		if (!hint && first == 0 && sscanf(line, "/proc/self/fd/%*d:%u: ", &number) == 1)
			first = number;
		hinted = hint;
	}
	assert(hinted);
	return first;
}

static void look_at_values(const struct cfg *cfg)
{
	struct config_values values;

	if (config_values(&values, cfg, "/etc/pg_vrrp/main.ini", true) != 0)
		return;
	for (size_t i = 0; i < values.count; i++)
		assert(values.list[i].value == NULL || fuzz_is_clean(values.list[i].value));
	for (size_t i = 0; i < CFG_NODES; i++)
		assert(cfg_node(cfg, cfg->nodes[i].name) == &cfg->nodes[i]);
	assert(cfg_watchdog(cfg).after_ms <= cfg->margin_ms);
	assert(cfg_fence_time_ms(cfg) < cfg->lease_ms);
}

static void assert_same(const struct cfg *a, const struct cfg *b)
{
	static struct config_values one, other;

	assert(config_values(&one, a, "/x", true) == config_values(&other, b, "/x", true));
	assert(one.count == other.count && one.used == other.used);
	assert(memcmp(one.text, other.text, one.used) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cfg cfg, again;
	unsigned line = 0;
	int rc, rc_again;

	if (size > 60000)
		return 0;
	rc = load(&cfg, "", data, size);
	assert(rc == 0 || rc == -EINVAL);
	if (rc == 0) {
		assert(fuzz_said.lines == 0);
		look_at_values(&cfg);
	} else {
		assert(fuzz_is_zero(&cfg, sizeof(cfg)));
		line = look_at_complaints();
	}
	/* With a comment in front it says the same, one line further down. */
	rc_again = load(&again, COMMENT, data, size);
	assert(rc_again == rc);
	if (rc == 0)
		assert_same(&cfg, &again);
	else
		assert(look_at_complaints() == (line == 0 ? 0 : line + 1));
	return 0;
}
