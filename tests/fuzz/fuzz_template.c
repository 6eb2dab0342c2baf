/* SPDX-License-Identifier: PostgreSQL */
/* Templates (render/template.h): a fault names its line, and no place to be filled in is left. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "fuzz.h"
#include "render/template.h"

static const struct template_value values[] = {
	{ "NAME", "main" }, { "NONE", NULL }, { "AT", "one@two" }, { "EMPTY", "" }, { NULL, NULL }
};

static int render(const char *text, char **out, char *fault, size_t size)
{
	FILE AUTO_FILE *in = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
	size_t length = 0;
	FILE *memory = open_memstream(out, &length);
	int rc;

	assert(in != NULL && memory != NULL);
	rc = template_render(memory, in, values, fault, size);
	assert(fclose(memory) == 0);
	return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	char AUTO_FREE *text = input_rest(&in);
	char AUTO_FREE *out = NULL;
	char fault[80] = "";
	unsigned line = 0, lines = 1;
	int rc;

	if (text[0] == '\0')
		return 0;
	rc = render(text, &out, fault, sizeof(fault));
	if (rc == 0) {
		assert(strchr(text, '@') != NULL || strcmp(text, out) == 0);
		/* Around what is empty a new name may come together. */
		if (strstr(text, "@EMPTY@") == NULL)
			assert(strstr(out, "@NAME@") == NULL && strstr(out, "@NONE@") == NULL);
		return 0;
	}
	for (const char *at = text; (at = strchr(at, '\n')) != NULL; at++)
		lines++;
	assert(rc == -EINVAL && sscanf(fault, "line %u: ", &line) == 1);
	assert(line >= 1 && line <= lines);
	return 0;
}
