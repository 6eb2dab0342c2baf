/* SPDX-License-Identifier: PostgreSQL */
/* One of our programs, called by another one for the same cluster and node. */
#ifndef PGV_CALL_H
#define PGV_CALL_H

#include "config/cfg.h"

/* The most words of its own that a call has. */
#define CALL_WORDS 6

/* For struct proc_spec; argv points into it and into the configuration, so it is not copied. */
struct call {
	char path[CFG_PATH_MAX + CFG_NAME_MAX];
	const char *argv[5 + CALL_WORDS + 1];
};

/*
 * "LIBEXEC_DIR/PROGRAM -c FILE -n NODE WORD...".  words ends with NULL, after CALL_WORDS of them at
 * the most, and must outlive the call.
 */
void call_make(struct call *call, const struct cfg *cfg, const char *program,
	       const char *const *words);

#endif
