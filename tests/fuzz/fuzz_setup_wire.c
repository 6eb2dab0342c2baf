/* SPDX-License-Identifier: PostgreSQL */
/* The other node's words about itself: all of them or nothing, and printed again they are the
 * same. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "setup/setup_host.h"

static char *printed(const struct setup_host *host)
{
	char *text = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&text, &size);

	assert(file != NULL);
	setup_host_print(host, file);
	assert(fclose(file) == 0);
	return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	char AUTO_FREE *text = input_rest(&in);
	struct setup_host host, again;
	const int rc = setup_host_parse(&host, text);
	char *told, *more;

	assert(host.known == (rc == 0));
	if (rc < 0) {
		host.known = false;
		assert(host.version[0] == '\0' && host.guard == FACT_UNKNOWN);
		return 0;
	}
	assert(fuzz_is_clean(host.version) && fuzz_is_clean(host.return_why));
	told = printed(&host);
	assert(setup_host_parse(&again, told) == 0);
	more = printed(&again);
	assert(strcmp(told, more) == 0);
	free(told);
	free(more);
	return 0;
}
