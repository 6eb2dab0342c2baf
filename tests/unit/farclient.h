/* SPDX-License-Identifier: PostgreSQL */
/*
 * TCP clients on the far host of netfixture, seen from both ends in one process.  Beside its own
 * addresses, which play the other node, the far host gets those of a client.
 */
#ifndef FARCLIENT_H
#define FARCLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "netfixture.h"

#define CLIENT  "192.0.2.22"
#define CLIENT6 "2001:db8::22"

struct farclient {
	int client;
	int server;
};

/* Gives the far host its clients' addresses.  0 or -errno. */
int farclient_begin(const struct netfixture *fixture);

/* A listening socket on the near host. */
int farclient_listen(const char *address, uint16_t port);

/* Connects from an address of the far host, or, with a NULL fixture, of the near one; the listener
 * accepts.  0 or -errno of the connect, which is given a second. */
int farclient_connect(struct farclient *made, const struct netfixture *fixture, int listener,
		      const char *from, const char *to, uint16_t port);
void farclient_end(const struct farclient *client);

/* A byte in each direction arrives within a second. */
bool farclient_works(const struct farclient *client);

/* Sends now and then until the client is told that its connection is reset; returns when that was,
 * CLOCK_BOOTTIME ms, or -errno. */
int64_t farclient_cut_at(const struct farclient *client, int64_t limit_ms);

/* Does something arrive at `fd` within so many ms?  'x', 0 (no), or -errno. */
int farclient_hears(int fd, int64_t ms);

#endif
