/* SPDX-License-Identifier: PostgreSQL */
#include "salvage/salvage_shelf.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/deadline.h"
#include "base/log.h"
#include "base/proc.h"
#include "base/state.h"
#include "base/text.h"
#include "node/path.h"

#define PARTIAL ".partial"
/* Of one salvage, which is as large as the rows that were lost. */
#define REMOVE_MS 10000
/* Names are some 50 bytes. */
#define SALVAGE_NAME_MAX 128

struct shelf_name {
	char text[SALVAGE_NAME_MAX];
};

static struct file_path below(const char *directory, const char *name)
{
	struct file_path path;
	int length = snprintf(path.text, sizeof(path.text), "%s/%s", directory, name);

	if (length < 0 || (size_t)length >= sizeof(path.text))
		(void)snprintf(path.text, sizeof(path.text), "/dev/null/path-too-long");
	return path;
}

static bool is_partial(const char *name)
{
	size_t length = strlen(name), end = strlen(PARTIAL);

	return length > end && strcmp(name + length - end, PARTIAL) == 0;
}

/* ---- removing ---- */

static int remove_tree(const char *path)
{
	const struct deadline dl = deadline_in_ms(REMOVE_MS);

	return proc_remove_tree(path, &dl);
}

/* Under a name that nobody takes for whole, so that it may be killed half-way. */
static int remove_whole(const char *path)
{
	struct file_path partial;
	int length = snprintf(partial.text, sizeof(partial.text), "%s" PARTIAL, path);

	if (length < 0 || (size_t)length >= sizeof(partial.text))
		return -ENAMETOOLONG;
	return rename(path, partial.text) < 0 ? -errno : remove_tree(partial.text);
}

void shelf_drop(const struct salvage *salvage)
{
	if (is_partial(salvage->path.text))
		log_failed("remove a salvage that is half", remove_tree(salvage->path.text));
}

/* ---- what is there ---- */

/* Calls for each name in the directory; "." and ".." are none.  The names begin with the time. */
static int for_each(const struct cfg *cfg,
		    int (*call)(void *arg, const char *directory, const char *name), void *arg)
{
	struct file_path directory = file_state(cfg, "salvage");
	DIR *all = opendir(directory.text);
	struct dirent *entry;
	int rc = 0;

	if (all == NULL)
		return errno == ENOENT ? 0 : -errno;
	while (rc == 0 && (entry = readdir(all)) != NULL)
		if (entry->d_name[0] != '.' && strlen(entry->d_name) < SALVAGE_NAME_MAX)
			rc = call(arg, directory.text, entry->d_name);
	(void)closedir(all);
	return rc;
}

static int drop_partial(void *unused, const char *directory, const char *name)
{
	(void)unused;
	return is_partial(name) ? remove_tree(below(directory, name).text) : 0;
}

/* ---- the summary ---- */

static int write_summary(const struct salvage *s)
{
	char text[STATE_TEXT_MAX];

	(void)snprintf(text, sizeof(text),
		       "system_identifier=%" PRIu64 "\ntimeline=%" PRIu32 "\nfork=%" PRIu64
		       "\nfork_known=%d\nlast=%" PRIu64 "\nend=%" PRIu64 "\nbytes=%" PRId64
		       "\ntransactions=%" PRId64 "\nprepared=%" PRId64 "\nwal_kept=%d\nwhole=%d\n",
		       s->system_identifier, s->timeline, s->fork, s->fork_known, s->last, s->end,
		       s->bytes, s->transactions, s->prepared, s->wal_kept, s->whole);
	return state_write(below(s->path.text, "summary").text, text, 0600, true);
}

static int get_flag(const char *text, const char *key, bool *value)
{
	int64_t number = 0;
	int rc = state_get_i64(text, key, &number);

	*value = number == 1;
	return rc < 0 || (number != 0 && number != 1) ? -EINVAL : 0;
}

static int read_summary(struct salvage *s, const char *directory, const char *name)
{
	char text[STATE_TEXT_MAX];
	uint64_t timeline = 0;
	int rc;

	*s = (struct salvage){ .path = below(directory, name) };
	rc = state_read(below(s->path.text, "summary").text, text, sizeof(text));
	if (rc < 0)
		return rc;
	if (state_get_u64(text, "system_identifier", &s->system_identifier) < 0 ||
	    state_get_u64(text, "timeline", &timeline) < 0 || timeline > UINT32_MAX ||
	    state_get_u64(text, "fork", &s->fork) < 0 ||
	    state_get_u64(text, "last", &s->last) < 0 || state_get_u64(text, "end", &s->end) < 0 ||
	    state_get_i64(text, "bytes", &s->bytes) < 0 ||
	    state_get_i64(text, "transactions", &s->transactions) < 0 ||
	    state_get_i64(text, "prepared", &s->prepared) < 0 ||
	    get_flag(text, "fork_known", &s->fork_known) < 0 ||
	    get_flag(text, "wal_kept", &s->wal_kept) < 0 || get_flag(text, "whole", &s->whole) < 0)
		return -EINVAL;
	s->timeline = (uint32_t)timeline;
	return 0;
}

