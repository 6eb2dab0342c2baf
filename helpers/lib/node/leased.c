/* SPDX-License-Identifier: PostgreSQL */
#include "node/leased.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/state.h"
#include "base/text.h"
#include "node/path.h"

#define LEASED_STATE "leased"

/* A file in whatever condition is a yes; that it is absent is known only of a directory that is
 * there. */
static enum fact is_there(const char *path, const char *directory)
{
	int there = state_exists(path);

	if (there == 0)
		return state_exists(directory) == 1 ? FACT_NO : FACT_UNKNOWN;
	return there == 1 ? FACT_YES : FACT_UNKNOWN;
}

/* Of another system: an earlier database of this node, to which nobody here has a right
 * any more. */
static bool is_of_another(const struct cfg *cfg, uint64_t system)
{
	char text[STATE_TEXT_MAX];
	uint64_t marked = 0;

	if (system == 0 || state_read(file_state(cfg, LEASED_STATE).text, text, sizeof(text)) < 0 ||
	    state_get_u64(text, "system", &marked) < 0)
		return false;
	return marked != 0 && marked != system;
}

struct leased_mark leased_look(const struct cfg *cfg, uint64_t system)
{
	struct leased_mark mark = {
		.data = is_there(file_data(cfg, LEASED_DATA).text, cfg->data_dir),
		.state = is_there(file_state(cfg, LEASED_STATE).text, cfg->state_dir),
	};

	if (mark.state == FACT_YES && is_of_another(cfg, system))
		mark.state = FACT_NO;
	return mark;
}

enum fact leased_of(struct leased_mark mark)
{
	if (mark.data == FACT_YES || mark.state == FACT_YES)
		return FACT_YES;
	return mark.data == FACT_NO && mark.state == FACT_NO ? FACT_NO : FACT_UNKNOWN;
}

enum fact leased_read(const struct cfg *cfg, uint64_t system)
{
	return leased_of(leased_look(cfg, system));
}

static int write_mark(struct file_path path, uint64_t system)
{
	char text[128], at[32];

	text_wall_clock(at, sizeof(at));
	(void)snprintf(text, sizeof(text), "system=%" PRIu64 "\nat=%s\n", system, at);
	return state_write(path.text, text, 0644, true);
}

int leased_write_data(const struct cfg *cfg, uint64_t system)
{
	struct file_path path = file_data(cfg, LEASED_DATA);
	struct stat owner;
	int rc = stat(cfg->data_dir, &owner) < 0 ? -errno : 0;

	if (rc == 0)
		rc = write_mark(path, system);
	/* The server's user must be able to take it away with the rest of the directory
	 * (pg_rewind), and to read it for a base backup. */
	if (rc == 0 && chown(path.text, owner.st_uid, owner.st_gid) < 0)
		log_warning("could not give %s to its directory's owner: %s", path.text,
			    strerror(errno));
	return rc;
}

int leased_write_state(const struct cfg *cfg, uint64_t system)
{
	return write_mark(file_state(cfg, LEASED_STATE), system);
}
