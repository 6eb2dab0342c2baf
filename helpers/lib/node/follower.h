/* SPDX-License-Identifier: PostgreSQL */
#ifndef PGV_FOLLOWER_H
#define PGV_FOLLOWER_H

#include <stdint.h>

#include "base/auto.h"
#include "config/cfg.h"

/* ---- follower: what a primary last knew of its standby.  Strict, as contact ---- */
struct follower {
	bool known;
	int64_t asked_ms; /* the last question to our own server was sent then */
	int64_t
	    good_since_ms; /* it has streamed and made progress in every answer since; 0: not now */
	int64_t good_ms;   /* and did so last then */
	uint64_t flush_lsn;  /* what it had flushed, as last known */
	int64_t postmaster;  /* pid of our server: of another one all of this says nothing */
	int64_t sender;      /* pid of the walsender that it streamed from last */
	uint64_t target_lsn; /* it is to have flushed that before it may be paired; 0: none set */
	int64_t loaded_us; /* our server had read its configuration files then, with the names that
			      a pairing needs, which we had just written (server_config_loaded);
			      0: we have not, or were about to write others */
};
struct follower follower_read(const struct cfg *cfg);
int follower_write(const struct cfg *cfg, const struct follower *follower) MUST_CHECK;

#endif
