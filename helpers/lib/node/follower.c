/* SPDX-License-Identifier: PostgreSQL */
/* The last knowledge of a primary about its standby: one file, with the boot id. */
#include "node/follower.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/deadline.h"
#include "base/state.h"
#include "node/boot_file.h"

static int parse(const char *text, struct follower *follower)
{
	int rc = state_get_i64(text, "asked_ms", &follower->asked_ms);

	if (rc == 0)
		rc = state_get_i64(text, "good_since_ms", &follower->good_since_ms);
	if (rc == 0)
		rc = state_get_i64(text, "good_ms", &follower->good_ms);
	if (rc == 0)
		rc = state_get_i64(text, "postmaster", &follower->postmaster);
	if (rc == 0)
		rc = state_get_i64(text, "sender", &follower->sender);
	if (rc == 0)
		rc = state_get_u64(text, "flush_lsn", &follower->flush_lsn);
	if (rc == 0)
		rc = state_get_u64(text, "target_lsn", &follower->target_lsn);
	if (rc == 0)
		rc = state_get_i64(text, "loaded_us", &follower->loaded_us);
	if (rc < 0)
		return rc;
	return follower->asked_ms <= now_ms() && follower->good_ms <= follower->asked_ms &&
		       follower->good_since_ms >= 0 && follower->good_since_ms <= follower->good_ms
		   ? 0
		   : -1;
}

struct follower follower_read(const struct cfg *cfg)
{
	struct follower follower = { 0 };
	char text[STATE_TEXT_MAX];

	if (boot_file_read(cfg, "follower", text, sizeof(text)) < 0 || parse(text, &follower) < 0)
		return (struct follower){ 0 };
	follower.known = true;
	return follower;
}

int follower_write(const struct cfg *cfg, const struct follower *follower)
{
	char text[512];

	(void)snprintf(text, sizeof(text),
		       "asked_ms=%" PRId64 "\ngood_since_ms=%" PRId64 "\ngood_ms=%" PRId64
		       "\npostmaster=%" PRId64 "\nsender=%" PRId64 "\nflush_lsn=%" PRIu64
		       "\ntarget_lsn=%" PRIu64 "\nloaded_us=%" PRId64 "\n",
		       follower->asked_ms, follower->good_since_ms, follower->good_ms,
		       follower->postmaster, follower->sender, follower->flush_lsn,
		       follower->target_lsn, follower->loaded_us);
	return boot_file_write(cfg, "follower", text);
}