/* ---- finding ---- */

struct search {
	const struct salvage *like;
	struct salvage *found;
	struct shelf_name name; /* of the one that was found */
};

static int take_newer(void *arg, const char *directory, const char *name)
{
	struct search *search = arg;
	const struct salvage *like = search->like;
	struct salvage one;

	if (is_partial(name) || strcmp(name, search->name.text) <= 0)
		return 0;
	if (read_summary(&one, directory, name) < 0)
		return 0; /* a person's own directory */
	if (like != NULL &&
	    (one.system_identifier != like->system_identifier || one.timeline != like->timeline ||
	     one.fork != like->fork || one.fork_known != like->fork_known))
		return 0;
	*search->found = one;
	(void)snprintf(search->name.text, sizeof(search->name.text), "%s", name);
	return 0;
}

int shelf_find(struct salvage *salvage, const struct cfg *cfg, const struct salvage *like)
{
	struct salvage found = { 0 };
	struct search search = { .like = like, .found = &found };
	int rc = for_each(cfg, take_newer, &search);

	*salvage = found;
	return rc < 0 ? rc : search.name.text[0] != '\0' ? 0 : -ENOENT;
}

/* ---- too many ---- */

struct count {
	int64_t whole;
	struct shelf_name oldest;
};

static int count_whole(void *arg, const char *directory, const char *name)
{
	struct count *count = arg;
	struct salvage one;

	if (is_partial(name) || read_summary(&one, directory, name) < 0)
		return 0;
	count->whole++;
	if (count->oldest.text[0] == '\0' || strcmp(name, count->oldest.text) < 0)
		(void)snprintf(count->oldest.text, sizeof(count->oldest.text), "%s", name);
	return 0;
}

/* Never the one that was just made, whatever the clock says of its age. */
static void remove_oldest(const struct cfg *cfg, const char *made)
{
	for (;;) {
		struct count count = { 0 };
		struct file_path path;
		int rc = for_each(cfg, count_whole, &count);

		if (rc < 0 || count.whole <= cfg->salvage_keep)
			return;
		path = below(file_state(cfg, "salvage").text, count.oldest.text);
		if (strcmp(path.text, made) == 0)
			return;
		rc = remove_whole(path.text);
		if (rc < 0) {
			log_warning("could not remove the old salvage \"%s\": %s", path.text,
				    strerror(-rc));
			return;
		}
		log_info("removed the old salvage \"%s\": salvage_keep is %" PRId64, path.text,
			 cfg->salvage_keep);
	}
}

/* ---- making ---- */

int shelf_begin(struct salvage *salvage, const struct cfg *cfg)
{
	struct file_path directory = file_state(cfg, "salvage");
	char at[32], name[SALVAGE_NAME_MAX], wal[sizeof(salvage->path.text) + 8];
	char *end = at;
	int rc = state_mkdirs(directory.text);

	if (rc == 0 && chmod(directory.text, 0700) < 0)
		rc = -errno;
	if (rc == 0)
		rc = for_each(cfg, drop_partial, NULL);
	if (rc < 0)
		return rc;
	text_wall_clock(at, sizeof(at));
	/* 20261123T104844Z: shells and archives dislike colons. */
	for (const char *c = at; *c != '\0'; c++)
		if (*c != '-' && *c != ':')
			*end++ = *c;
	*end = '\0';
	(void)snprintf(name, sizeof(name), "%s-%" PRIu32 "-%" PRIX32 "-%" PRIX32 PARTIAL, at,
		       salvage->timeline, (uint32_t)(salvage->fork >> 32), (uint32_t)salvage->fork);
	salvage->path = below(directory.text, name);
	(void)snprintf(wal, sizeof(wal), "%s/pg_wal", salvage->path.text);
	return mkdir(salvage->path.text, 0700) < 0 || mkdir(wal, 0700) < 0 ? -errno : 0;
}

int shelf_finish(struct salvage *salvage, const struct cfg *cfg)
{
	struct file_path whole = salvage->path;
	int rc = write_summary(salvage);

	whole.text[strlen(whole.text) - strlen(PARTIAL)] = '\0';
	if (rc == 0)
		rc = state_sync_directory(salvage->path.text);
	if (rc == 0 && rename(salvage->path.text, whole.text) < 0)
		rc = -errno;
	if (rc < 0)
		return rc;
	salvage->path = whole;
	rc = state_sync_directory(file_state(cfg, "salvage").text);
	if (rc == 0)
		remove_oldest(cfg, whole.text);
	return rc;
}
