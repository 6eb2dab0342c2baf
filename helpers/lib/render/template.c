/* SPDX-License-Identifier: PostgreSQL */
#include "render/template.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define NAME_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZ_"

/* The value of the name that is text[0..length), or NULL when no such name is known. */
static const struct template_value *find(const struct template_value *values, const char *text,
					 size_t length)
{
	for (; values->name != NULL; values++) {
		if (strlen(values->name) == length && strncmp(values->name, text, length) == 0)
			return values;
	}
	return NULL;
}

/* Length of NAME when text goes on with NAME@, else 0: an @ alone is only an @. */
static size_t name_length(const char *text)
{
	size_t length = strspn(text, NAME_CHARACTERS);

	return text[length] == '@' ? length : 0;
}

/* Takes the conditions off the beginning of the line.  1: print the rest, 0: do not, or -EINVAL. */
static int conditions(const char **line, const struct template_value *values)
{
	bool stands = true;

	while ((*line)[0] == '@' && ((*line)[1] == '?' || (*line)[1] == '!')) {
		size_t length = name_length(*line + 2);
		const struct template_value *value = find(values, *line + 2, length);

		if (length == 0 || value == NULL)
			return -EINVAL;
		stands = stands && (value->value != NULL) == ((*line)[1] == '?');
		*line += length + 3;
	}
	return stands;
}

static int write_line(FILE *out, const char *line, const struct template_value *values)
{
	while (*line != '\0') {
		size_t plain = strcspn(line, "@");
		const struct template_value *value;
		size_t length;

		if (fwrite(line, 1, plain, out) != plain)
			return -EIO;
		line += plain;
		if (*line == '\0')
			break;
		length = name_length(line + 1);
		value = length > 0 ? find(values, line + 1, length) : NULL;
		if (length > 0 && (value == NULL || value->value == NULL))
			return -EINVAL;
		if (fputs(value != NULL ? value->value : "@", out) == EOF)
			return -EIO;
		line += value != NULL ? length + 2 : 1;
	}
	return 0;
}

int template_render(FILE *out, FILE *in, const struct template_value *values, char *fault,
		    size_t size)
{
	char AUTO_FREE *buffer = NULL;
	size_t capacity = 0;
	int number = 0;

	while (getline(&buffer, &capacity, in) >= 0) {
		const char *line = buffer;
		int rc;

		number++;
		if (strncmp(line, "@#", 2) == 0)
			continue;
		rc = conditions(&line, values);
		if (rc > 0)
			rc = write_line(out, line, values);
		if (rc == -EINVAL)
			(void)snprintf(fault, size, "line %d: a name is unknown or has no value",
				       number);
		if (rc < 0)
			return rc;
	}
	return ferror(in) != 0 ? -EIO : 0;
}
