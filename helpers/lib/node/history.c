/* SPDX-License-Identifier: PostgreSQL */
#include "node/history.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/deadline.h"
#include "base/report.h"
#include "base/state.h"
#include "base/text.h"
#include "node/path.h"

/* Larger than years of failovers; then the older half of the story moves to history.1. */
#define HISTORY_MAX (1024 * 1024)

/* Failing to turn the page must not cost the line itself: only a warning would come of it. */
static void history_turn(const struct cfg *cfg, const char *path)
{
	struct stat status;

	if (stat(path, &status) == 0 && status.st_size > HISTORY_MAX &&
	    rename(path, file_state(cfg, "history.1").text) < 0)
		return;
}

/* members: further ones, each with a comma before it. */
static int add_event(const struct cfg *cfg, const char *event, const char *detail,
		     const char *members)
{
	struct file_path path = file_state(cfg, "history");
	char at[32], event_text[64], detail_text[1024], line[2048];
	int length;

	text_wall_clock(at, sizeof(at));
	json_escape(event_text, sizeof(event_text), event);
	json_escape(detail_text, sizeof(detail_text), detail != NULL ? detail : "");
	length = snprintf(line, sizeof(line),
			  "{\"at\":\"%s\",\"boot_ms\":%lld,\"node\":\"%s\",\"event\":\"%s\","
			  "\"detail\":\"%s\"%s}",
			  at, (long long)now_ms(), cfg_self(cfg)->name, event_text, detail_text,
			  members);
	if (length < 0 || (size_t)length >= sizeof(line))
		return -EFBIG;
	history_turn(cfg, path.text);
	return state_append(path.text, line, 0644);
}

int history_add(const struct cfg *cfg, const char *event, const char *detail)
{
	return add_event(cfg, event, detail, "");
}

int history_add_salvaged(const struct cfg *cfg, const char *detail, const char *path,
			 int64_t transactions, int64_t bytes)
{
	char path_text[2 * sizeof(struct file_path)], members[sizeof(path_text) + 128];

	json_escape(path_text, sizeof(path_text), path);
	(void)snprintf(members, sizeof(members),
		       ",\"salvaged\":{\"path\":\"%s\",\"transactions\":%" PRId64
		       ",\"bytes\":%" PRId64 "}",
		       path_text, transactions, bytes);
	return add_event(cfg, "salvaged", detail, members);
}
