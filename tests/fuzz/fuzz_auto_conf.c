/* SPDX-License-Identifier: PostgreSQL */
/* postgresql.auto.conf, as it is rewritten for a standby: the rest stays, what is ours is there
 * once and at the end, and a second run changes nothing. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "fuzz.h"
#include "postgres/pgdata.h"
#include "postgres/pgdata_file.h"

#define TEXT_MAX (512 * 1024)

static const char end_of_file[] = "'\nrecovery_target_timeline = 'latest'\n";
static char first[TEXT_MAX], second[TEXT_MAX];

/* The value in the line before the last, its quotes and backslashes single again. */
static void look(const char *text, const char *conninfo)
{
	static const char name[] = "primary_conninfo = '";
	const size_t length = strlen(text);
	const char *at = NULL;

	for (const char *found = text; (found = strstr(found, name)) != NULL; found++)
		if (found == text || found[-1] == '\n')
			at = found;
	assert(at != NULL);
	assert(length >= strlen(end_of_file) &&
	       strcmp(text + length - strlen(end_of_file), end_of_file) == 0);
	at += strlen(name);
	for (; *conninfo != '\0'; conninfo++) {
		assert(*at == *conninfo);
		if (*at == '\'' || *at == '\\') {
			at++;
			assert(*at == *conninfo);
		}
		at++;
	}
	assert(strcmp(at, end_of_file) == 0);
}

static void read_back(int directory, char *text)
{
	assert(pgdata_read(directory, "postgresql.auto.conf", text, TEXT_MAX) == 0);
}

/* A connection string, a line feed, the file. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct cfg *cfg = fuzz_cfg();
	struct input in = { data, size };
	char AUTO_FREE *conninfo = input_until(&in, '\n');
	char path[CFG_PATH_MAX + 32];
	AUTO_FD int directory = -1;
	int rc;

	(void)mkdir(cfg->data_dir, 0700);
	directory = open(cfg->data_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert(directory >= 0);
	assert(snprintf(path, sizeof(path), "%s/postgresql.auto.conf", cfg->data_dir) > 0);
	fuzz_put(path, in.at, in.left);
	rc = pgdata_make_standby(cfg, conninfo, false);
	assert(rc == 0 || rc == -EINVAL || rc == -EFBIG);
	if (rc != 0)
		return 0;
	read_back(directory, first);
	look(first, conninfo);
	assert(pgdata_make_standby(cfg, conninfo, false) == 0);
	read_back(directory, second);
	assert(strcmp(first, second) == 0);
	return 0;
}
