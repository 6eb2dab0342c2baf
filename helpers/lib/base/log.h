/* SPDX-License-Identifier: PostgreSQL */
/*
 * Messages in PostgreSQL's manner: message, detail, hint.  Always to syslog (under keepalived, file
 * descriptor 2 is /dev/null), and to standard error when that is a terminal or -v was given;
 * warnings and errors also when there is no syslog to take them.  The verdict goes to standard
 * error unless log_quiet was called, so that ssh, a pipe or Ansible shows why.  Never waits for the
 * log daemon. Every line in syslog carries cluster and node.  Secrets are never passed in here.
 */
#ifndef PGV_LOG_H
#define PGV_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/verdict.h"

/* Call once, early; `program` must stay valid.  verbose: debug lines too, and standard error
 * always. */
void log_open(const char *program, bool verbose);

/* The caller reads exit codes and the log: nothing is for its standard error, be it a terminal or
 * not, unless -v was given or syslog does not take a warning. */
void log_quiet(void);

/* From here on every line begins with cluster=... node=...; both are copied. */
void log_identity(const char *cluster, const char *node);

void log_debug(const char *fmt, ...) PRINTF_LIKE(1, 2);
void log_info(const char *fmt, ...) PRINTF_LIKE(1, 2);
void log_warning(const char *fmt, ...) PRINTF_LIKE(1, 2);
void log_error(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* "could not WHAT: REASON" as a warning when rc is -errno, nothing when it is not: for a step whose
 * failure is told and passed over. */
void log_failed(const char *what, int rc);

/* A fault in a file of the user's: an error for the log, and as it stands on standard error, be it
 * a terminal or not, so that an editor can follow "FILE:LINE: ...". */
void log_complaint(const char *fmt, ...) PRINTF_LIKE(1, 2);

/*
 * The one verdict line of a run, at info (yes, no), warning, or (64 and up) error level:
 *   outcome=refused rule=witness-unseen message="..." detail="..." hint="..." elapsed_ms=412
 * Double quotes and control characters inside texts are replaced.  On a terminal, or with -v, the
 * same is printed in three lines as psql would, elsewhere in one:
 *   promote_safe: refused [witness-unseen]: MESSAGE - DETAIL - HINT: ...
 */
void log_verdict(const struct verdict *verdict, int64_t elapsed_ms);

#endif
