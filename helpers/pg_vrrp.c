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

/* What can be run; nothing else is ever executed. */
static const struct helper {
	const char *name;
	const char *summary;
} helpers[] = {
	{ "cluster_status", "show what is known of every node, the witness and the address" },
	{ "cluster_config",
	  "print keepalived.conf and the PostgreSQL and ssh lines for this cluster" },
	{ "check_primary", "may this node serve?  asked by keepalived every second" },
	{ "promote_safe", "make this standby the primary, if every rule permits" },
	{ "fence_old", "make the other node harmless, and say what was proven" },
	{ "fence_self", "make this node harmless now; with --watch: guard it" },
	{ "rejoin", "bring this node back: start, follow, rewind or copy anew" },
	{ "replication_slots", "the slots that hold WAL for a node that is away" },
	{ "witness_record", "what the record at the witness says; pause takeovers" },
};

static int list(FILE *out)
{
	(void)fprintf(out,
		      "pg_vrrp %s - failover of PostgreSQL with keepalived\n\n"
		      "Usage: pg_vrrp NAME [OPTION]...\n"
		      "       pg_vrrp --help | --version\n\n",
		      PGV_VERSION);
	for (size_t i = 0; i < ARRAY_COUNT(helpers); i++)
		(void)fprintf(out, "  %-16s%s\n", helpers[i].name, helpers[i].summary);
	(void)fprintf(out, "\n\"pg_vrrp NAME --help\" says more, and so does \"man NAME\".\n");
	return fflush(out) == 0 ? OUT_YES : OUT_SYSTEM;
}

static const struct helper *find(const char *name)
{
	for (size_t i = 0; i < ARRAY_COUNT(helpers); i++) {
		if (strcmp(helpers[i].name, name) == 0)
			return &helpers[i];
	}
	return NULL;
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

int main(int argc, char **argv)
{
	const struct helper *helper;

	if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
		return list(stdout);
	if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) {
		(void)printf("pg_vrrp %s\n", PGV_VERSION);
		return fflush(stdout) == 0 ? OUT_YES : OUT_SYSTEM;
	}
	helper = find(argv[1]);
	return helper == NULL ? unknown(argv[1]) : run(helper, argv + 1);
}
