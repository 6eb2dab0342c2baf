/* SPDX-License-Identifier: PostgreSQL */
/*
 * Telling the service manager how it stands: one datagram of NAME=VALUE lines to the socket that
 * systemd names in NOTIFY_SOCKET (sd_notify(3); the protocol is stable, and needs no library).
 */
#ifndef PGV_NOTIFY_H
#define PGV_NOTIFY_H

#include "base/auto.h"

/* Never waits.  0: sent, or nobody wants to know; or -errno. */
int notify_send(const char *lines) MUST_CHECK;

#endif
