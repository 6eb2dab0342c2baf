/* SPDX-License-Identifier: PostgreSQL */
/*
 * pg_vrrp NAME ... - runs the helper NAME, as git does.  Names as general as "rejoin" stay out of
 * PATH this way.  It only finds and executes; the helper parses, logs and answers.
 */
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/outcome.h"

/* Far more than any helper takes. */
#define ARGUMENTS_MAX 64

/* The programs that can be run; nothing else is ever executed. */
static const struct helper {
	const char *name;
	const char *summary;
} helpers[] = {
	{ "node-setup", "make this host a node of a cluster" },
	{ "cluster_status", "show what is known of each node, the witness, the address" },
	{ "cluster_config", "print what keepalived, PostgreSQL and ssh need" },
	{ "check_primary", "may this node serve? acts on it, unless --read-only" },
	{ "check_answer", "the last answer to that; keepalived asks each second" },
	{ "promote_safe", "make this standby the primary, if every rule permits" },
	{ "fence_old", "make the other node harmless, and say what was proven" },
	{ "fence_self", "make this node harmless now; with --watch: guard it" },
	{ "rejoin", "bring this node back: start, follow, rewind or copy anew" },
	{ "switchover", "let the standby become the primary, with nothing lost" },
	{ "restart", "restart this node's server, which stays what it is" },
	{ "node_health", "what this node is, over HTTP, for HAProxy and Prometheus" },
	{ "reload", "tell this node's server to read its files; what it took" },
	{ "pause", "nobody takes over by itself for a time" },
	{ "resume", "end a pause before its time" },
	{ "drill", "a failover at a time of your choice, measured and put back" },
	{ "check_setup", "everything that would make a failover fail" },
	{ "report", "one file for whoever is to help, without secrets" },
	{ "replication_slots", "the slots that hold WAL for a node that is away" },
	{ "witness_record", "what the record at the witness says; pause takeovers" },
};

/* Words that people type, and the helper that is run for each. */
static struct word {
	const char *typed;
	const char *helper;
	char option[16]; /* put before their own; "" for none.  execv(3) wants it writable */
} words[] = {
	{ "setup", "node-setup", "" },
	{ "status", "cluster_status", "" },
	{ "history", "cluster_status", "--history" },
	{ "config", "cluster_config", "" },
	{ "check-setup", "check_setup", "" },
};

static const struct helper *find(const char *name)
{
	for (size_t i = 0; i < ARRAY_COUNT(helpers); i++) {
		if (strcmp(helpers[i].name, name) == 0)
			return &helpers[i];
	}
	return NULL;
}

static struct word *find_word(const char *typed)
{
	for (size_t i = 0; i < ARRAY_COUNT(words); i++) {
		if (strcmp(words[i].typed, typed) == 0)
			return &words[i];
	}
	return NULL;
}

static int list(FILE *out)
{
	(void)fprintf(out,
		      "pg_vrrp %s - failover of PostgreSQL with keepalived\n\n"
		      "Usage: pg_vrrp NAME [OPTION]...\n"
		      "       pg_vrrp help [NAME]\n"
		      "       pg_vrrp --help | --version\n\n",
		      PGV_VERSION);
	for (size_t i = 0; i < ARRAY_COUNT(helpers); i++)
		(void)fprintf(out, "  %-18s %s\n", helpers[i].name, helpers[i].summary);
	(void)fprintf(out, "\n");
	for (size_t i = 0; i < ARRAY_COUNT(words); i++)
		(void)fprintf(out, "  %-18s short for %s%s%s\n", words[i].typed, words[i].helper,
			      words[i].option[0] != '\0' ? " " : "", words[i].option);
	(void)fprintf(out,
		      "\n\"pg_vrrp NAME --help\" says more, and so does \"man pg_vrrp-NAME\".\n");
	return fflush(out) == 0 ? OUT_YES : OUT_SYSTEM;
}

/* "promote", "status", "promote-safe" */
static bool resembles(const char *known, const char *name)
{
	size_t length = strcspn(name, "-");

	return length >= 3 && (strstr(known, name) != NULL || strncmp(known, name, length) == 0);
}

