/* SPDX-License-Identifier: PostgreSQL */
/*
 * The last finding of "check_primary --watch", a file below run_dir for keepalived's scripts and
 * the guard: a stamp of when it began to ask, with the outcome, and what
 * this node's server was found to be.
 */
#ifndef PGV_ANSWER_H
#define PGV_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/outcome.h"
#include "config/cfg.h"

/* Writes it; asked_ms is CLOCK_BOOTTIME, before the first question was sent.  server: one word
 * (server_state_word).  0 or -errno. */
int answer_write(const struct cfg *cfg, int64_t asked_ms, enum outcome outcome,
		 const char *server) MUST_CHECK;

/* How long ago the last one began to ask, in ms; -ENOENT, -EINVAL, another -errno. */
int64_t answer_age_ms(const struct cfg *cfg) MUST_CHECK;

/* The same with its outcome, and the word of the server: "" where it says none.  A word that is no
 * outcome is -EINVAL. */
int64_t answer_look(const struct cfg *cfg, enum outcome *outcome, char *server,
		    size_t size) MUST_CHECK;

/*
 * The outcome, when it is not older than the next one may be: one round and the time that a round
 * takes at the most.  False: there is none to go by, and who asks must find out for himself.
 */
bool answer_read(const struct cfg *cfg, enum outcome *outcome);

/* From one round of --watch to the next: as often as keepalived asks, or more where the lease is to
 * be renewed more often. */
int64_t answer_round_ms(const struct cfg *cfg);

/*
 * How long one of its questions, to the other node or to the witness, may take: to the end of its
 * round; where the lease is so short that rounds come more often, to the beginning of the next one.
 * Never less than probe_timeout.  timing.h says why that is no risk.
 */
int64_t answer_question_ms(const struct cfg *cfg);

/*
 * Does the watch see the same boot as this program?  Each unit of systemd may have mounts of its
 * own, and in a container of systemd-nspawn one with ProtectControlGroups= or ProtectProc= sees the
 * boot_id of the host below it: then neither believes what the other one has stamped.  Unknown:
 * nothing is there to compare.
 */
enum fact answer_is_of_this_boot(const struct cfg *cfg);

#endif
