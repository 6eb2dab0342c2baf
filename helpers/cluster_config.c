/* SPDX-License-Identifier: PostgreSQL */
/*
 * cluster_config - from the one INI file, the lines that keepalived, PostgreSQL and ssh need.
 *
 * Run by people and by what installs.  It prints and changes nothing.  The same file gives the same
 * text, so a difference to what is installed is a difference.  Exit codes:
 *
 *	0 printed, or: the file is sound	2 the configuration has no such part
 *	64 71 78 called wrongly, system, configuration
 */
#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/cli.h"
#include "config/cfg.h"
#include "config/config_values.h"
#include "config/summary.h"
#include "config/template.h"

struct options {
	bool include;
	bool witness;
	const char *key;
	const char *host_keys;
	const char *templates;
};

struct context {
	const struct options *options;
	struct cfg cfg;
	struct config_values values;
	FILE *out; /* in memory: standard output gets all or nothing */
	char why[320];
};

/* What must be known before a part can be printed. */
enum needs { NEEDS_NOTHING, NEEDS_FILE, NEEDS_NODE };

/* Options that only some parts take. */
enum { TAKES_INCLUDE = 1, TAKES_WITNESS = 2, TAKES_KEY = 4, TAKES_HOST_KEYS = 8 };

/* One operand. */
struct part {
	const char *name;
	const char *meaning;
	enum needs needs;
	unsigned takes;
	const char *template; /* rendered when there is no print */
	int (*print)(struct context *context);
	bool of_record; /* only with a witness that keeps the record */
};

static int print_keepalived(struct context *context);
static int print_authorized_keys(struct context *context);
static int print_known_hosts(struct context *context);
static int print_check(struct context *context);
static int print_reference(struct context *context);

/* clang-format off */
static const struct part parts[] = {
	{ "check", "is the file sound, and which faults does it survive", NEEDS_FILE,
	  .print = print_check },
	{ "keepalived", "keepalived.conf of this node", NEEDS_NODE, TAKES_INCLUDE,
	  .print = print_keepalived },
	{ "postgresql", "lines for postgresql.conf", NEEDS_FILE,
	  .template = "postgresql.conf.in" },
	{ "pg_hba", "lines for pg_hba.conf", NEEDS_FILE,
	  .template = "pg_hba.conf.in" },
	{ "pg_ident", "lines for pg_ident.conf", NEEDS_FILE,
	  .template = "pg_ident.conf.in" },
	{ "sql", "statements that make the role of the helpers", NEEDS_FILE,
	  .template = "role.sql.in" },
	{ "ssh", "how to set up ssh for fencing, step by step", NEEDS_FILE,
	  .template = "ssh.txt.in" },
	{ "witness", "how to set up a witness that keeps the record, step by step", NEEDS_FILE,
	  .template = "witness.txt.in", .of_record = true },
	{ "authorized_keys", "the line that lets a key fence this node, or use the witness host",
	  NEEDS_NODE, TAKES_WITNESS | TAKES_KEY, .print = print_authorized_keys },
	{ "known_hosts", "this host's own keys, as the other hosts must pin them",
	  NEEDS_NODE, TAKES_WITNESS | TAKES_HOST_KEYS, .print = print_known_hosts },
	{ "tmpfiles", "for tmpfiles.d: the directory that keepalived watches", NEEDS_FILE,
	  .template = "tmpfiles.conf.in" },
	{ "reference", "every key of the INI file, tab-separated", NEEDS_NOTHING,
	  .print = print_reference },
};
/* clang-format on */

/* ---- templates ---- */

static int render(struct context *context, const char *name)
{
	char path[PATH_MAX + 64];
	char fault[80] = "";
	FILE AUTO_FILE *file = template_open(context->options->templates, name, path, sizeof(path));
	int rc;

	if (file == NULL) {
		rc = -errno;
		(void)snprintf(context->why, sizeof(context->why), "%.200s: %s", path,
			       strerror(-rc));
		return rc;
	}
	rc = template_render(context->out, file, context->values.list, fault, sizeof(fault));
	if (rc < 0)
		(void)snprintf(context->why, sizeof(context->why), "%.200s: %s", path,
			       fault[0] != '\0' ? fault : strerror(-rc));
	return rc;
}

/* ---- parts that are more than a template ---- */

