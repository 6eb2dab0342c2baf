/* SPDX-License-Identifier: PostgreSQL */
/* Lines of key=value (base/state.h): what was found is in the text, and no shorter text says
 * something else. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/state.h"
#include "fuzz.h"

static const char *const keys[] = { "at_ms", "boot", "word", "a" };

/* The text has the line KEY=VALUE, and it is a whole line. */
static bool says(const char *text, const char *key, const char *value)
{
	char AUTO_FREE *line = NULL;
	const char *at = text;

	assert(asprintf(&line, "%s=%s\n", key, value) > 0);
	while ((at = strstr(at, line)) != NULL && at != text && at[-1] != '\n')
		at++;
	return at != NULL;
}

static void look(const char *text, const char *key)
{
	char value[32], again[32];
	int64_t number = 0;
	int rc = state_get(text, key, value, sizeof(value));

	assert(rc == 0 || rc == -ENOENT || rc == -EINVAL || rc == -EFBIG);
	if (rc == 0)
		assert(strchr(value, '\n') == NULL && says(text, key, value));
	rc = state_get_i64(text, key, &number);
	if (rc != 0)
		return;
	/* A number has one spelling but for zeros in front. */
	(void)snprintf(again, sizeof(again), "%" PRId64, number);
	assert(state_get(text, key, value, sizeof(value)) == 0);
	assert(strcmp(value, again) == 0 || value[value[0] == '-'] == '0');
}

/* A write that was torn: never another value. */
static void tear(char *text, size_t at, const char *key)
{
	char whole[32], part[32];
	const char kept = text[at];
	int rc = state_get(text, key, whole, sizeof(whole));

	text[at] = '\0';
	if (rc == 0 && state_get(text, key, part, sizeof(part)) == 0)
		assert(strcmp(whole, part) == 0);
	text[at] = kept;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	const size_t where = input_byte(&in);
	char AUTO_FREE *text = input_rest(&in);
	const size_t length = strlen(text);

	for (size_t i = 0; i < ARRAY_COUNT(keys); i++) {
		look(text, keys[i]);
		if (length > 0)
			tear(text, where % length, keys[i]);
	}
	return 0;
}