static int unknown(const char *name)
{
	(void)fprintf(stderr, "ERROR:  there is no helper \"%s\"\n", name);
	for (size_t i = 0; i < ARRAY_COUNT(helpers); i++) {
		if (resembles(helpers[i].name, name))
			(void)fprintf(stderr, "HINT:  perhaps \"pg_vrrp %s\"\n", helpers[i].name);
	}
	(void)fprintf(stderr, "HINT:  \"pg_vrrp --help\" lists them all\n");
	return OUT_USAGE;
}

static bool runnable(const char *directory, const char *name, char *path, size_t size)
{
	int length = snprintf(path, size, "%s/%s", directory, name);

	return length > 0 && (size_t)length < size && access(path, X_OK) == 0;
}

/*
 * In the build tree the helpers lie in ../libexec, seen from this program.  Only when all of them
 * do: below an installation prefix that directory belongs to everybody.
 */
static bool in_build_tree(char *directory, size_t size)
{
	char self[PATH_MAX], path[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;
	int written;

	if (length <= 0)
		return false;
	self[length] = '\0';
	slash = strrchr(self, '/');
	if (slash == NULL)
		return false;
	written = snprintf(directory, size, "%.*s/../libexec", (int)(slash - self), self);
	if (written < 0 || (size_t)written >= size)
		return false;
	for (size_t i = 0; i < ARRAY_COUNT(helpers); i++) {
		if (!runnable(directory, helpers[i].name, path, sizeof(path)))
			return false;
	}
	return true;
}

/* argv: the name and the arguments behind it, ended by NULL. */
static int run(const struct helper *helper, char **argv)
{
	char directory[PATH_MAX], path[PATH_MAX];
	const char *from = in_build_tree(directory, sizeof(directory)) ? directory : PGV_LIBEXECDIR;

	(void)snprintf(path, sizeof(path), "%.*s/%s", PATH_MAX - 64, from, helper->name);
	argv[0] = path;
	(void)execv(path, argv);
	(void)fprintf(stderr,
		      "ERROR:  could not execute \"%s\": %s\nHINT:  install pg_vrrp again\n", path,
		      strerror(errno));
	return OUT_SYSTEM;
}

/* The same command line with the helper, and an option of the word's, in place of the word. */
static int run_word(struct word *word, int argc, char **argv)
{
	const struct helper *helper = find(word->helper);
	char *longer[ARGUMENTS_MAX + 2];
	size_t count = 0;

	if (helper == NULL || argc > ARGUMENTS_MAX)
		return unknown(word->typed);
	longer[count++] = argv[0];
	if (word->option[0] != '\0')
		longer[count++] = word->option;
	for (int i = 1; i < argc; i++)
		longer[count++] = argv[i];
	longer[count] = NULL;
	return run(helper, longer);
}

static bool is_one_of(const char *argument, const char *a, const char *b, const char *c)
{
	return strcmp(argument, a) == 0 || strcmp(argument, b) == 0 || strcmp(argument, c) == 0;
}

/* Shows --help of a helper, for its name or for the word that is typed for it. */
static int help(const char *name)
{
	const struct word *word = find_word(name);
	const struct helper *helper = find(word != NULL ? word->helper : name);
	char option[] = "--help";
	char *argv[] = { NULL, option, NULL };

	return helper == NULL ? unknown(name) : run(helper, argv);
}

int main(int argc, char **argv)
{
	const struct helper *helper;
	struct word *word;

	if (argc < 2)
		return list(stdout);
	if (is_one_of(argv[1], "help", "--help", "-h"))
		return argc > 2 ? help(argv[2]) : list(stdout);
	if (is_one_of(argv[1], "version", "--version", "-V")) {
		(void)printf("pg_vrrp %s\n", PGV_VERSION);
		return fflush(stdout) == 0 ? OUT_YES : OUT_SYSTEM;
	}
	word = find_word(argv[1]);
	if (word != NULL)
		return run_word(word, argc - 1, argv + 1);
	helper = find(argv[1]);
	return helper == NULL ? unknown(argv[1]) : run(helper, argv + 1);
}
