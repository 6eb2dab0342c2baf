/* SPDX-License-Identifier: PostgreSQL */
/* A command line is understood exactly, or refused; and a run ends with what its verdict says. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/auto.h"
#include "base/cli.h"
#include "hear.h"

#define ARGS_MAX 12

/* One call of a helper that offers everything (or nothing), in a child. */
struct call {
	bool plain;
	const char *args[ARGS_MAX];
};

static void print_cli(const struct cli *cli, const char *peer, bool by_itself)
{
	(void)printf("config=%s node=%s peer=%s%s%s%s%s%s",
		     cli->config_path != NULL ? cli->config_path : "-",
		     cli->node != NULL ? cli->node : "-", peer != NULL ? peer : "-",
		     cli->verbose ? " verbose" : "", cli->dry_run ? " dry_run" : "",
		     cli->explain ? " explain" : "", cli->json ? " json" : "",
		     by_itself ? " auto" : "");
	for (size_t i = 0; i < cli->operand_count; i++)
		(void)printf(" [%s]", cli->operands[i]);
}

/* argv is writable by right; nothing here is given back, the child ends first. */
static char *writable(const char *text)
{
	static char pool[8192];
	static size_t used;
	char *copy = pool + used;

	used += strlen(text) + 1;
	if (used > sizeof(pool))
		abort();
	return memcpy(copy, text, strlen(text) + 1);
}

static int parse_and_print(void *arg)
{
	const struct call *call = arg;
	const char *peer = NULL;
	bool by_itself = false;
	const struct cli_option options[] = {
		{ .name = "assume", .value = "NODE", .help = "trust me", .text = &peer },
		{ .name = "auto", .help = "by itself", .flag = &by_itself },
		{ .name = NULL },
	};
	struct cli_spec spec = { .program = "helper", .summary = "helps" };
	char *argv[ARGS_MAX + 2] = { writable("helper") };
	struct cli cli;
	int argc = 1;

	if (!call->plain) {
		spec.operands = "[a|b]";
		spec.max_operands = 2;
		spec.options = options;
		spec.acts = true;
		spec.shows = true;
	}
	while (argc <= ARGS_MAX && call->args[argc - 1] != NULL) {
		argv[argc] = writable(call->args[argc - 1]);
		argc++;
	}
	cli_parse(&cli, &spec, argc, argv);
	print_cli(&cli, peer, by_itself);
	return fflush(stdout) == 0 ? 0 : 99;
}

static void assert_understood(struct call call, const char *expected)
{
	struct heard heard;

	hear_child(&heard, parse_and_print, &call);
	assert_string_equal(heard.err, "");
	assert_string_equal(heard.out, expected);
	assert_int_equal(heard.code, 0);
}

static void assert_refused(struct call call, const char *expected)
{
	struct heard heard;
	char whole[256];

	hear_child(&heard, parse_and_print, &call);
	(void)snprintf(whole, sizeof(whole),
		       "ERROR:  %s\nHINT:  \"helper --help\" lists what can be given\n", expected);
	assert_string_equal(heard.err, whole);
	assert_string_equal(heard.out, "");
	assert_int_equal(heard.code, OUT_USAGE);
}

#define CALL(...)  ((struct call){ false, { __VA_ARGS__ } })
#define PLAIN(...) ((struct call){ true, { __VA_ARGS__ } })

static void nothing_given_is_fine(void **state)
{
	(void)state;
	assert_understood((struct call){ 0 }, "config=- node=- peer=-");
	assert_understood((struct call){ .plain = true }, "config=- node=- peer=-");
}

static void every_spelling_of_a_value(void **state)
{
	(void)state;
	assert_understood(CALL("-c", "f", "-n", "x"), "config=f node=x peer=-");
	assert_understood(CALL("-cf", "-nx"), "config=f node=x peer=-");
	assert_understood(CALL("--config", "f", "--node=x"), "config=f node=x peer=-");
	assert_understood(CALL("--config==", "--assume", "--node"), "config== node=- peer=--node");
	assert_understood(CALL("-vc", "f"), "config=f node=- peer=- verbose");
}

static void flags_and_operands_in_any_order(void **state)
{
	(void)state;
	assert_understood(CALL("a", "-v", "--dry-run", "b", "--explain", "--json", "--auto"),
			  "config=- node=- peer=- verbose dry_run explain json auto [a] [b]");
	assert_understood(CALL("--auto", "--auto", "-"), "config=- node=- peer=- auto [-]");
	assert_understood(CALL("--", "--auto", "-v"), "config=- node=- peer=- [--auto] [-v]");
}

static void abbreviations_are_refused(void **state)
{
	(void)state;
	assert_refused(CALL("--dry"), "unknown option \"--dry\"");
	assert_refused(CALL("--conf", "f"), "unknown option \"--conf\"");
	assert_refused(CALL("--autos"), "unknown option \"--autos\"");
	assert_refused(CALL("--conf=f"), "unknown option \"--conf=f\"");
}

static void unknown_options_are_refused(void **state)
{
	(void)state;
	assert_refused(CALL("-x"), "unknown option \"-x\"");
	assert_refused(CALL("-vx"), "unknown option \"-vx\"");
	assert_refused(CALL("--=x"), "unknown option \"--=x\"");
	assert_refused(PLAIN("--dry-run"), "unknown option \"--dry-run\"");
	assert_refused(PLAIN("--explain"), "unknown option \"--explain\"");
	assert_refused(PLAIN("--json"), "unknown option \"--json\"");
}

