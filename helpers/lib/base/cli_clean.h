/* SPDX-License-Identifier: PostgreSQL */
/* Makes what a helper was started with harmless before anything else happens.  For cli.c only. */
#ifndef PGV_CLI_CLEAN_H
#define PGV_CLI_CLEAN_H

/* Descriptors, environment, signals, umask, as cli.h says.  Exits with 71 when it cannot. */
void cli_clean(void);

#endif
