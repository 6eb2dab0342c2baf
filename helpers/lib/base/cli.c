/* SPDX-License-Identifier: PostgreSQL */
#include "base/cli.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cli_clean.h"
#include "base/deadline.h"
#include "base/log.h"

/*
 * Own parser, not getopt_long(3): that one takes "--dry" for "--dry-run", and such a call breaks or
 * changes its meaning on the day another option begins with the same letters.
 */

#define COMMON_MAX 10

struct known {
	char letter; /* 0: it has none */
	struct cli_option option;
};

/* Columns for the options themselves in --help, which fits 80. */
#define LEFT_WIDTH 22

struct parser {
	struct cli *cli;
	const struct cli_spec *spec;
	struct known common[COMMON_MAX];
	size_t common_count;
	bool help;
	bool version;
	int argc;
	char **argv;
	int next; /* index in argv of what was not looked at yet */
};

static void offer(struct parser *p, char letter, const struct cli_option *option)
{
	assert(p->common_count < COMMON_MAX);
	p->common[p->common_count++] = (struct known){ letter, *option };
}

static void offer_flag(struct parser *p, char letter, const char *name, bool *flag,
		       const char *help)
{
	offer(p, letter, &(struct cli_option){ .name = name, .help = help, .flag = flag });
}

static void offer_common(struct parser *p)
{
	struct cli *cli = p->cli;
	const struct cli_option config = {
		.name = "config",
		.value = "FILE",
		.help = "default: the only .ini in /etc/pg_vrrp",
		.text = &cli->config_path,
	};
	const struct cli_option node = {
		.name = "node",
		.value = "NAME",
		.help = "which node this is (default: by its addresses)",
		.text = &cli->node,
	};

	offer_flag(p, 'h', "help", &p->help, "show this text");
	offer_flag(p, 'V', "version", &p->version, "show the version");
	offer(p, 'c', &config);
	offer(p, 'n', &node);
	offer_flag(p, 'v', "verbose", &cli->verbose, "say more, and on standard error too");
	offer_flag(p, 'q', "quiet", &cli->quiet, "tell the verdict to the log only");
	if (p->spec->acts)
		offer_flag(p, 0, "dry-run", &cli->dry_run, "decide, but change nothing");
	if (p->spec->acts || p->spec->explains)
		offer_flag(p, 0, "explain", &cli->explain, "print each rule, and how it came out");
	if (p->spec->shows)
		offer_flag(p, 0, "json", &cli->json, "print JSON instead of a table");
}

/* --- leaving --- */

/* Logged too: under keepalived nobody sees standard error. */
__attribute__((noreturn)) static void usage_error(const struct parser *p, const char *problem,
						  const char *subject)
{
	char message[256];
	char hint[128];
	struct verdict verdict = { .outcome = OUT_USAGE, .rule = "usage" };

	(void)snprintf(message, sizeof(message), "%s \"%.150s\"", problem, subject);
	(void)snprintf(hint, sizeof(hint), "\"%s --help\" lists what can be given",
		       p->spec->program);
	verdict.message = message;
	verdict.hint = hint;
	log_open(p->spec->program, true);
	log_verdict(&verdict, now_ms() - p->cli->started_ms);
	exit(OUT_USAGE);
}

/* An option that is too long for its column has its text on the next line. */
static void print_option(char letter, const struct cli_option *option)
{
	char left[64];
	int width;

	if (letter != 0)
		(void)snprintf(left, sizeof(left), "-%c, --%s %s", letter, option->name,
			       option->value != NULL ? option->value : "");
	else
		(void)snprintf(left, sizeof(left), "    --%s %s", option->name,
			       option->value != NULL ? option->value : "");
	width = (int)strlen(left);
	(void)printf("  %s", left);
	if (width > LEFT_WIDTH)
		(void)printf("\n  %*s %s\n", LEFT_WIDTH, "", option->help);
	else
		(void)printf("%*s %s\n", LEFT_WIDTH - width, "", option->help);
}

static void print_options(const struct cli_option *options)
{
	for (const struct cli_option *o = options; o != NULL && o->name != NULL; o++)
		print_option(0, o);
}

static void print_help(const struct parser *p)
{
	const struct cli_spec *spec = p->spec;

	(void)printf("%s - %s\n\nUsage:\n  %s [OPTION]...%s%s\n\nOptions:\n", spec->program,
		     spec->summary, spec->program, spec->operands != NULL ? " " : "",
		     spec->operands != NULL ? spec->operands : "");
	for (size_t i = 0; i < p->common_count; i++)
		print_option(p->common[i].letter, &p->common[i].option);
	print_options(spec->options);
	if (p->cli->verbose && spec->machine != NULL) {
		(void)printf(
		    "\nFor keepalived, the guard and sshd; the verdict then goes to the log "
		    "only:\n");
		print_options(spec->machine);
	}
	(void)printf(
	    "\nExit status: 0 yes or done, 1 no, 2 refused by a rule, 3 could not be found out,\n"
	    "4 begun but the end was not seen, 64 called wrongly, 70 bug, 71 system error,\n"
	    "78 errors in the configuration.  Details: man pg_vrrp-%s\n",
	    spec->program);
}

