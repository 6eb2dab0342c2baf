/* SPDX-License-Identifier: PostgreSQL */
/*
 * Which faults a configuration survives and which it refuses, in words: docs/safety.md for the one
 * file at hand.
 */
#ifndef PGV_FAULTS_H
#define PGV_FAULTS_H

#include <stddef.h>

#include "config/cfg.h"

enum fault_end {
	FAULT_SURVIVED, /* clients can write, or can again by itself, while it lasts */
	FAULT_WAITS,    /* commits wait until it is over, and then go on by themselves */
	FAULT_REFUSED,  /* nobody serves until it is over, or a person decides */
	FAULT_DANGER,   /* two nodes may accept writes */
};

struct fault {
	const char *what;
	enum fault_end end;
	char words[160]; /* what happens */
};

#define FAULTS_MAX 16

/* Fills faults, which has room for FAULTS_MAX; how many there are. */
size_t faults_of(const struct cfg *cfg, struct fault *faults);

/* Some of them, for a drill: PostgreSQL crashes on the primary; the primary's host is lost; it is
 * cut from everything.  They fill `end` and `words`. */
void fault_crash(struct fault *fault, const struct cfg *cfg);
void fault_host_lost(struct fault *fault, const struct cfg *cfg);
void fault_isolated(struct fault *fault, const struct cfg *cfg);

/* "survived", "waits", "refused", "DANGER". */
const char *fault_end_word(enum fault_end end);

#endif
