/* SPDX-License-Identifier: PostgreSQL */
/*
 * Why a server ended, in its own words: what it wrote since a mark was taken to log_file (its
 * standard error, where we started it), or to the file of PostgreSQL's logging collector.  A server
 * that logs to syslog alone says nothing here.
 */
#ifndef PGV_SERVER_LOG_H
#define PGV_SERVER_LOG_H

#include <stddef.h>
#include <stdint.h>

#include "config/cfg.h"

/* Enough for FATAL with its HINT; struct verdict has room for it. */
#define SERVER_LOG_WHY_MAX 288

/* How long a log was: what lies behind that is new. */
struct server_log_end {
	uint64_t inode; /* 0: there was none */
	int64_t bytes;
};

struct server_log {
	struct server_log_end own;       /* log_file */
	struct server_log_end collector; /* the file that current_logfiles names */
};

/* Remembers where both logs end now.  What cannot be read counts as empty. */
void server_log_mark(struct server_log *log, const struct cfg *cfg);

/*
 * One line: what was said since the mark about the end of the server, without secrets, in valid
 * UTF-8, cut between characters and then marked by "...".  "" when nothing is to be found.  Reads
 * SERVER_LOG_WINDOW bytes of each file at the most, and no file that is not the server's user's.
 */
#define SERVER_LOG_WINDOW (64 * 1024)
void server_log_why(const struct server_log *log, const struct cfg *cfg, char *why, size_t size);

/* The same of lines that were read already: the log of a single-user server, for example.  Changes
 * text.  Pure otherwise. */
void server_log_reason(char *text, char *why, size_t size);

#endif
