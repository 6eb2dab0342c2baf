/* SPDX-License-Identifier: PostgreSQL */
/* Connection strings, through libpq's own parser. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "postgres/pg_internal.h"

int conninfo_get(const char *conninfo, const char *keyword, char *value, size_t size)
{
	PQconninfoOption *options = PQconninfoParse(conninfo, NULL);
	int rc = -ENOENT;

	if (options == NULL)
		return -EINVAL;
	for (const PQconninfoOption *option = options; option->keyword != NULL; option++) {
		if (option->val == NULL || strcmp(option->keyword, keyword) != 0)
			continue;
		rc = strlen(option->val) < size ? 0 : -EFBIG;
		if (rc == 0)
			(void)snprintf(value, size, "%s", option->val);
	}
	PQconninfoFree(options);
	return rc;
}

/* keyword='value', with \ before ' and \ as the grammar wants it. */
static int append_quoted(char *out, size_t size, const char *keyword, const char *value)
{
	size_t used = strlen(out);
	int n = snprintf(out + used, size - used, "%s%s='", used > 0 ? " " : "", keyword);

	if (n < 0 || (size_t)n >= size - used)
		return -EFBIG;
	used += (size_t)n;
	for (; *value != '\0'; value++) {
		if (used + 3 >= size)
			return -EFBIG;
		if (*value == '\'' || *value == '\\')
			out[used++] = '\\';
		out[used++] = *value;
	}
	if (used + 1 >= size)
		return -EFBIG;
	out[used++] = '\'';
	out[used] = '\0';
	return 0;
}

static int append(char *out, size_t size, const char *keyword, const char *value)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789_-./:,%";
	const size_t used = strlen(out);
	int n;

	if (value[0] == '\0' || value[strspn(value, plain)] != '\0')
		return append_quoted(out, size, keyword, value);
	n = snprintf(out + used, size - used, "%s%s=%s", used > 0 ? " " : "", keyword, value);
	return n < 0 || (size_t)n >= size - used ? -EFBIG : 0;
}

static bool given(const struct conninfo_item *items, size_t count, const char *keyword)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(items[i].keyword, keyword) == 0)
			return true;
	}
	return false;
}

int conninfo_compose(const struct conninfo_item *items, size_t count, const char *extra, char *out,
		     size_t size)
{
	PQconninfoOption *options = PQconninfoParse(extra, NULL);
	int rc = options != NULL ? 0 : -EINVAL;

	if (size == 0)
		rc = -EFBIG;
	else
		out[0] = '\0';
	for (size_t i = 0; i < count && rc == 0; i++) {
		if (items[i].value[0] != '\0')
			rc = append(out, size, items[i].keyword, items[i].value);
	}
	for (const PQconninfoOption *option = options; rc == 0 && option->keyword != NULL;
	     option++) {
		if (option->val != NULL && !given(items, count, option->keyword))
			rc = append(out, size, option->keyword, option->val);
	}
	PQconninfoFree(options);
	return rc;
}
