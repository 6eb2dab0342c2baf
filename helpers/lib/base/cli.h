/* SPDX-License-Identifier: PostgreSQL */
/*
 * Command lines, alike in every helper: --help --version -c/--config FILE
 * -n/--node NAME -v/--verbose -q/--quiet --dry-run --explain --json, and what a helper adds.
 * keepalived 2.2.7 hands down its whole environment and inherited descriptors, so cli_parse cleans
 * both: PATH is set to the system's, LC_ALL=C, and of the rest only TERM, TZ,
 * SSH_ORIGINAL_COMMAND and NOTIFY_SOCKET stay (what steers libpq, the loader or the shell goes);
 * SIGCHLD is at its default, SIGPIPE ignored, no signal blocked; descriptors above 2 are closed,
 * 0-2 are opened on /dev/null if closed.
 */
#ifndef PGV_CLI_H
#define PGV_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/verdict.h"

struct cfg;

/* An option of one helper.  Exactly one of flag and text is set. */
struct cli_option {
	const char *name;  /* long name without dashes */
	const char *value; /* name of its value in the usage text; NULL for a flag */
	const char *help;  /* one line */
	bool *flag;        /* set to true when given */
	const char *
	    *text; /* set to the value (points into argv); giving it twice is a usage error */
};

struct cli_spec {
	const char *program;  /* "promote_safe" */
	const char *summary;  /* one sentence for --help */
	const char *operands; /* e.g. "[keepalived|sql]"; NULL when the helper takes none */
	size_t max_operands;
	const struct cli_option *options; /* ends with name NULL; may be NULL */
	/* For keepalived, the guard, sshd: shown by -v --help only, and each implies --quiet.  Ends
	 * with name NULL; may be NULL. */
	const struct cli_option *machine;
	bool answers;  /* standard output is the answer, so that a yes needs no line beside it */
	bool acts;     /* offers --dry-run and --explain */
	bool explains; /* offers --explain alone */
	bool shows;    /* offers --json */
};

struct cli {
	const char *program;
	const char *config_path; /* -c; NULL: cfg_load takes the only /etc/pg_vrrp/NAME.ini, or says
				    which there are */
	const char *node;        /* -n; NULL: found by the host's own addresses */
	bool verbose;
	bool quiet; /* the verdict goes to the log only */
	bool answers;
	bool dry_run;
	bool explain;
	bool json;
	char **operands;
	size_t operand_count;
	int64_t started_ms; /* CLOCK_BOOTTIME, when cli_parse began */
};

/*
 * Parses, opens the log, cleans environment and descriptors.  --help (behind -v with the options
 * for programs) and --version print to standard output and exit 0; a wrong call prints one line and
 * the remedy to standard error and exits 64.
 */
void cli_parse(struct cli *cli, const struct cli_spec *spec, int argc, char **argv);

/* Logs the verdict (once) and returns its exit code, for `return cli_finish(...)` in main; flushes
 * standard output and turns OUT_YES into OUT_SYSTEM when that fails. */
int cli_finish(const struct cli *cli, const struct verdict *verdict);

/* The verdict once cfg_load or node_identify has said what is wrong. */
struct verdict cli_config_error(void);

#endif
