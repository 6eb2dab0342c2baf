/* SPDX-License-Identifier: PostgreSQL */
/*
 * The ssh(1) command lines of fencing: own key, host keys pinned by node name, no agent, no
 * user configuration, no terminal, never a question to a person.
 */
#ifndef PGV_FENCE_SSH_H
#define PGV_FENCE_SSH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/auto.h"
#include "config/cfg.h"

#define FENCE_SSH_WORDS 48
#define FENCE_SSH_TEXT  4096

/* An argument vector with the text that it points into. */
struct fence_ssh {
	const char *argv[FENCE_SSH_WORDS];
	size_t words;
	char text[FENCE_SSH_TEXT];
	size_t used;
};

/* To the node, straight or through the witness host; `request` is what the forced command reads.
 * Returns 0, -EFBIG, or -EINVAL when a configured text holds a character that a shell could read
 * (ssh hands its ProxyCommand to one). */
int fence_ssh_node(struct fence_ssh *ssh, const struct cfg *cfg, const struct cfg_node *node,
		   bool through_witness, const char *request) MUST_CHECK;

/* To the witness host. */
int fence_ssh_witness(struct fence_ssh *ssh, const struct cfg *cfg, const char *request) MUST_CHECK;

#endif