/* Never returns: --help or --version was given. */
__attribute__((noreturn)) static void show_and_exit(const struct parser *p)
{
	if (p->help)
		print_help(p);
	else
		(void)printf("%s (pg_vrrp) %s\n", p->spec->program, PGV_VERSION);
	exit(fflush(stdout) == 0 ? OUT_YES : OUT_SYSTEM);
}

/* --- parsing --- */

static const struct cli_option *find_in(const struct cli_option *options, const char *name,
					size_t length)
{
	for (const struct cli_option *o = options; o != NULL && o->name != NULL; o++) {
		assert((o->flag != NULL) != (o->text != NULL));
		if (strlen(o->name) == length && strncmp(o->name, name, length) == 0)
			return o;
	}
	return NULL;
}

static const struct cli_option *find_long(const struct parser *p, const char *name, size_t length)
{
	for (size_t i = 0; i < p->common_count; i++) {
		const struct known *k = &p->common[i];

		if (strlen(k->option.name) == length && strncmp(k->option.name, name, length) == 0)
			return &k->option;
	}
	return find_in(p->spec->options, name, length);
}

static const struct cli_option *find_letter(const struct parser *p, char letter)
{
	for (size_t i = 0; i < p->common_count; i++) {
		if (p->common[i].letter == letter)
			return &p->common[i].option;
	}
	return NULL;
}

/* value: what was attached to the option ("=x", or the rest of "-cx"), or NULL. */
static void apply(struct parser *p, const struct cli_option *option, const char *value)
{
	if (option->flag != NULL) {
		if (value != NULL)
			usage_error(p, "this option takes no value:", option->name);
		*option->flag = true;
		if (p->help || p->version)
			show_and_exit(p);
		return;
	}
	assert(option->text != NULL);
	if (value == NULL && p->next < p->argc)
		value = p->argv[p->next++];
	if (value == NULL || value[0] == '\0')
		usage_error(p, "this option needs a value:", option->name);
	if (*option->text != NULL)
		usage_error(p, "this option was given twice:", option->name);
	*option->text = value;
}

static void parse_long(struct parser *p, const char *argument)
{
	const char *equals = strchr(argument, '=');
	size_t length = equals != NULL ? (size_t)(equals - argument) : strlen(argument);
	const struct cli_option *option = find_long(p, argument, length);

	if (option == NULL) {
		option = find_in(p->spec->machine, argument, length);
		p->cli->quiet = p->cli->quiet || option != NULL;
	}
	if (option == NULL)
		usage_error(p, "unknown option", argument - 2);
	apply(p, option, equals != NULL ? equals + 1 : NULL);
}

/* "-v", "-cFILE", "-vc FILE". */
static void parse_letters(struct parser *p, const char *argument)
{
	for (const char *c = argument + 1; *c != '\0'; c++) {
		const struct cli_option *option = find_letter(p, *c);

		if (option == NULL)
			usage_error(p, "unknown option", argument);
		if (option->text != NULL) {
			apply(p, option, c[1] != '\0' ? c + 1 : NULL);
			return;
		}
		apply(p, option, NULL);
	}
}

static void parse(struct parser *p)
{
	bool options_ended = false;

	/* Operands are gathered at the front of argv: never more than were looked at. */
	p->cli->operands = p->argv + (p->argc > 0 ? 1 : 0);
	while (p->next < p->argc) {
		char *argument = p->argv[p->next++];

		if (!options_ended && strcmp(argument, "--") == 0) {
			options_ended = true;
		} else if (!options_ended && strncmp(argument, "--", 2) == 0) {
			parse_long(p, argument + 2);
		} else if (!options_ended && argument[0] == '-' && argument[1] != '\0') {
			parse_letters(p, argument);
		} else {
			if (p->cli->operand_count == p->spec->max_operands)
				usage_error(p, "unexpected argument", argument);
			p->cli->operands[p->cli->operand_count++] = argument;
		}
	}
}

void cli_parse(struct cli *cli, const struct cli_spec *spec, int argc, char **argv)
{
	struct parser p = { .cli = cli, .spec = spec, .argc = argc, .argv = argv, .next = 1 };

	*cli = (struct cli){ .program = spec->program,
			     .answers = spec->answers,
			     .started_ms = now_ms() };
	cli_clean();
	offer_common(&p);
	parse(&p);
	log_open(spec->program, cli->verbose);
	if (cli->quiet)
		log_quiet();
}

int cli_finish(const struct cli *cli, const struct verdict *verdict)
{
	struct verdict last = *verdict;

	if ((fflush(stdout) != 0 || ferror(stdout)) && last.outcome == OUT_YES) {
		last.outcome = OUT_SYSTEM;
		last.rule = "output-lost";
		last.message = "what was asked for could not be written to standard output";
		last.hint = NULL;
	}
	if (cli->answers && last.outcome == OUT_YES)
		log_quiet();
	log_verdict(&last, now_ms() - cli->started_ms);
	return (int)last.outcome;
}

struct verdict cli_config_error(void)
{
	return (struct verdict)CONFIG_ERROR("config",
					    "the configuration has errors, nothing was done", NULL);
}
