/* SPDX-License-Identifier: PostgreSQL */
/*
 * cluster_config - from the one INI file, the lines that keepalived, PostgreSQL and ssh need.
 *
 * Run by people and by what installs.  It prints and changes nothing.  The same file gives the same
 * text; "postgresql" and "check" also look at the server of this node.  Exit codes:
 *
 *	0 printed, or: the file is sound	1 it is, but a restart would break the server here
 *	2 the configuration has no such part	64 71 78 called wrongly, system, configuration
 */
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/cli.h"
#include "base/fold.h"
#include "base/log.h"
#include "config/cfg.h"
#include "node/helper.h"
#include "render/compared.h"
#include "render/config_values.h"
#include "render/public_key.h"
#include "render/restart.h"
#include "render/setting_lines.h"
#include "render/summary.h"
#include "render/template.h"

struct options {
	bool include;
	bool witness;
	bool no_server;
	const char *key;
	const char *host_keys;
	const char *templates;
};

struct context {
	const struct options *options;
	struct cfg cfg;
	struct config_values values;
	struct compared compared;
	struct setting_report report;
	struct restart_findings findings;
	bool node_given; /* by -n */
	FILE *out;       /* in memory: standard output gets all or nothing */
	char why[320];
};

/* How much must be known before a part can be printed. */
enum needs { NEEDS_NOTHING, NEEDS_FILE, NEEDS_NODE };

/* Options that only some parts take. */
enum {
	TAKES_INCLUDE = 1,
	TAKES_WITNESS = 2,
	TAKES_KEY = 4,
	TAKES_HOST_KEYS = 8,
	TAKES_NO_SERVER = 16
};

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
static int print_postgresql(struct context *context);
static int print_check(struct context *context);
static int print_reference(struct context *context);

/* clang-format off */
static const struct part parts[] = {
	{ "check", "is it sound, what does it survive, what would a restart break",
	  NEEDS_FILE, TAKES_NO_SERVER, .print = print_check },
	{ "keepalived", "keepalived.conf of this node", NEEDS_NODE, TAKES_INCLUDE,
	  .print = print_keepalived },
	{ "postgresql", "lines for postgresql.conf, compared with the server here", NEEDS_FILE,
	  TAKES_NO_SERVER, .print = print_postgresql },
	{ "pg_hba", "lines for pg_hba.conf", NEEDS_FILE, .template = "pg_hba.conf.in" },
	{ "pg_ident", "lines for pg_ident.conf", NEEDS_FILE,
	  .template = "pg_ident.conf.in" },
	{ "sql", "statements that make the role of the helpers", NEEDS_FILE,
	  .template = "role.sql.in" },
	{ "ssh", "how to set up ssh for fencing, step by step", NEEDS_FILE,
	  .template = "ssh.txt.in" },
	{ "witness", "how to set up a witness that keeps the record, step by step", NEEDS_FILE,
	  .template = "witness.txt.in", .of_record = true },
	{ "authorized_keys", "the line that lets a key fence this node or use the witness",
	  NEEDS_NODE, TAKES_WITNESS | TAKES_KEY, .print = print_authorized_keys },
	{ "known_hosts", "this host's own keys, as the other hosts must pin them",
	  NEEDS_NODE, TAKES_WITNESS | TAKES_HOST_KEYS, .print = print_known_hosts },
	{ "tmpfiles", "for tmpfiles.d: the directory that keepalived watches", NEEDS_FILE,
	  .template = "tmpfiles.conf.in" },
	{ "rules", "every rule, what it says and advises", NEEDS_NOTHING, .template = "rules.txt.in" },
	{ "reference", "every key of the INI file, tab-separated", NEEDS_NOTHING,
	  .print = print_reference },
};
/* clang-format on */

static int render_to(struct context *context, FILE *out, const char *name)
{
	char path[PATH_MAX + 64];
	char fault[80] = "";
	FILE AUTO_FILE *file = template_open(context->options->templates, name, path, sizeof(path));
	int rc;

	if (file == NULL) {
		(void)snprintf(context->why, sizeof(context->why),
			       "template %.200s: %s (\"make install\", or --templates DIR)", path,
			       strerror(errno));
		return -ENOENT;
	}
	rc = template_render(out, file, context->values.list, fault, sizeof(fault));
	if (rc < 0)
		(void)snprintf(context->why, sizeof(context->why), "%.200s: %s", path,
			       fault[0] != '\0' ? fault : strerror(-rc));
	return rc;
}

static int render(struct context *context, const char *name)
{
	return render_to(context, context->out, name);
}

/* ---- parts that are more than a template ---- */

static int print_keepalived(struct context *context)
{
	int rc = 0;

	if (!context->options->include)
		rc = render(context, "keepalived-global.conf.in");
	return rc < 0 ? rc : render(context, "keepalived-cluster.conf.in");
}

