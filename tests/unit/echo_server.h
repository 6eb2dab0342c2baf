/* SPDX-License-Identifier: PostgreSQL */
/*
 * A host that answers echo requests as it is told: later, twice, wrongly, from another address.  It
 * runs on the far host of netfixture in place of the kernel's own answers, IPv4 only.
 */
#ifndef ECHO_SERVER_H
#define ECHO_SERVER_H

#include <sys/types.h>

#include "netfixture.h"

enum echo_twist {
	ECHO_HONEST,
	ECHO_OTHER_NONCE,    /* one bit of the payload's end */
	ECHO_OTHER_SEQUENCE, /* the number of the next question */
	ECHO_OTHER_TIME,     /* one bit of the payload's beginning */
	ECHO_OTHER_SOURCE,   /* from 192.0.2.22 */
	ECHO_SHORT,          /* the last four bytes cut off */
};

struct echo_server {
	pid_t pid;
	int orders; /* socket to it */
};

/* 0 or -errno. */
int echo_server_begin(struct echo_server *server, const struct netfixture *fixture);
void echo_server_end(struct echo_server *server, const struct netfixture *fixture);

/* Answers the request that arrived as number `request` (from 0), waiting for it if need be.
 * Returns when the answer has been sent: 0 or -errno. */
int echo_server_answer(const struct echo_server *server, int request, enum echo_twist twist);

#endif
