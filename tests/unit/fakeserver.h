/* SPDX-License-Identifier: PostgreSQL */
/* Something that listens where a PostgreSQL server ought to, and behaves badly. */
#ifndef FAKESERVER_H
#define FAKESERVER_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

enum fake_manner {
	FAKE_SILENT,   /* takes the connection and never says anything */
	FAKE_CLOSE,    /* takes the connection and closes it at once */
	FAKE_SAY,      /* waits for the first packet, says `bytes`, closes */
	FAKE_PASSWORD, /* asks for the password in clear first, then as FAKE_SAY */
};

struct fake {
	int fd;
	pthread_t thread;
	enum fake_manner manner;
	const void *bytes; /* must outlive the server */
	size_t size;
};

/* Listens at address:port; for one connection after the other, until fake_stop.  0 or -errno. */
int fake_start(struct fake *fake, const char *address, uint16_t port);
void fake_stop(struct fake *fake);

/* An ErrorResponse with this SQLSTATE and message into bytes[size]; returns its length. */
size_t fake_error(char *bytes, size_t size, const char *sqlstate, const char *message);

#endif
