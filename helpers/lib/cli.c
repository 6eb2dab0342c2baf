/* SPDX-License-Identifier: PostgreSQL */
#include "cli.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "deadline.h"
#include "log.h"

/*
 * Own parser, not getopt_long(3): that one takes "--dry" for "--dry-run", and such a call breaks or
 * changes its meaning on the day another option begins with the same letters.
 */

enum {
	COMMON_HELP,
	COMMON_VERSION,
	COMMON_CONFIG,
	COMMON_NODE,
	COMMON_VERBOSE,
	COMMON_DRY_RUN,
	COMMON_EXPLAIN,
	COMMON_JSON,
	COMMON_COUNT
};

struct known {
	char letter; /* 0: it has none */
	bool offered;
	struct cli_option option;
};

struct parser {
	struct cli *cli;
	const struct cli_spec *spec;
	struct known common[COMMON_COUNT];
	bool help;
	bool version;
	int argc;
	char **argv;
	int next; /* index in argv of what was not looked at yet */
};

static void common_options(struct parser *p)
{
	const struct known all[COMMON_COUNT] = {
		[COMMON_HELP] = { 'h', true, { "help", NULL, "show this text", &p->help, NULL } },
		[COMMON_VERSION] = { 'V',
				     true,
				     { "version", NULL, "show the version", &p->version, NULL } },
		[COMMON_CONFIG] = { 'c',
				    true,
				    { "config", "FILE",
				      "configuration (default: the only /etc/pg_vrrp/NAME.ini)",
				      NULL, &p->cli->config_path } },
		[COMMON_NODE] = { 'n',
				  true,
				  { "node", "NAME",
				    "which node this is (default: by its addresses)", NULL,
				    &p->cli->node } },
		[COMMON_VERBOSE] = { 'v',
				     true,
				     { "verbose", NULL, "say more, and on standard error too",
				       &p->cli->verbose, NULL } },
		[COMMON_DRY_RUN] = { 0,
				     p->spec->acts,
				     { "dry-run", NULL, "decide as usual, but change nothing",
				       &p->cli->dry_run, NULL } },
		[COMMON_EXPLAIN] = { 0,
				     p->spec->acts,
				     { "explain", NULL, "print the rules and how each came out",
				       &p->cli->explain, NULL } },
		[COMMON_JSON] = { 0,
				  p->spec->shows,
				  { "json", NULL, "print JSON instead of a table", &p->cli->json,
				    NULL } },
	};

	memcpy(p->common, all, sizeof(all));
}

/* --- leaving --- */

/* Never returns: the call was wrong.  keepalived's callers have no terminal, so it is logged too.
 */
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

static void print_option(char letter, const struct cli_option *option)
{
	char left[64];

	if (letter != 0)
		(void)snprintf(left, sizeof(left), "-%c, --%s %s", letter, option->name,
			       option->value != NULL ? option->value : "");
	else
		(void)snprintf(left, sizeof(left), "    --%s %s", option->name,
			       option->value != NULL ? option->value : "");
	(void)printf("  %-28s %s\n", left, option->help);
}

