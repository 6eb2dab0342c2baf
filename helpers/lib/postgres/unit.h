/* SPDX-License-Identifier: PostgreSQL */
/*
 * A server that lives in a unit of systemd is started there, so that whoever asks systemd about it
 * is told the truth.  The unit's gate (rejoin --gate) runs in that start, and lets through what its
 * caller has decided: the stamp STAMP_STARTING tells it so, for as long as the caller lives.
 *
 * Only a start goes this way.  A stop is by signals (pgctl.h), planned or not: it has to end inside
 * a lease, and systemd finds by itself that the server has ended.
 */
#ifndef PGV_UNIT_H
#define PGV_UNIT_H

#include <stdbool.h>

#include "base/auto.h"
#include "base/deadline.h"
#include "base/outcome.h"
#include "config/cfg.h"

/* Is there such a unit, and a systemd that would start it? */
bool unit_is_used(const struct cfg *cfg);

/*
 * Asks systemd for the start and waits until a postmaster is there.  systemd is never waited for
 * without a limit.  0: it is there; -ECHILD: the unit ended, or was refused (why in log);
 * -ETIMEDOUT; -errno.
 */
int unit_start(const struct cfg *cfg, const struct deadline *dl) MUST_CHECK;

/* The state that `systemctl show --property=ActiveState,Job` says.  Pure. */
enum unit_state {
	UNIT_UNKNOWN,  /* nothing that we understand */
	UNIT_DOWN,     /* it has ended, and nobody has asked for another start */
	UNIT_CHANGING, /* it starts, or stops, or is about to */
	UNIT_UP,
};
enum unit_state unit_state_of(const char *shown);

/* Is this host being shut down or rebooted?  Unknown where systemd does not say. */
enum fact unit_host_is_leaving(const struct deadline *dl);

/* The program, and the directory that is there while systemd runs.  Tests have others. */
struct unit_systemd {
	const char *systemctl;
	const char *booted;
};
extern struct unit_systemd unit_systemd;

#endif
