/* SPDX-License-Identifier: PostgreSQL */
#include "setup/setup_generated.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>

#include "base/auto.h"
#include "base/state.h"
#include "render/config_values.h"
#include "render/template.h"

#define KEEPALIVED_DIR "/etc/keepalived"
/* More than a file that a person still reads. */
#define FILE_BYTES (256 * 1024)

/* Leaves of a text what counts, in place. */
static void normalise(char *text)
{
	char *to = text;

	for (char *line = text, *next = NULL; *line != '\0'; line = next) {
		size_t length = strcspn(line, "\n");

		next = line + length + (line[length] != '\0');
		line[length] = '\0';
		line += strspn(line, " \t\r");
		length = strcspn(line, "#;!");
		/* A comment begins a line or follows a blank. */
		while (line[length] != '\0' && length > 0 && line[length - 1] != ' ' &&
		       line[length - 1] != '\t')
			length += 1 + strcspn(line + length + 1, "#;!");
		while (length > 0 && strchr(" \t\r", line[length - 1]) != NULL)
			length--;
		if (length == 0)
			continue;
		memmove(to, line, length);
		to += length;
		*to++ = '\n';
	}
	*to = '\0';
}

/* A file of any size up to the limit, normalised; NULL with errno. */
static char *text_of(const char *path)
{
	char *text = malloc(FILE_BYTES);
	int rc = text != NULL ? state_read(path, text, FILE_BYTES) : -ENOMEM;

	if (rc < 0) {
		free(text);
		errno = -rc;
		return NULL;
	}
	normalise(text);
	return text;
}

/* FNV-1a. */
static uint64_t sum(const char *text)
{
	uint64_t digest = UINT64_C(14695981039346656037);

	for (; *text != '\0'; text++)
		digest = (digest ^ (unsigned char)*text) * UINT64_C(1099511628211);
	return digest;
}

uint64_t setup_digest(const char *text)
{
	/* Room for the end of a last line that has none. */
	char AUTO_FREE *copy = malloc(strlen(text) + 2);

	if (copy == NULL)
		return 0;
	memcpy(copy, text, strlen(text) + 1);
	normalise(copy);
	return sum(copy);
}

void setup_digest_of(const struct cfg *cfg, char *text, size_t size)
{
	char AUTO_FREE *content = text_of(cfg->path);

	text[0] = '\0';
	if (content != NULL)
		(void)snprintf(text, size, "%016" PRIx64, sum(content));
}

/* The lines that cluster_config prints for this node, normalised; NULL: they could not be made. */
static char *wanted(const struct cfg *cfg, char *why, size_t size)
{
	struct config_values AUTO_FREE *values = calloc(1, sizeof(*values));
	char path[PATH_MAX], place[PATH_MAX + 64];
	char fault[80] = "";
	char *text = NULL;
	size_t length = 0;
	FILE AUTO_FILE *file =
	    template_open(NULL, "keepalived-cluster.conf.in", place, sizeof(place));
	FILE *out = open_memstream(&text, &length);
	int rc = values == NULL || out == NULL || file == NULL ? -ENOENT : 0;

	if (rc == 0 && realpath(cfg->path, path) == NULL)
		rc = -errno;
	if (rc == 0)
		rc = config_values(values, cfg, path, true);
	if (rc == 0)
		rc = template_render(out, file, values->list, fault, sizeof(fault));
	if (out != NULL && fclose(out) != 0)
		rc = -ENOMEM;
	if (rc < 0) {
		(void)snprintf(why, size, "%.80s: %.80s", place, strerror(-rc));
		free(text);
		return NULL;
	}
	normalise(text);
	return text;
}

static bool holds(const char *path, const char *wanted_text)
{
	char AUTO_FREE *text = text_of(path);

	return text != NULL && strstr(text, wanted_text) != NULL;
}

static bool in_directory(const char *directory, const char *wanted_text)
{
	DIR AUTO_DIR *all = opendir(directory);
	struct dirent *entry;

	while (all != NULL && (entry = readdir(all)) != NULL) {
		char path[PATH_MAX];
		const char *dot = strrchr(entry->d_name, '.');

		(void)snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name);
		if (dot != NULL && strcmp(dot, ".conf") == 0 && holds(path, wanted_text))
			return true;
	}
	return false;
}

enum fact setup_generated(const struct cfg *cfg, char *why, size_t size)
{
	char AUTO_FREE *text = wanted(cfg, why, size);

	if (text == NULL)
		return FACT_UNKNOWN;
	if (in_directory(KEEPALIVED_DIR, text) || in_directory(KEEPALIVED_DIR "/conf.d", text))
		return FACT_YES;
	(void)snprintf(why, size, "no file of %s has what is generated for this node",
		       KEEPALIVED_DIR);
	return state_exists(KEEPALIVED_DIR "/keepalived.conf") < 0 ? FACT_UNKNOWN : FACT_NO;
}