static void values_are_neither_missing_nor_empty_nor_double(void **state)
{
	(void)state;
	assert_refused(CALL("-c"), "this option needs a value: \"config\"");
	assert_refused(CALL("--node"), "this option needs a value: \"node\"");
	assert_refused(CALL("--node="), "this option needs a value: \"node\"");
	assert_refused(CALL("--assume", ""), "this option needs a value: \"assume\"");
	assert_refused(CALL("-c", "f", "--config=g"), "this option was given twice: \"config\"");
	assert_refused(CALL("--assume=a", "--assume=a"), "this option was given twice: \"assume\"");
	assert_refused(CALL("--auto=yes"), "this option takes no value: \"auto\"");
}

static void one_operand_too_many_is_refused(void **state)
{
	(void)state;
	assert_refused(CALL("a", "b", "c"), "unexpected argument \"c\"");
	assert_refused(PLAIN("MASTER"), "unexpected argument \"MASTER\"");
	assert_refused(PLAIN(""), "unexpected argument \"\"");
}

static void an_operand_cannot_break_the_message(void **state)
{
	struct heard heard;
	char longer[3000];
	struct call call = PLAIN(longer);

	(void)state;
	memset(longer, '\n', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	hear_child(&heard, parse_and_print, &call);
	assert_int_equal(heard.code, OUT_USAGE);
	assert_true(strlen(heard.err) < 400);
}

static void help_lists_every_option_offered(void **state)
{
	struct call call = CALL("--help", "--bogus");
	struct heard heard;

	(void)state;
	hear_child(&heard, parse_and_print, &call);
	assert_int_equal(heard.code, 0);
	assert_string_equal(heard.err, "");
	assert_non_null(strstr(heard.out, "helper - helps\n"));
	assert_non_null(strstr(heard.out, "helper [OPTION]... [a|b]\n"));
	assert_non_null(strstr(heard.out, "-c, --config FILE"));
	assert_non_null(strstr(heard.out, "    --assume NODE"));
	assert_non_null(strstr(heard.out, "    --dry-run "));
	assert_non_null(strstr(heard.out, "    --json "));
	assert_non_null(strstr(heard.out, "78 errors in the"));
	call = PLAIN("-h");
	hear_child(&heard, parse_and_print, &call);
	assert_int_equal(heard.code, 0);
	assert_null(strstr(heard.out, "--dry-run"));
	assert_null(strstr(heard.out, "--json"));
}

static void version_names_program_and_number(void **state)
{
	struct call call = CALL("--version");
	struct heard heard;

	(void)state;
	hear_child(&heard, parse_and_print, &call);
	assert_int_equal(heard.code, 0);
	assert_string_equal(heard.out, "helper (pg_vrrp) " PGV_VERSION "\n");
}

/* --- the end --- */

static void parse_nothing(struct cli *cli)
{
	static const struct cli_spec spec = { .program = "helper", .summary = "helps" };
	static char name[] = "helper";
	char *argv[] = { name, NULL };

	cli_parse(cli, &spec, 1, argv);
}

static int finish_on(void *arg)
{
	const int *outcome_and_fd = arg;
	struct verdict verdict = { .outcome = (enum outcome)outcome_and_fd[0], .rule = "r" };
	struct cli cli;

	parse_nothing(&cli);
	if (outcome_and_fd[1] != 0) {
		int full = open("/dev/full", O_WRONLY | O_CLOEXEC);

		if (full < 0 || dup2(full, STDOUT_FILENO) < 0)
			return 99;
	}
	(void)printf("result\n");
	_exit(cli_finish(&cli, &verdict));
}

static int finish_code(enum outcome outcome, bool full)
{
	int outcome_and_fd[2] = { (int)outcome, full };
	struct heard heard;

	hear_child(&heard, finish_on, outcome_and_fd);
	if (!full)
		assert_string_equal(heard.out, "result\n");
	return heard.code;
}

static void the_exit_code_is_the_outcome(void **state)
{
	(void)state;
	assert_int_equal(finish_code(OUT_YES, false), 0);
	assert_int_equal(finish_code(OUT_NO, false), 1);
	assert_int_equal(finish_code(OUT_CONFIG, false), 78);
}

static void a_yes_that_was_not_printed_is_none(void **state)
{
	(void)state;
	assert_int_equal(finish_code(OUT_YES, true), OUT_SYSTEM);
	assert_int_equal(finish_code(OUT_REFUSED, true), OUT_REFUSED);
}

static int help_into_a_full_disk(void *arg)
{
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC);

	if (full < 0 || dup2(full, STDOUT_FILENO) < 0)
		return 99;
	return parse_and_print(arg);
}

static void help_that_was_not_printed_is_no_success(void **state)
{
	struct call call = CALL("--help");
	struct heard heard;

	(void)state;
	hear_child(&heard, help_into_a_full_disk, &call);
	assert_int_equal(heard.code, OUT_SYSTEM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_given_is_fine),
		cmocka_unit_test(every_spelling_of_a_value),
		cmocka_unit_test(flags_and_operands_in_any_order),
		cmocka_unit_test(abbreviations_are_refused),
		cmocka_unit_test(unknown_options_are_refused),
		cmocka_unit_test(values_are_neither_missing_nor_empty_nor_double),
		cmocka_unit_test(one_operand_too_many_is_refused),
		cmocka_unit_test(an_operand_cannot_break_the_message),
		cmocka_unit_test(help_lists_every_option_offered),
		cmocka_unit_test(version_names_program_and_number),
		cmocka_unit_test(the_exit_code_is_the_outcome),
		cmocka_unit_test(a_yes_that_was_not_printed_is_none),
		cmocka_unit_test(help_that_was_not_printed_is_no_success),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
