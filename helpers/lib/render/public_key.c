/* SPDX-License-Identifier: PostgreSQL */
#include "render/public_key.h"

#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>

int public_key_read(const char *path, char *key, size_t key_size, char *why, size_t size)
{
	FILE AUTO_FILE *file = fopen(path, "re");
	bool read = file != NULL && fgets(key, (int)key_size, file) != NULL;

	if (read) {
		key[strcspn(key, "\n")] = '\0';
		if ((strncmp(key, "ssh-", 4) == 0 || strncmp(key, "ecdsa-", 6) == 0 ||
		     strncmp(key, "sk-", 3) == 0) &&
		    strchr(key, ' ') != NULL)
			return 0;
	}
	(void)snprintf(why, size, "%.200s: %s", path,
		       file == NULL ? strerror(errno) : "is not a public key");
	return -EINVAL;
}

static void print_key(FILE *out, const char *key, const char *name)
{
	const char *blank = strchr(key, ' ');
	size_t length = blank != NULL ? strcspn(blank + 1, " ") + (size_t)(blank + 1 - key) : 0;

	(void)fprintf(out, "%s %.*s\n", name, (int)length, key);
}

int public_key_pin(FILE *out, const char *directory, const char *name, char *why, size_t size)
{
	char pattern[PATH_MAX];
	char key[2048];
	glob_t found;
	int rc = 0;

	(void)snprintf(pattern, sizeof(pattern), "%s/ssh_host_*_key.pub", directory);
	if (glob(pattern, 0, NULL, &found) != 0) {
		(void)snprintf(why, size, "%.200s: there is none", pattern);
		return -ENOENT;
	}
	for (size_t i = 0; rc == 0 && i < found.gl_pathc; i++) {
		rc = public_key_read(found.gl_pathv[i], key, sizeof(key), why, size);
		if (rc == 0)
			print_key(out, key, name);
	}
	globfree(&found);
	return rc;
}
