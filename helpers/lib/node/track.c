/* SPDX-License-Identifier: PostgreSQL */
/* keepalived's track files, and the one that says that this node serves. */
#include "node/track.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/deadline.h"
#include "base/lock.h"
#include "base/state.h"
#include "node/mark.h"
#include "node/path.h"
#include "node/stamp.h"

/*
 * How long either side waits for serving.lock.  The holder only reads three small files and renames
 * one, well under a millisecond; 100 ms says that it is frozen or starved.  Part of check_budget
 * for serving_begin, and of the fence time for serving_end.
 */
#define SERVING_LOCK_MS 100

/* The names of the files below run_dir, as keepalived.conf has them. */
static const char *const words[] = {
	[TRACK_SERVING] = "serving",
	[TRACK_ELECTION] = "election",
	[TRACK_PRIORITY] = "priority",
};

const char *track_word(enum track track)
{
	return (size_t)track < ARRAY_COUNT(words) ? words[track] : "unknown";
}

int track_write(const struct cfg *cfg, enum track track, int value)
{
	char text[16];

	(void)snprintf(text, sizeof(text), "%d\n", value);
	return state_write(file_run(cfg, track_word(track)).text, text, 0644, false);
}

int track_read(const struct cfg *cfg, enum track track, int *value)
{
	char text[16];
	size_t digits;
	int rc = state_read(file_run(cfg, track_word(track)).text, text, sizeof(text));

	*value = -1;
	if (rc == -EFBIG)
		return -EINVAL;
	if (rc < 0)
		return rc;
	digits = strspn(text, "0123456789");
	if (digits == 0 || digits > 4 || strcmp(text + digits, "\n") != 0)
		return -EINVAL;
	*value = 0;
	for (size_t i = 0; i < digits; i++)
		*value = *value * 10 + (text[i] - '0');
	return 0;
}

/* The right to serve, as the files say it at this moment. */
static bool may_serve(const struct cfg *cfg)
{
	return fenced_read(cfg).present == FACT_NO && right_runs(cfg);
}

static int serving_write_if_other(const struct cfg *cfg, int value)
{
	int now;

	if (track_read(cfg, TRACK_SERVING, &now) == 0 && now == value)
		return 0;
	return track_write(cfg, TRACK_SERVING, value);
}

int serving_begin(const struct cfg *cfg)
{
	struct deadline dl = deadline_in_ms(SERVING_LOCK_MS);
	AUTO_FD int lock = -1;
	int rc = lock_take(&lock, file_lock(cfg, LOCK_SERVING).text, &dl);

	if (rc < 0)
		return rc;
	if (!may_serve(cfg)) {
		rc = serving_write_if_other(cfg, TRACK_NO);
		return rc < 0 ? rc : -EACCES;
	}
	rc = serving_write_if_other(cfg, TRACK_YES);
	if (rc < 0)
		return rc;
	/* Had we been frozen between the look and the write, serving_end would have gone ahead
	 * without the lock and our yes would have come after its no: so look once more. */
	if (!may_serve(cfg)) {
		rc = track_write(cfg, TRACK_SERVING, TRACK_NO);
		return rc < 0 ? rc : -EACCES;
	}
	return 0;
}

int serving_end(const struct cfg *cfg)
{
	struct deadline dl = deadline_in_ms(SERVING_LOCK_MS);
	AUTO_FD int lock = -1;

	if (lock_take(&lock, file_lock(cfg, LOCK_SERVING).text, &dl) < 0)
		return track_write(cfg, TRACK_SERVING,
				   TRACK_NO); /* the doubt wins, with or without it */
	return serving_write_if_other(cfg, TRACK_NO);
}
