/* SPDX-License-Identifier: PostgreSQL */
/* The file with the fence agent's options: the deed is ours to say, and no secret of it is told. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "fence/fence_power.h"
#include "fuzz.h"

/* Is there a line that names a deed, other than ours at the end? */
static void look(const char *input)
{
	static const char ours[] = "action=status\n";
	const size_t length = strlen(input);
	size_t actions = 0;

	assert(length >= strlen(ours) && strcmp(input + length - strlen(ours), ours) == 0);
	for (const char *line = input; *line != '\0'; line += strcspn(line, "\n") + 1)
		actions += strncmp(line, "action=", 7) == 0 || strncmp(line, "option=", 7) == 0;
	assert(actions == 1);
}

static void redact(char *text, const char *input)
{
	const size_t length = strlen(text);

	power_redact(text, input);
	assert(strlen(text) == length);
	for (const char *line = input; *line != '\0'; line += strcspn(line, "\n") + 1) {
		char secret[POWER_INPUT_MAX];
		const char *equals = strchr(line, '=');
		size_t end = strcspn(line, "\n");

		if (*line == '#' || equals == NULL || (size_t)(equals - line) >= end)
			continue;
		(void)snprintf(secret, sizeof(secret), "%.*s",
			       (int)(end - (size_t)(equals + 1 - line)), equals + 1);
		if (strlen(secret) >= 4 && strspn(secret, "*") != strlen(secret))
			assert(strstr(text, secret) == NULL);
	}
}

/* A text of the agent's, a line "---", the file. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = size > 0 ? memmem(data, size, "\n---\n", 5) : NULL;
	struct input in = { data, end != NULL ? (size_t)(end - data) : 0 };
	char AUTO_FREE *said = input_rest(&in);
	char path[CFG_PATH_MAX + 16], input[POWER_INPUT_MAX], why[POWER_WHY_MAX] = "";
	int rc;

	assert(snprintf(path, sizeof(path), "%s/options", fuzz_cfg()->state_dir) > 0);
	fuzz_put(path, end != NULL ? end + 5 : data,
		 end != NULL ? size - (size_t)(end - data) - 5 : size);
	rc = power_input(path, "status", input, sizeof(input), why);
	if (rc < 0) {
		assert(why[0] != '\0');
		return 0;
	}
	look(input);
	redact(said, input);
	return 0;
}
