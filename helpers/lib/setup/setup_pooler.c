/* SPDX-License-Identifier: PostgreSQL */
#include "setup/setup_pooler.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/auto.h"
#include "base/state.h"
#include "base/text.h"

static bool is_pooler(const char *name)
{
	static const char *const poolers[] = { "pgbouncer", "odyssey", "pgcat", "pgpool" };

	for (size_t i = 0; i < ARRAY_COUNT(poolers); i++) {
		if (strcmp(name, poolers[i]) == 0)
			return true;
	}
	return false;
}

/* The name of a process; one that has ended since has none. */
static bool name_of(const char *pid, char *name, size_t size)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%.20s/comm", pid);
	if (state_read(path, name, size) < 0)
		return false;
	name[strcspn(name, "\n")] = '\0';
	return true;
}

enum fact setup_no_pooler(char *why, size_t size)
{
	DIR AUTO_DIR *all = opendir("/proc");
	struct dirent *entry;
	char name[32];

	if (all == NULL) {
		(void)snprintf(why, size, "/proc: %s", strerror(errno));
		return FACT_UNKNOWN;
	}
	for (errno = 0; (entry = readdir(all)) != NULL; errno = 0) {
		if (strspn(entry->d_name, "0123456789") != strlen(entry->d_name) ||
		    !name_of(entry->d_name, name, sizeof(name)) || !is_pooler(name))
			continue;
		(void)snprintf(why, size, "%s, process %.20s", name, entry->d_name);
		return FACT_NO;
	}
	if (errno == 0)
		return FACT_YES;
	(void)snprintf(why, size, "/proc: %s", strerror(errno));
	return FACT_UNKNOWN;
}
