/* SPDX-License-Identifier: PostgreSQL */
/* The witness host's part when a standby asks it over ssh whether it can reach the old primary. */
#ifndef PGV_OBSERVE_H
#define PGV_OBSERVE_H

#include "base/verdict.h"
#include "config/cfg.h"

/*
 * Reads the request from SSH_ORIGINAL_COMMAND, asks the node by ICMP and on its ssh and PostgreSQL
 * ports again and again for the requested window, and answers in one line (fence_answer.h):
 * reachable as soon as anything at all comes back, also a refused connection; unreachable only when
 * the whole window was silent; unknown when it could not even ask.
 */
struct verdict observe_answer(const struct cfg *cfg);

#endif