static int print_keepalived(struct context *context)
{
	int rc = 0;

	if (!context->options->include)
		rc = render(context, "keepalived-global.conf.in");
	return rc < 0 ? rc : render(context, "keepalived-cluster.conf.in");
}

/* The first line of a public key file, without its end. */
static int read_key(struct context *context, const char *path, char *key, size_t size)
{
	FILE AUTO_FILE *file = fopen(path, "re");
	bool read = file != NULL && fgets(key, (int)size, file) != NULL;

	if (read) {
		key[strcspn(key, "\n")] = '\0';
		if ((strncmp(key, "ssh-", 4) == 0 || strncmp(key, "ecdsa-", 6) == 0 ||
		     strncmp(key, "sk-", 3) == 0) &&
		    strchr(key, ' ') != NULL)
			return 0;
	}
	(void)snprintf(context->why, sizeof(context->why), "%.200s: %s", path,
		       file == NULL ? strerror(errno) : "is not a public key");
	return -EINVAL;
}

static int print_authorized_keys(struct context *context)
{
	const char *path = context->options->key;
	char own[CFG_PATH_MAX + 8];
	char key[2048];
	int rc;

	(void)snprintf(own, sizeof(own), "%s.pub", context->cfg.ssh_key);
	rc = read_key(context, path != NULL ? path : own, key, sizeof(key));
	if (rc < 0)
		return rc;
	config_value(&context->values, "PUBLIC_KEY", "%s", key);
	config_value(&context->values, "ON_WITNESS", context->options->witness ? "%s" : NULL,
		     "yes");
	return render(context, "authorized_keys.in");
}

/* Type and key under the name that fencing pins them by; the comment is of no use there. */
static void print_host_key(FILE *out, const char *key, const char *name)
{
	const char *blank = strchr(key, ' ');
	size_t length = blank != NULL ? strcspn(blank + 1, " ") + (size_t)(blank + 1 - key) : 0;

	(void)fprintf(out, "%s %.*s\n", name, (int)length, key);
}

static int print_known_hosts(struct context *context)
{
	const char *directory = context->options->host_keys;
	const char *name = context->options->witness ? "witness" : cfg_self(&context->cfg)->name;
	char pattern[PATH_MAX];
	char key[2048];
	glob_t found;
	int rc = 0;

	(void)snprintf(pattern, sizeof(pattern), "%s/ssh_host_*_key.pub",
		       directory != NULL ? directory : "/etc/ssh");
	if (glob(pattern, 0, NULL, &found) != 0) {
		(void)snprintf(context->why, sizeof(context->why), "%.200s: there is none",
			       pattern);
		return -ENOENT;
	}
	for (size_t i = 0; rc == 0 && i < found.gl_pathc; i++) {
		rc = read_key(context, found.gl_pathv[i], key, sizeof(key));
		if (rc == 0)
			print_host_key(context->out, key, name);
	}
	globfree(&found);
	return rc;
}

static int print_check(struct context *context)
{
	summary_print(context->out, &context->cfg);
	return 0;
}

static int print_reference(struct context *context)
{
	(void)context;
	cfg_print_reference();
	return 0;
}

/* ---- what was asked for ---- */

static const struct part *find_part(const char *name)
{
	for (size_t i = 0; i < ARRAY_COUNT(parts); i++) {
		if (strcmp(parts[i].name, name) == 0)
			return &parts[i];
	}
	return NULL;
}

static struct verdict explain_parts(void)
{
	(void)puts("cluster_config PART [-c FILE] [-n NODE]\n\nPART is one of:");
	for (size_t i = 0; i < ARRAY_COUNT(parts); i++)
		(void)printf("  %-16s %s\n", parts[i].name, parts[i].meaning);
	return (struct verdict){ .outcome = OUT_YES, .rule = "parts", .message = "parts listed" };
}

static struct verdict wrong_call(const char *rule, const char *message, const char *what)
{
	struct verdict verdict = { .outcome = OUT_USAGE,
				   .rule = rule,
				   .message = message,
				   .hint = "\"cluster_config\" alone lists the parts, "
					   "\"cluster_config --help\" the options" };

	(void)snprintf(verdict.detail, sizeof(verdict.detail), "\"%.64s\"", what);
	return verdict;
}

static bool options_fit(const struct options *options, const struct part *part)
{
	unsigned given = 0;

	given |= options->include ? TAKES_INCLUDE : 0;
	given |= options->witness ? TAKES_WITNESS : 0;
	given |= options->key != NULL ? TAKES_KEY : 0;
	given |= options->host_keys != NULL ? TAKES_HOST_KEYS : 0;
	return (given & ~part->takes) == 0;
}

