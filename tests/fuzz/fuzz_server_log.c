/* SPDX-License-Identifier: PostgreSQL */
/* A server's log: what is told of it is one line of valid UTF-8 that fits, and no password. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "postgres/server_log.h"

/* No byte of a longer character stands alone. */
static void look(const char *text)
{
	while (*text != '\0') {
		unsigned char first = (unsigned char)*text++;
		int more = first < 0x80 ? 0 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;

		assert(first >= 0x20 && first != 0x7f && (first < 0x80 || first >= 0xc2));
		for (; more > 0; more--, text++)
			assert(((unsigned char)*text & 0xc0U) == 0x80U);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char secret[] = "\nFATAL:  host=a password=Ge2heim67x port=1\n";
	char why[SERVER_LOG_WHY_MAX], small[24];
	char *text = malloc(size + sizeof(secret));

	assert(text != NULL);
	for (size_t i = 0; i < size; i++)
		text[i] = data[i] != '\0' ? (char)data[i] : ' ';
	memcpy(text + size, secret, sizeof(secret));
	server_log_reason(text, why, sizeof(why));
	assert(strlen(why) < sizeof(why) && strstr(why, "Ge2heim67x") == NULL);
	look(why);
	server_log_reason(text, small, sizeof(small));
	assert(strlen(small) < sizeof(small));
	look(small);
	free(text);
	return 0;
}
