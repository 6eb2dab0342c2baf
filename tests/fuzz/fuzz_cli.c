/* SPDX-License-Identifier: PostgreSQL */
/* Command lines (base/cli.h), of every kind of helper: one is taken as a whole, or the program ends
 * with the code of a wrong call. */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cli.h"
#include "base/cli_clean.h"
#include "base/log.h"
#include "fuzz.h"

#define WORDS_MAX 24

static jmp_buf ended;
static bool parsing;
static int with;

/* libFuzzer itself ends that way, too. */
void real_exit(int code) __asm__("__real_exit") __attribute__((noreturn));
void fake_exit(int code) FAKE(exit) __attribute__((noreturn));
void fake_exit(int code)
{
	if (!parsing)
		real_exit(code);
	parsing = false;
	with = code;
	longjmp(ended, 1);
}

/* The real one closes descriptors and takes the environment away. */
void fake_cli_clean(void) FAKE(cli_clean);
void fake_cli_clean(void)
{
}

void fake_log_verdict(const struct verdict *verdict, int64_t elapsed_ms) FAKE(log_verdict);
void fake_log_verdict(const struct verdict *verdict, int64_t elapsed_ms)
{
	assert(verdict->outcome == OUT_USAGE && verdict->message[0] != '\0' && elapsed_ms >= 0);
}

void fake_log_open(const char *program, bool verbose) FAKE(log_open);
void fake_log_open(const char *program, bool verbose)
{
	(void)verbose;
	assert(strcmp(program, "helper") == 0);
}

/* --help and --version write here, and to nobody. */
int fake_printf(const char *fmt, ...) FAKE(printf);
int fake_printf(const char *fmt, ...)
{
	(void)fmt;
	return 0;
}

struct options {
	bool automatic;
	const char *peer;
	const char *loss;
};

static void parse(struct cli *cli, struct options *options, int argc, char **argv, uint8_t kind)
{
	const struct cli_option extra[] = {
		{ "auto", NULL, "by the guard", &options->automatic, NULL },
		{ "peer", "NODE", "the other one", NULL, &options->peer },
		{ "accept-loss", "LSN", "up to there", NULL, &options->loss },
		{ NULL, NULL, NULL, NULL, NULL }
	};
	const struct cli_spec spec = { .program = "helper",
				       .summary = "for a test",
				       .operands = "[WORD]",
				       .max_operands = kind % 4,
				       .options = kind & 4 ? extra : NULL,
				       .acts = (kind & 8) != 0,
				       .shows = (kind & 16) != 0 };

	cli_parse(cli, &spec, argc, argv);
	assert(cli->operand_count <= spec.max_operands);
	assert(spec.acts || (!cli->dry_run && !cli->explain));
	assert(spec.shows || !cli->json);
}

static bool is_word(const char *text, char *const *words, int count)
{
	for (int i = 1; i < count; i++)
		if (text >= words[i] && text <= words[i] + strlen(words[i]))
			return true;
	return false;
}

/* The kind of helper, then its words, one a line. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct cli cli;
	static struct options options;
	static char *argv[WORDS_MAX + 1], *words[WORDS_MAX + 1];
	static int argc;
	struct input in = { data, size };
	const uint8_t kind = input_byte(&in);

	argc = 0;
	options = (struct options){ .automatic = false };
	words[argc++] = strdup("helper");
	while (in.left > 0 && argc < WORDS_MAX)
		words[argc++] = input_until(&in, '\n');
	words[argc] = NULL;
	memcpy(argv, words, sizeof(argv));
	parsing = true;
	if (setjmp(ended) == 0) {
		parse(&cli, &options, argc, argv, kind);
		for (size_t i = 0; i < cli.operand_count; i++)
			assert(is_word(cli.operands[i], words, argc));
		assert(options.peer == NULL || is_word(options.peer, words, argc));
		assert(cli.config_path == NULL || is_word(cli.config_path, words, argc));
	} else {
		assert(with == OUT_USAGE || with == OUT_YES);
	}
	parsing = false;
	while (argc > 0)
		free(words[--argc]);
	return 0;
}
