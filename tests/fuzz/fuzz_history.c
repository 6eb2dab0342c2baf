/* SPDX-License-Identifier: PostgreSQL */
/* Our own history in words, whatever a disk has made of it; and its lines folded for a terminal. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fold.h"
#include "base/text.h"
#include "fuzz.h"
#include "node/history.h"
#include "node/path.h"

#define WIDTH 40

/* Nothing in it steers a terminal, but for the ends of its lines. */
static void assert_harmless(const char *text)
{
	for (uint32_t code; *text != '\0';) {
		const size_t length = text_utf8(text, &code);

		assert(length > 0 && (code == '\n' || !text_steers(code)));
		text += length;
	}
}

/* The same characters but for blanks and ends of lines. */
static void assert_same_words(const char *text, const char *folded)
{
	for (;; text++, folded++) {
		text += strspn(text, " \n");
		folded += strspn(folded, " \n");
		assert(*text == *folded);
		if (*text == '\0')
			return;
	}
}

static char *printed(const struct cfg *cfg)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	assert(out != NULL && history_print(cfg, out) == 0 && fclose(out) == 0);
	return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct cfg *cfg = fuzz_cfg();
	char AUTO_FREE *text = NULL;
	char AUTO_FREE *folded = NULL;
	size_t folded_size = 0;
	FILE *out;

	fuzz_put(file_state(cfg, "history").text, data, size);
	text = printed(cfg);
	assert_harmless(text);
	out = open_memstream(&folded, &folded_size);
	assert(out != NULL);
	fold_print(out, text, WIDTH);
	assert(fclose(out) == 0);
	assert_same_words(text, folded);
	return 0;
}
