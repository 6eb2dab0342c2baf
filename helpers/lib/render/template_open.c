/* SPDX-License-Identifier: PostgreSQL */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "render/template.h"

/* Seen from the program: a staged or moved installation, a build tree, one with sanitizers
 * in it. */
static const char *const places[] = { "../../share/pg_vrrp", "../../keepalived",
				      "../../../keepalived" };

static FILE *open_in(const char *directory, const char *place, const char *name, char *path,
		     size_t size)
{
	(void)snprintf(path, size, "%s%s%s/%s", directory, place[0] != '\0' ? "/" : "", place,
		       name);
	return fopen(path, "re");
}

FILE *template_open(const char *directory, const char *name, char *path, size_t size)
{
	char self[PATH_MAX];
	FILE *file = NULL;
	char *slash;

	if (directory != NULL)
		return open_in(directory, "", name, path, size);
	if (realpath("/proc/self/exe", self) != NULL && (slash = strrchr(self, '/')) != NULL) {
		*slash = '\0';
		for (size_t i = 0; file == NULL && i < ARRAY_COUNT(places); i++)
			file = open_in(self, places[i], name, path, size);
	}
	return file != NULL ? file : open_in(PGV_DATADIR, "", name, path, size);
}
