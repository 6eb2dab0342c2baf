/* SPDX-License-Identifier: PostgreSQL */
/*
 * The state of this node, from the files that its guard and its check_primary have left, each with
 * its age: nobody is asked and no server process is looked at, so that a look costs some twenty
 * small reads.  What is not there, cannot be read or is too old is unknown.
 */
#ifndef PGV_HEALTH_LOOK_H
#define PGV_HEALTH_LOOK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/outcome.h"
#include "config/cfg.h"
#include "node/contact.h"
#include "node/watchdog_stamp.h"

/* A time that was never, or is not known. */
#define HEALTH_NEVER (-1)

enum health_server {
	HEALTH_SERVER_UNKNOWN = 0, /* no round of check_primary, or none that is new enough */
	HEALTH_SERVER_PRIMARY,
	HEALTH_SERVER_STANDBY,
	HEALTH_SERVER_OTHER, /* down, starting, or it refuses us */
};

struct health {
	/* the right to serve */
	enum fact fenced;
	enum fact says_serving;
	int64_t lease_left_ms; /* of the lease or of a right just won; may be negative */
	bool right_known;      /* there is one of them */
	int64_t fence_time_ms;

	/* the last round of check_primary --watch */
	int64_t answer_age_ms;
	enum outcome answer;
	enum health_server server; /* while that is fresh */
	int64_t fresh_ms;          /* what is older than this says nothing any more */

	/* the record, as it was last seen; with a witness that keeps one */
	bool has_record;
	enum fact record_known;
	int64_t record_age_ms;
	int64_t term;
	bool holder; /* this node */
	bool paired;
	bool paused;
	bool record_sync;
	bool solo;
	bool mode_sync; /* of the configuration */

	/* a standby's knowledge of its primary */
	struct contact contact;
	int64_t seen_age_ms;
	int64_t streaming_age_ms;
	int64_t lag_bytes;    /* behind what the primary had written; HEALTH_NEVER: not known */
	int64_t unsent_bytes; /* of that, what has not even come here */
	int64_t lag_ms;
	int64_t max_lag_bytes;

	/* others */
	int64_t vote_age_ms;
	int64_t keepalived_age_ms;
	bool disk_full;
	bool withdrawn;
	enum watchdog_says watchdog;
	enum fact rejoin_ready;
	enum fact fence_tested;
};

void health_look(struct health *h, const struct cfg *cfg);

#endif
