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
 * is -EINVAL.  sshd has a shell run the forced command, and what that prints when it starts comes
 * before the answer (a greeting in .bashrc), perhaps without an end of line.  So the answer is
 * looked for.
 */
#ifndef PGV_FENCE_ANSWER_H
#define PGV_FENCE_ANSWER_H

#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"

#define FENCE_LINE_MAX 256

/*
 * fence: make the node harmless.  spare: the same, but leave it alone when it serves by right.
 * test: touch nothing, say that fencing would have been possible.  setup: the same, and before that
 * line what the node knows of itself (setup/setup_host.h).  switchover: hand over to the node that
 * asks; switchover-test: would you?  restart, restart-test: your server.  Before the answer stands
 * what switchover(8) or restart(8) said.  observe: (witness host) can you reach the node?
 */
enum fence_ask {
	FENCE_ASK_FENCE,
	FENCE_ASK_SPARE,
	FENCE_ASK_TEST,
	FENCE_ASK_OBSERVE,
	FENCE_ASK_SETUP,
	FENCE_ASK_SWITCHOVER,
	FENCE_ASK_SWITCHOVER_TEST,
	FENCE_ASK_RESTART,
	FENCE_ASK_RESTART_TEST,
	FENCE_ASKS
};

struct fence_line {
	char cluster[64];
	char node[64];
	enum fence_ask ask;
	/* observe: for how long nothing may answer, 0 is one look.  switchover: for how long it may
	 * wait for the standby.  restart: for its checkpoint. */
	int64_t window_ms;
};

/* Writes the request into line[size].  0 or -EFBIG. */
int fence_request_format(const struct fence_line *request, char *line, size_t size) MUST_CHECK;

/* Reads a request; whose cluster and node it is stays for the caller to compare.  0 or -EINVAL. */
int fence_request_parse(const char *line, struct fence_line *request) MUST_CHECK;

/*
 * Finds the one answer about `node` of `cluster` in all that was printed, and copies its verdict:
 * fenced, alive, unknown, ready (a node), reachable, unreachable (the witness host), or the outcome
 * of planned work (base/outcome.h).  0; -EINVAL: there is none, or more than one.
 */
int fence_answer_parse(const char *text, const char *cluster, const char *node, char *verdict,
		       size_t size) MUST_CHECK;

/* The first line of what else was printed, without control characters, for people; "" when nothing
 * was. */
void fence_answer_noise(const char *text, char *noise, size_t size);

/* Prints an answer to standard output and flushes it. */
void fence_answer_print(const char *cluster, const char *node, const char *verdict);

#endif