static int read_key(struct context *context, const char *path, char *key, size_t size)
{
	return public_key_read(path, key, size, context->why, sizeof(context->why));
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

static int print_known_hosts(struct context *context)
{
	const char *directory = context->options->host_keys;
	const char *name = context->options->witness ? "witness" : cfg_self(&context->cfg)->name;

	return public_key_pin(context->out, directory != NULL ? directory : "/etc/ssh", name,
			      context->why, sizeof(context->why));
}

/* The template of postgresql.conf into memory; *text is to be freed. */
static int postgresql_text(struct context *context, char **text)
{
	size_t size = 0;
	FILE *lines = open_memstream(text, &size);
	int rc = lines != NULL ? render_to(context, lines, "postgresql.conf.in") : -ENOMEM;

	if (lines != NULL && fclose(lines) != 0 && rc == 0)
		rc = -ENOMEM;
	return rc;
}

static int print_postgresql(struct context *context)
{
	char AUTO_FREE *text = NULL;
	int rc = postgresql_text(context, &text);

	if (rc < 0)
		return rc;
	if (!context->options->no_server)
		compared_look(&context->compared, &context->cfg, context->node_given);
	rc = setting_lines(context->out, text, &context->compared, &context->cfg, &context->report);
	if (rc < 0)
		(void)snprintf(context->why, sizeof(context->why), "%s", context->report.fault);
	return rc;
}

static int print_check(struct context *context)
{
	char AUTO_FREE *text = NULL;
	int rc = 0;

	summary_print(context->out, &context->cfg);
	if (context->options->no_server)
		return 0;
	rc = postgresql_text(context, &text);
	compared_look(&context->compared, &context->cfg, context->node_given);
	restart_print(context->out, &context->findings, &context->compared, &context->cfg,
		      rc == 0 ? text : "");
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
	return (struct verdict)YES("parts", "parts listed", NULL);
}

static struct verdict wrong_call(const char *rule, const char *message, const char *what)
{
	struct verdict verdict = USAGE_ERROR(rule, message,
					     "\"cluster_config\" alone lists the parts, "
					     "\"cluster_config --help\" the options");

	(void)snprintf(verdict.detail, sizeof(verdict.detail), "\"%.64s\"", what);
	return verdict;
}

static bool options_fit(const struct options *options, const struct part *part)
{
	unsigned given = 0;

	given |= options->include ? TAKES_INCLUDE : 0;
	given |= options->witness ? TAKES_WITNESS : 0;
	given |= options->no_server ? TAKES_NO_SERVER : 0;
	given |= options->key != NULL ? TAKES_KEY : 0;
	given |= options->host_keys != NULL ? TAKES_HOST_KEYS : 0;
	return (given & ~part->takes) == 0;
}

/* The witness host is no node, so for its lines none is looked for. */
static bool wants_node(const struct context *context, const struct part *part)
{
	return part->needs == NEEDS_NODE && !context->options->witness;
}

static bool load(struct context *context, const struct cli *cli, const struct part *part,
		 struct verdict *verdict)
{
	context->node_given = cli->node != NULL && (part->takes & TAKES_NO_SERVER) != 0;
	return part->needs == NEEDS_NOTHING ||
	       helper_begin(&context->cfg, cli,
			    wants_node(context, part) || context->node_given ? HELPER_NODE
									     : HELPER_CONFIG,
			    verdict);
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

static struct verdict printed(const struct context *context, const struct part *part)
{
	struct verdict verdict = YES(part->name, "printed", NULL);
	const struct restart_finding *first = &context->findings.list[0];

	if (context->findings.count > 0) {
		verdict = (struct verdict)NO("restart-breaks",
					     "the file is sound, but a restart would break the "
					     "server here",
					     first->hint);
		(void)snprintf(verdict.detail, sizeof(verdict.detail), "%s (%s)", first->message,
			       first->detail);
	} else if (context->report.overruled[0] != '\0') {
		log_complaint("printed, but these lines would not take effect: %s",
			      context->report.overruled);
		log_complaint("HINT:  ALTER SYSTEM RESET NAME, or take the other line away");
	}
	return verdict;
}

static struct verdict print_part(struct context *context, const struct part *part)
{
	struct verdict verdict = SYSTEM_ERROR("not-printed", "nothing was printed", NULL);
	char AUTO_FREE *text = NULL;
	size_t size = 0;
	int rc = -ENOMEM;

	if (context->options->witness && !context->cfg.witness_ssh)
		return (struct verdict)REFUSED("no-witness-ssh",
					       "the witness host is not asked over ssh",
					       "set ssh = yes in [witness]");
	if (part->of_record && !cfg_has_record(&context->cfg))
		return (struct verdict)REFUSED("no-record", "this witness keeps no record",
					       "set kind = postgres in [witness]");
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
	if (part->print == print_check)
		fold_text(stdout, text);
	else
		(void)fwrite(text, 1, size, stdout);
	return printed(context, part);
}

int main(int argc, char **argv)
{
	struct options options = { 0 };
	const struct cli_option extra[] = {
		{ "include", NULL, "keepalived: only the cluster's part, to be included",
		  &options.include, NULL },
		{ "witness", NULL, "authorized_keys, known_hosts: those of the witness host",
		  &options.witness, NULL },
		{ "no-server", NULL, "postgresql, check: look at no server", &options.no_server,
		  NULL },
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
		.summary = "what keepalived, PostgreSQL and ssh need, from the INI file",
		.operands = "[PART]",
		.max_operands = 1,
		.options = extra,
		.answers = true,
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
	} else if (load(&context, &cli, part, &verdict)) {
		verdict = print_part(&context, part);
	}
	return cli_finish(&cli, &verdict);
}