/* The witness host is no node, so for its lines none is looked for. */
static bool wants_node(const struct context *context, const struct part *part)
{
	return part->needs == NEEDS_NODE && !context->options->witness;
}

static int load(struct context *context, const struct cli *cli, const struct part *part)
{
	int rc = part->needs == NEEDS_NOTHING ? 0 : cfg_load(&context->cfg, cli->config_path);

	if (rc == 0 && wants_node(context, part))
		rc = cfg_identify(&context->cfg, cli->node);
	return rc;
}

static int print_to_memory(struct context *context, const struct part *part)
{
	char path[PATH_MAX];
	int rc = 0;

	if (part->needs != NEEDS_NOTHING) {
		/* keepalived and sshd run in directories of their own. */
		if (realpath(context->cfg.path, path) == NULL)
			return -errno;
		rc =
		    config_values(&context->values, &context->cfg, path, wants_node(context, part));
	}
	if (rc == 0)
		rc = part->print != NULL ? part->print(context) : render(context, part->template);
	return rc == 0 && context->values.full ? -EFBIG : rc;
}

static struct verdict print_part(struct context *context, const struct part *part)
{
	struct verdict verdict = { .outcome = OUT_SYSTEM,
				   .rule = "not-printed",
				   .message = "could not print this part" };
	char AUTO_FREE *text = NULL;
	size_t size = 0;
	int rc = -ENOMEM;

	if (context->options->witness && !context->cfg.witness_ssh)
		return (struct verdict){ .outcome = OUT_REFUSED,
					 .rule = "no-witness-ssh",
					 .message = "the witness host is not asked over ssh",
					 .hint = "say ssh = yes in [witness]" };
	if (part->of_record && !cfg_has_record(&context->cfg))
		return (struct verdict){ .outcome = OUT_REFUSED,
					 .rule = "no-record",
					 .message = "this witness keeps no record",
					 .hint = "say kind = postgres in [witness]" };
	context->out = open_memstream(&text, &size);
	if (context->out != NULL) {
		rc = print_to_memory(context, part);
		if (fclose(context->out) != 0 && rc == 0)
			rc = -ENOMEM;
	}
	if (rc < 0) {
		(void)snprintf(verdict.detail, sizeof(verdict.detail), "%s",
			       context->why[0] != '\0' ? context->why : strerror(-rc));
		return verdict;
	}
	(void)fwrite(text, 1, size, stdout);
	return (struct verdict){ .outcome = OUT_YES, .rule = part->name, .message = "printed" };
}

int main(int argc, char **argv)
{
	struct options options = { 0 };
	const struct cli_option extra[] = {
		{ "include", NULL, "keepalived: only the cluster's part, to be included",
		  &options.include, NULL },
		{ "witness", NULL, "authorized_keys, known_hosts: those of the witness host",
		  &options.witness, NULL },
		{ "key", "FILE.pub", "authorized_keys: this key (default: of ssh_key)", NULL,
		  &options.key },
		{ "host-keys", "DIR", "known_hosts: instead of /etc/ssh", NULL,
		  &options.host_keys },
		{ "templates", "DIR", "instead of the installed templates", NULL,
		  &options.templates },
		{ 0 },
	};
	const struct cli_spec spec = {
		.program = "cluster_config",
		.summary = "the lines that keepalived, PostgreSQL and ssh need, from the INI file",
		.operands = "[PART]",
		.max_operands = 1,
		.options = extra,
	};
	struct context context = { .options = &options };
	const struct part *part = &parts[0]; /* check */
	struct verdict verdict;
	struct cli cli;

	cli_parse(&cli, &spec, argc, argv);
	if (cli.operand_count > 0)
		part = find_part(cli.operands[0]);
	if (part == NULL) {
		verdict = wrong_call("part", "there is no such part", cli.operands[0]);
	} else if (!options_fit(&options, part)) {
		verdict = wrong_call("option", "an option does not fit this part", part->name);
	} else if (cli.operand_count == 0 && cli.config_path == NULL) {
		verdict = explain_parts();
	} else {
		if (load(&context, &cli, part) < 0)
			return cli_finish_config(&cli);
		verdict = print_part(&context, part);
	}
	return cli_finish(&cli, &verdict);
}
