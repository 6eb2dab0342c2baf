/* SPDX-License-Identifier: PostgreSQL */
#include "render/setting_order.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"

/* How long the directory in the path is; 0: there is none. */
static size_t directory_length(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? (size_t)(slash - path) : 0;
}

/* Are they one directory or file, by whatever names? */
static bool same_path(const char *a, const char *b)
{
	char AUTO_FREE *left = realpath(a, NULL);
	char AUTO_FREE *right = realpath(b, NULL);

	return strcmp(left != NULL ? left : a, right != NULL ? right : b) == 0;
}

static bool same_directory(const char *a, const char *b)
{
	char left[PATH_MAX], right[PATH_MAX];

	(void)snprintf(left, sizeof(left), "%.*s", (int)directory_length(a), a);
	(void)snprintf(right, sizeof(right), "%.*s", (int)directory_length(b), b);
	return same_path(left, right);
}

/* The file or directory that the line includes, as a path; false: nothing.  *whole: all files of
 * a directory. */
static bool included(const char *text, const char *file, char *path, size_t size, bool *whole)
{
	static const char *const words[] = { "include_dir", "include_if_exists", "include" };
	const char *name = text + strspn(text, " \t");
	size_t length = strcspn(name, " \t='"), end;

	for (size_t i = 0; i < ARRAY_COUNT(words); i++) {
		const char *value = name + length + strspn(name + length, " \t='");

		if (strlen(words[i]) != length || strncmp(name, words[i], length) != 0)
			continue;
		*whole = i == 0;
		end = strcspn(value, "'\n");
		(void)snprintf(path, size, "%.*s%s%.*s",
			       value[0] == '/' ? 0 : (int)directory_length(file), file,
			       value[0] == '/' ? "" : "/", (int)end, value);
		return end > 0;
	}
	return false;
}

bool setting_comes_later(const char *file, int64_t line, const char *place)
{
	char AUTO_FREE *text = NULL;
	char path[PATH_MAX], directory[PATH_MAX];
	FILE AUTO_FILE *in = NULL;
	size_t capacity = 0;
	bool whole;

	if (file[0] != '/' || place[0] != '/' || same_path(file, place))
		return false;
	if (same_directory(file, place) && strcmp(strrchr(file, '/'), "/postgresql.conf") != 0)
		return strcmp(strrchr(file, '/'), strrchr(place, '/')) > 0;
	(void)snprintf(directory, sizeof(directory), "%.*s", (int)directory_length(place), place);
	in = fopen(file, "re");
	for (int64_t at = 1; in != NULL && at < line && getline(&text, &capacity, in) >= 0; at++) {
		if (included(text, file, path, sizeof(path), &whole) &&
		    same_path(path, whole ? directory : place))
			return true;
	}
	return false;
}