static void print_help(const struct parser *p)
{
	const struct cli_spec *spec = p->spec;

	(void)printf("%s - %s\n\nUsage:\n  %s [OPTION]...%s%s\n\nOptions:\n", spec->program,
		     spec->summary, spec->program, spec->operands != NULL ? " " : "",
		     spec->operands != NULL ? spec->operands : "");
	for (size_t i = 0; i < COMMON_COUNT; i++) {
		if (p->common[i].offered)
			print_option(p->common[i].letter, &p->common[i].option);
	}
	for (const struct cli_option *o = spec->options; o != NULL && o->name != NULL; o++)
		print_option(0, o);
	(void)printf(
	    "\nExit status: 0 yes or done, 1 no, 2 refused by a rule, 3 could not be found out,\n"
	    "4 begun but the end was not seen, 64 called wrongly, 70 bug, 71 system error,\n"
	    "78 configuration not usable.  Details: man %s\n",
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

static const struct cli_option *find_long(const struct parser *p, const char *name, size_t length)
{
	for (size_t i = 0; i < COMMON_COUNT; i++) {
		const struct known *k = &p->common[i];

		if (k->offered && strlen(k->option.name) == length &&
		    strncmp(k->option.name, name, length) == 0)
			return &k->option;
	}
	for (const struct cli_option *o = p->spec->options; o != NULL && o->name != NULL; o++) {
		assert((o->flag != NULL) != (o->text != NULL));
		if (strlen(o->name) == length && strncmp(o->name, name, length) == 0)
			return o;
	}
	return NULL;
}

static const struct cli_option *find_letter(const struct parser *p, char letter)
{
	for (size_t i = 0; i < COMMON_COUNT; i++) {
		if (p->common[i].offered && p->common[i].letter == letter)
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
				usage_error(p, "one argument too many:", argument);
			p->cli->operands[p->cli->operand_count++] = argument;
		}
	}
}

/* --- what we were started with --- */

/* Is this "NAME=value" one of the few that we keep? */
static bool kept_variable(const char *entry)
{
	static const char *const names[] = {
		"TERM=", "TZ=",
		"SSH_ORIGINAL_COMMAND=", /* the forced command of fence_old's key reads it */
		"NOTIFY_SOCKET=",        /* the guard under systemd */
	};

	for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
		if (strncmp(entry, names[i], strlen(names[i])) == 0)
			return true;
	}
	return false;
}

/*
 * A list of what may stay, not of what must go: libpq, ssl, kerberos, the loader, malloc and the
 * resolver each read variables of their own, and the next version of one of them reads more.
 */
static void clean_environment(void)
{
	static char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	static char locale[] = "LC_ALL=C";
	static char *clean[8]; /* environ points here for the rest of the run */
	size_t count = 0;

	clean[count++] = path;
	clean[count++] = locale;
	for (char **entry = environ; entry != NULL && *entry != NULL; entry++) {
		if (kept_variable(*entry) && count < ARRAY_COUNT(clean) - 1)
			clean[count++] = *entry;
	}
	clean[count] = NULL;
	environ = clean;
}

/* Without 0-2 the next file opened gets such a number, and messages are written into it. */
static void clean_descriptors(void)
{
	for (int fd = 0; fd <= 2; fd++) {
		if (fcntl(fd, F_GETFD) >= 0)
			continue;
		if (open("/dev/null", fd == 0 ? O_RDONLY : O_WRONLY) != fd)
			exit(OUT_SYSTEM);
	}
	/* Fails only on a kernel before 5.9, and then inherited descriptors do no more than stay.
	 */
	if (close_range(3, ~0U, 0) < 0)
		errno = 0;
}

/*
 * An ignored SIGCHLD would have the kernel reap our children before we saw how they ended; SIGPIPE
 * would end us silently where a write error is to be told.
 */
static void clean_signals(void)
{
	struct sigaction action = { .sa_handler = SIG_DFL };
	sigset_t none;

	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)sigaction(SIGCHLD, &action, NULL);
	action.sa_handler = SIG_IGN;
	(void)sigaction(SIGPIPE, &action, NULL);
}

void cli_parse(struct cli *cli, const struct cli_spec *spec, int argc, char **argv)
{
	struct parser p = { .cli = cli, .spec = spec, .argc = argc, .argv = argv, .next = 1 };

	*cli = (struct cli){ .program = spec->program, .started_ms = now_ms() };
	clean_descriptors();
	clean_environment();
	clean_signals();
	(void)umask(022);
	common_options(&p);
	parse(&p);
	log_open(spec->program, cli->verbose);
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
	log_verdict(&last, now_ms() - cli->started_ms);
	return (int)last.outcome;
}
