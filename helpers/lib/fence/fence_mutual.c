/* SPDX-License-Identifier: PostgreSQL */
#include "fence/fence_mutual.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "base/lock.h"
#include "base/log.h"
#include "node/mark.h"
#include "node/path.h"
#include "node/stamp.h"

/* How long what a fenced node had begun to ask may take to arrive. */
#define ON_ITS_WAY_MS 3000
/* A node that is just being fenced is harmless within its fence time. */
#define LOCK_MS 3000

int fence_mutual_lock(const struct cfg *cfg, int *lock)
{
	struct deadline soon = deadline_in_ms(LOCK_MS);

	return lock_take(lock, file_lock(cfg, LOCK_FENCING).text, &soon);
}

/* Held as long as the process lives, so that nobody has to tidy up behind one that was killed. */
static struct file_path held_path(const struct cfg *cfg)
{
	return file_lock(cfg, LOCK_FENCING_HELD);
}

int fence_mutual_begin(const struct cfg *cfg, int *held)
{
	struct deadline now = deadline_in_ms(0);
	int AUTO_FD lock = -1;
	int rc = fence_mutual_lock(cfg, &lock);
	struct fenced_mark mark;

	*held = -1;
	if (rc < 0)
		return rc;
	mark = fenced_read(cfg);
	/* By whom, if that cannot be read?  Perhaps by the other one. */
	if (mark.present != FACT_NO && (mark.by == FENCED_BY_UNKNOWN || mark.by == FENCED_BY_PEER))
		return -EPERM;
	rc = lock_take(held, held_path(cfg).text, &now);
	return rc == -ETIMEDOUT ? 0 : rc;
}

void fence_mutual_end(const struct cfg *cfg, int *held, bool fenced)
{
	if (fenced)
		log_failed("write the fencing file",
			   stamp_write(cfg, STAMP_FENCING, now_ms(), cfg_peer(cfg)->name));
	if (*held >= 0)
		(void)close(*held);
	*held = -1;
}

bool fence_mutual_wins(const struct cfg *cfg)
{
	int64_t at_ms;
	char word[CFG_NAME_MAX];

	if (cfg->self != 0)
		return false;
	if (lock_held(held_path(cfg).text) == 1)
		return true;
	return stamp_read(cfg, STAMP_FENCING, &at_ms, word, sizeof(word)) == 0 &&
	       now_ms() - at_ms < ON_ITS_WAY_MS;
}
