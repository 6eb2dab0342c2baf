/* SPDX-License-Identifier: PostgreSQL */
#include "base/redact.h"

#include <string.h>

#include "base/auto.h"

/* seen: the text as it was, so that a secret is found whose beginning is another one's end. */
static void hide(char *text, const char *seen, const struct secret *secret)
{
	const char *at = seen;

	if (secret->length == 0)
		return;
	while ((at = memmem(at, strlen(at), secret->text, secret->length)) != NULL) {
		memset(text + (at - seen), '*', secret->length);
		at++;
	}
}

void redact(char *text, const struct secret *secrets, size_t count)
{
	const size_t length = strlen(text);
	char AUTO_FREE *seen = malloc(length + 1);

	if (seen == NULL) {
		memset(text, '*', length);
		return;
	}
	/* Stars may make a secret of what stands beside them; there are more of them each time. */
	do {
		memcpy(seen, text, length + 1);
		for (size_t i = 0; i < count; i++)
			hide(text, seen, &secrets[i]);
	} while (memcmp(seen, text, length) != 0);
	explicit_bzero(seen, length);
}
