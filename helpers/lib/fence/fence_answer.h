/* SPDX-License-Identifier: PostgreSQL */
/*
 * The two lines of the fencing protocol.  A request travels as the command of ssh(1) and reaches
 * the forced command at the far end in SSH_ORIGINAL_COMMAND; the answer is one line on standard
 * output:
 *
 *   pg_vrrp 1 cluster=main node=n1 request=spare window_ms=0
 *   pg_vrrp 1 cluster=main node=n1 verdict=fenced
 *
 * Nothing else is understood: another version, another cluster or node, a missing or trailing word
 * is -EINVAL.
 */
#ifndef PGV_FENCE_ANSWER_H
#define PGV_FENCE_ANSWER_H

#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"

#define FENCE_LINE_MAX 256

/*
 * fence: make the node harmless.  spare: the same, but leave it alone when it serves by right.
 * test: touch nothing, say that fencing would have been possible.  observe: (witness host) can you
 * reach the node?
 */
enum fence_ask { FENCE_ASK_FENCE, FENCE_ASK_SPARE, FENCE_ASK_TEST, FENCE_ASK_OBSERVE, FENCE_ASKS };

struct fence_line {
	char cluster[64];
	char node[64];
	enum fence_ask ask;
	int64_t window_ms; /* observe: for how long nothing may answer; 0: one look */
};

/* Writes the request into line[size].  0 or -EFBIG. */
int fence_request_format(const struct fence_line *request, char *line, size_t size) MUST_CHECK;

/* Reads a request; whose cluster and node it is stays for the caller to compare.  0 or -EINVAL. */
int fence_request_parse(const char *line, struct fence_line *request) MUST_CHECK;

/*
 * Reads an answer about `node` of `cluster` (one line, with or without its newline) and copies its
 * verdict: fenced, alive, unknown, ready (a node), reachable, unreachable (the witness host).  0 or
 * -EINVAL.
 */
int fence_answer_parse(const char *line, const char *cluster, const char *node, char *verdict,
		       size_t size) MUST_CHECK;

/* Prints an answer to standard output and flushes it. */
void fence_answer_print(const char *cluster, const char *node, const char *verdict);

#endif
